import { z } from 'zod';
import { address, tls } from '../config/units.ts';

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])$/i;

/** The admin listener: health, readiness, metrics, the status page. Never on a port that clients reach. */
export const adminOptions = z.strictObject({
  address: address().describe('Where to listen. Off loopback, `tls` and `token` are both needed.'),
  tls: tls().describe('As for a listener: certificates, or `self-signed` for development.'),
  token: z
    .string()
    .min(16, 'a token needs at least 16 characters')
    .regex(/^[\x21-\x7e]*$/, 'a token holds visible ASCII characters only')
    .optional()
    .describe(
      'Asked for as `Authorization: Bearer …`, and of browsers by a login form. Best written as `secret:NAME`, so that it stands in no file.',
    ),
  hosts: z
    .array(z.string().regex(HOST, 'expected a host name without port').toLowerCase())
    .default([])
    .describe(
      'Names besides the address itself and `localhost` under which it may be called. A request with another `Host` is refused: that stops DNS rebinding.',
    ),
});

export type AdminOptions = z.output<typeof adminOptions>;
