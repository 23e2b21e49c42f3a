import { z } from 'zod';
import { duration, parseDuration } from '../../config/units.ts';
import { outsideProblem } from '../../egress/options.ts';
import { isUrl } from './is-url.ts';

function span(least: string, most: string) {
  const [floor, top] = [parseDuration(least) ?? 0, parseDuration(most) ?? 0];
  return duration().refine((ms) => ms >= floor && ms <= top, `must be from ${least} to ${most}`);
}

/** `keys` of `jwt`: how the keys of the issuer are kept up to date. */
export const keysOptions = z
  .strictObject({
    'refresh-min': span('1s', '24h')
      .prefault('1m')
      .describe("Keys are not read more often than this for their age, whatever the issuer's Cache-Control says."),
    'refresh-max': span('1s', '24h')
      .prefault('1h')
      .describe(
        "Keys are read again at least this often, whatever the issuer's Cache-Control says. Without Cache-Control: every 10 minutes, within these bounds.",
      ),
    'cool-down': span('1s', '1h')
      .prefault('30s')
      .describe('Tokens with an unknown `kid` have the keys read again at most once in this time.'),
    stale: span('1s', '30d')
      .prefault('24h')
      .describe('How long keys count that cannot be read again because the issuer is down. Then its tokens get 503.'),
    timeout: span('100ms', '1m').prefault('5s').describe('For reading the keys, discovery included.'),
  })
  .refine((keys) => keys['refresh-min'] <= keys['refresh-max'], '`refresh-min` must not be more than `refresh-max`')
  .refine((keys) => keys['refresh-max'] <= keys.stale, '`stale` must not be less than `refresh-max`');

export type KeysOptions = z.output<typeof keysOptions>;

/** `jwks` of `jwt`: a URL, or a file, whose path is relative to the configuration. */
export const jwksPlace = z
  .string()
  .min(1)
  .superRefine((value, context) => {
    const problem = isUrl(value) ? outsideProblem(value) : undefined;
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({ format: 'path-or-url' });

/** What is wrong with an issuer that has to be asked for its keys; undefined: nothing. */
export function discoveryProblem(issuer: string): string | undefined {
  const problem =
    outsideProblem(issuer) ?? (issuer.includes('?') ? 'a query must not stand in it (RFC 8414 section 2)' : undefined);
  return problem === undefined ? undefined : `without \`jwks\` the issuer is asked where its keys are: ${problem}`;
}
