import { z } from 'zod';
import { address, clientCertificatesOption, duration, listenerTls, size } from '../config/units.ts';

/** A bound of nothing would refuse every request; a head that is larger than this is no head. */
function headSize() {
  return size().refine((bytes) => bytes > 0 && bytes <= 1024 ** 2, 'must be more than 0 and at most 1MiB');
}

/** Longer times than a timer can count would be over at once. */
function span() {
  return duration().refine((ms) => ms > 0 && ms <= 24 * 86_400_000, 'must be more than 0 and at most 24d');
}

const boundsOptions = z.strictObject({
  'head-bytes': headSize()
    .prefault('16KiB')
    .describe('Most bytes of header fields in one request, the request line not counted. More are refused with 431.'),
  'head-count': z.int().min(1).max(2000).default(100).describe('Most header fields in one request. More are refused with 431.'),
  'target-bytes': headSize()
    .prefault('8KiB')
    .describe('Longest request target: path with query. A longer one is refused with 414.'),
  'head-time': span()
    .prefault('10s')
    .describe(
      'Time for the head to arrive: from the opening of a connection, and on a kept one from the next request’s first byte. Then 408.',
    ),
  'body-time': span()
    .prefault('30s')
    .describe(
      'Time for the body to arrive, from the end of the head; it stands still while the service does not take it. Then 408.',
    ),
  'idle-time': span()
    .prefault('60s')
    .describe(
      'How long a connection without a running request is kept open, and how long a client may leave its answer untaken.',
    ),
  'tunnel-idle': span()
    .prefault('1h')
    .describe('How long nothing at all, not even a ping, may pass over a WebSocket in either direction. Then it is closed.'),
  'request-time': span()
    .prefault('300s')
    .describe('Time for the whole request to arrive, head and body. Its answer may take longer.'),
  'requests-per-connection': z
    .int()
    .min(1)
    .default(100_000)
    .describe('Requests that one connection may carry before it is closed in good order.'),
  connections: z
    .int()
    .min(1)
    .default(10_000)
    .describe(
      'Most open connections of this listener. At the cap, the oldest connection without a complete head is closed first.',
    ),
  'connections-per-address': z
    .int()
    .min(1)
    .default(4096)
    .describe(
      'Most open connections from one address. At the cap, the oldest one of them without a complete head is closed first.',
    ),
  'h2-streams': z.int().min(1).max(10_000).default(100).describe('Most requests at the same time on one HTTP/2 connection.'),
  'h2-resets': z.int().min(1).default(1000).describe('HTTP/2 streams that a client may reset before its connection is closed.'),
});

const hstsValue = z.strictObject({
  'max-age': duration().prefault('365d').describe('How long browsers shall insist on HTTPS.'),
  'include-subdomains': z.boolean().default(false).describe('Whether this holds for every subdomain too.'),
  preload: z.boolean().default(false).describe('Whether the host may be put on the lists that browsers ship with.'),
});

/** What `hsts` becomes: off, or the parts of the header field. `max-age` is in milliseconds. */
export type Hsts = false | z.output<typeof hstsValue>;

const hsts = z
  .union([z.boolean(), hstsValue])
  .prefault(true)
  .transform((value): Hsts => (value === true ? hstsValue.parse({}) : value));

/** Where `redirect-to-https` leads; without `host` the one that the client asked for, without `port` the usual 443. */
export interface HttpsTarget {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

const HTTPS_TARGET = /^([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?$/i;

/** Truth values of older YAML; whoever writes one means no host of that name. */
const WORDS = /^(?:yes|no|on|off|none)$/i;

function parseHttpsTarget(value: boolean | number | string): HttpsTarget | false | undefined {
  if (value === false) return false;
  if (value === true) return { host: undefined, port: undefined };
  if (typeof value === 'number') return { host: undefined, port: value };
  const match = HTTPS_TARGET.exec(value);
  if (match === null || WORDS.test(value) || Number(match[2] ?? 443) > 65535 || Number(match[2] ?? 443) === 0) return undefined;
  return { host: match[1].toLowerCase(), port: match[2] === undefined ? undefined : Number(match[2]) };
}

const redirectToHttps = z
  .union([z.boolean(), z.int().min(1).max(65535), z.string()])
  .default(false)
  .transform((value, context) => {
    const target = parseHttpsTarget(value);
    if (target !== undefined) return target;
    context.addIssue({ code: 'custom', message: 'expected true, a port, or HOST or HOST:PORT to redirect to' });
    return z.NEVER;
  });

/** One listener: an address that clients reach, and what a client may do there. */
export const listenerOptions = z.strictObject({
  address: address().describe('Where to listen: `HOST:PORT`, IPv6 in brackets. The host is an IP address or `localhost`.'),
  tls: listenerTls().describe(
    'Certificates, several of them to be chosen by the name that the client asks for (SNI), or `self-signed` for development. Off loopback a listener must say `tls: none` to go without.',
  ),
  'client-certificates': clientCertificatesOption().describe(
    'Which certificates clients have to show (mutual TLS). An entry of `tls` may say something else for its names.',
  ),
  bounds: boundsOptions
    .prefault({})
    .describe('What one client may take up. Every bound has a default; they fire at most one second late.'),
  'redirect-to-https': redirectToHttps.describe(
    'Answers every request with 308 to the same URL under `https:`. `true` keeps the host and takes port 443; a port, a host or `HOST:PORT` says where to.',
  ),
  'proxy-protocol': z
    .boolean()
    .default(false)
    .describe('Expects a PROXY header, version 1 or 2, in front of each connection from one of `trusted-proxies`.'),
  hsts: hsts.describe('The `Strict-Transport-Security` header field of answers over TLS; `false` leaves it out.'),
});

/** Checked options of one listener. Durations are milliseconds, sizes bytes. */
export type ListenerOptions = z.output<typeof listenerOptions>;
export type Bounds = ListenerOptions['bounds'];
