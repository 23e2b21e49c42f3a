import { z } from 'zod';
import { duration, filePath, parseDuration } from '../../config/units.ts';
import { outsideProblem, outsideUrl } from '../../egress/options.ts';

function span(least: string, most: string) {
  const [floor, top] = [parseDuration(least) ?? 0, parseDuration(most) ?? 0];
  return duration().refine((ms) => ms >= floor && ms <= top, `must be from ${least} to ${most}`);
}

const client = z
  .strictObject({
    id: z.string().min(1).describe('The `client_id` that the authorization server knows the gateway by.'),
    secret: z.string().min(1).optional().describe('The secret of this client, such as `${NAME}` from the environment.'),
    'secret-in': z
      .enum(['header', 'body'])
      .default('header')
      .describe('Where the secret goes: `header` is client_secret_basic, `body` is client_secret_post.'),
    'private-key': filePath()
      .optional()
      .describe('PEM file with a private key (PKCS #8) for private_key_jwt, instead of a secret. It needs `issuer`.'),
    'private-key-id': z.string().min(1).optional().describe('The `kid` of the private key.'),
    algorithm: z
      .enum(['ES256', 'ES384', 'RS256', 'PS256'])
      .default('ES256')
      .describe('The algorithm that the private key signs with.'),
  })
  .refine((value) => (value.secret === undefined) !== (value['private-key'] === undefined), {
    error: 'write exactly one of `secret` and `private-key`',
  });

const cache = z.strictObject({
  active: span('0s', '1h')
    .prefault('30s')
    .describe(
      'How long an active token is believed without asking again, and never past its `exp`. A revoked one passes for so long.',
    ),
  inactive: span('0s', '1h').prefault('5s').describe('How long an inactive token is refused without asking again.'),
  entries: z.int().min(1).max(1_000_000).default(20_000).describe('At most so many tokens are remembered, of each of the two.'),
});

/** `introspection`: the authorization server is asked about each token (RFC 7662). */
export const introspectionOptions = z
  .strictObject({
    endpoint: outsideUrl()
      .optional()
      .describe('The introspection endpoint. Without it the issuer is asked where it is (RFC 8414, OIDC discovery).'),
    issuer: z
      .string()
      .min(1)
      .optional()
      .describe('The authorization server. An answer that has an `iss` must have this one, letter for letter.'),
    client: client.describe('How the gateway tells the authorization server who asks.'),
    audience: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .transform((value) => (typeof value === 'string' ? [value] : value))
      .describe(
        'The API that tokens must be for: one member of `aud` must be one of these, letter for letter. `any` takes tokens for whatever they are, which servers that tell no `aud` need.',
      ),
    cache: cache.prefault({}).describe('How long answers are believed.'),
    timeout: span('50ms', '1m')
      .prefault('2s')
      .describe('For one question, discovery included. A request waits no longer than this.'),
    concurrency: z
      .int()
      .min(1)
      .max(10_000)
      .default(256)
      .describe(
        'At most so many questions at once; further new tokens get 503. A token that is being asked about waits for that answer.',
      ),
    'clock-skew': span('0s', '5m').prefault('5s').describe('How far the clocks of authorization server and gateway may differ.'),
    'plan-claim': z
      .string()
      .min(1)
      .optional()
      .describe('The member that names the plan of the caller for `limits`; dots lead deeper (`account.plan`).'),
  })
  .superRefine(({ endpoint, issuer, client: { 'private-key': key } }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (endpoint === undefined && issuer === undefined) say('endpoint', 'write `endpoint`, or `issuer` to have it found');
    if (key !== undefined && issuer === undefined) say('issuer', '`private-key` needs `issuer`: it is whom the assertion is for');
    const problem = endpoint === undefined && issuer !== undefined ? outsideProblem(issuer) : undefined;
    if (problem !== undefined) say('issuer', `without \`endpoint\` the issuer is asked where it is: ${problem}`);
  });

export type IntrospectionOptions = z.output<typeof introspectionOptions>;
