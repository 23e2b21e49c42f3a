import { z } from 'zod';
import { apiKeyOptions } from './api-key/options.ts';
import type { CsrfOptions } from './csrf/options.ts';
import { introspectionOptions } from './introspection/options.ts';
import { jwtOptions } from './jwt/options.ts';
import { mtlsOptions } from './mtls/options.ts';

const kinds = {
  jwt: jwtOptions.optional().describe('Access tokens that are JSON Web Tokens (RFC 7519, RFC 9068).'),
  introspection: introspectionOptions
    .optional()
    .describe('Access tokens that the authorization server is asked about (RFC 7662).'),
  'api-key': apiKeyOptions.optional().describe('API keys that `portcullis keys` made.'),
  mtls: mtlsOptions.optional().describe('Client certificates; the listener says who signs them.'),
};

/** One way to tell who calls: exactly one of the kinds. */
export const methodOptions = z
  .strictObject(kinds)
  .refine((value) => Object.values(value).filter((kind) => kind !== undefined).length === 1, {
    error: `write exactly one of ${Object.keys(kinds).join(', ')}`,
  });

/** `authentication` of a route: any of these methods, or `none`. */
export const routeAuthentication = z
  .union([z.literal('none'), z.array(z.string()).min(1)], {
    error: (issue) =>
      issue.input === undefined
        ? 'a route must say who may call it: `authentication` is missing, an open route says `authentication: none`'
        : 'name methods of the section `authentication` in a list, or write `none` for a route that is open to everyone',
  })
  .describe(
    'Who may call, by the names of the section `authentication`: any of these. It must be written: `none` for a route that is open to everyone.',
  );

export type MethodOptions = z.output<typeof methodOptions>;

/** What the room needs to know for one route. */
export interface AuthenticateOptions {
  /** The methods that the route names, in order; none for an open route. */
  readonly methods: readonly { readonly name: string; readonly method: MethodOptions }[];
  readonly csrf: CsrfOptions;
  /** What else the route says about origins. */
  readonly origins?: readonly string[];
  readonly cors?: { readonly origins: readonly string[]; readonly credentials: boolean };
}
