import { z } from 'zod';

/** `introspection`: the authorization server is asked about each token (RFC 7662). */
export const introspectionOptions = z.strictObject({
  endpoint: z.url().describe('The introspection endpoint.'),
});

export type IntrospectionOptions = z.output<typeof introspectionOptions>;
