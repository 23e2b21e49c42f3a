import { z } from 'zod';

/** `authorize` of a route: what the caller must be allowed to. */
export const authorizeOptions = z.strictObject({
  scopes: z.array(z.string().min(1)).min(1).optional().describe('Scopes that the caller must have, all of them.'),
});

export type AuthorizeOptions = z.output<typeof authorizeOptions>;
