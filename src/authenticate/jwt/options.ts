import { z } from 'zod';
import { duration } from '../../config/units.ts';
import { discoveryProblem, jwksPlace, keysOptions } from './keys-options.ts';

const plainOptions = z.strictObject({
  issuer: z.string().min(1).describe('The `iss` that tokens must have, letter for letter.'),
  audience: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .describe('The API that tokens must be for: one member of `aud` must be one of these, letter for letter.'),
  jwks: jwksPlace
    .optional()
    .describe("Where the issuer's keys are: a URL or a file. Without it they are found by discovery (OIDC, RFC 8414)."),
  keys: keysOptions.prefault({}).describe('How the keys of the issuer are kept up to date.'),
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
    .min(1)
    .describe('Signature algorithms that the issuer may use. What is not listed is refused, whatever the token says.'),
  'clock-skew': duration().prefault('5s').describe('How far the clocks of issuer and gateway may differ.'),
  'max-lifetime': duration().prefault('24h').describe('Tokens that live longer, from `iat` to `exp`, are refused.'),
  'plan-claim': z
    .string()
    .min(1)
    .optional()
    .describe('The claim that names the plan of the caller for `limits`; dots lead deeper (`account.plan`).'),
});

/** `jwt`: access tokens that are JSON Web Tokens (RFC 7519, RFC 9068). */
export const jwtOptions = plainOptions.superRefine(({ issuer, jwks }, context) => {
  const problem = jwks === undefined ? discoveryProblem(issuer) : undefined;
  if (problem !== undefined) context.addIssue({ code: 'custom', path: ['issuer'], message: problem });
});

export type JwtOptions = z.output<typeof jwtOptions>;
