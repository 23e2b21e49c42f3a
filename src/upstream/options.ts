import { z } from 'zod';
import { concurrency, duration, filePath, parseDuration, size } from '../config/units.ts';

/** `20%` or `0.2` → 0.2. */
function share(from: number, to: number) {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const match = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(String(value));
    const parsed = match === null ? Number(value) : Number(match[1]) / 100;
    if (value !== '' && parsed >= from && parsed <= to) return parsed;
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(value)} is not a share: write ${from * 100}% to ${to * 100}%`,
    });
    return z.NEVER;
  });
}

/** A duration that must not be shorter than `least` (a loop without a pause is no setting). */
function span(least: '1ms' | '100ms' | '1s') {
  const floor = parseDuration(least) ?? 0;
  return duration().refine((ms) => ms >= floor, `must be at least ${least}`);
}

function urlProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return `${JSON.stringify(text)} is not a target: write http://HOST:PORT or https://HOST:PORT`;
  }
  if (url.username !== '' || url.password !== '') return 'a target has no user name and no password';
  if (/[?#]/.test(text) || url.pathname !== '/')
    return 'a target has no path, query or fragment: the path of the request goes on as it is';
  if (url.port === '0') return 'a target needs a port that is not 0';
  return undefined;
}

const targetUrl = z
  .string()
  .check((context) => {
    const message = urlProblem(context.value);
    if (message !== undefined) context.issues.push({ code: 'custom', message, input: context.value });
  })
  .describe('Where the service is: `http://HOST:PORT` or `https://HOST:PORT`.');

const target = z
  .union([
    targetUrl,
    z.strictObject({
      url: targetUrl,
      weight: z
        .int()
        .min(0)
        .max(1000)
        .default(1)
        .describe(
          'Share of the requests, relative to the other targets; each address of a name has the whole weight. 0 takes the target out.',
        ),
    }),
  ])
  .transform((value) => (typeof value === 'string' ? { url: value, weight: 1 } : value));

const tls = z.strictObject({
  ca: filePath().optional().describe("PEM file with the only authorities that are believed. Without it: the system's."),
  certificate: filePath()
    .optional()
    .describe('PEM file with the client certificate (and its chain) that is shown to the service.'),
  key: filePath().optional().describe('PEM file with the key of `certificate`.'),
  'server-name': z
    .string()
    .regex(/^[a-z0-9.-]{1,253}$/i, 'a server name is a host name without port')
    .optional()
    .describe('Name that is asked for (SNI) and that the certificate must bear. Without it: the host of the target.'),
  verify: z
    .boolean()
    .default(true)
    .describe("Whether the service's certificate is verified. `false` is for tests: anyone can answer."),
  pins: z
    .array(z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'a pin is the base64 of the SHA-256 of a public key (44 characters)'))
    .default([])
    .describe(
      'base64 SHA-256 of public keys (SubjectPublicKeyInfo). When given, one certificate of the chain must have one of them.',
    ),
});

const statusRange = z.union([z.int(), z.string()]).transform((value, context): readonly [number, number] => {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(value));
  if (match !== null) return [Number(match[1]), Number(match[2] ?? match[1])];
  context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a status: write 200 or 200-399` });
  return z.NEVER;
});

const health = z.strictObject({
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'a path begins with / and has no spaces')
    .default('/')
    .describe('Path (and query) that is asked for with GET.'),
  every: span('100ms').prefault('5s').describe('Time between two checks of one target.'),
  timeout: span('1ms').prefault('2s').describe('A check that takes longer has failed.'),
  'healthy-after': z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe('So many checks in a row must pass before a target that was down is used again.'),
  'unhealthy-after': z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe('So many checks in a row must fail before a target is down. The first check of all decides alone.'),
  status: z
    .union([statusRange, z.array(statusRange).min(1)])
    .prefault('200-399')
    .transform((value) =>
      Array.isArray(value[0]) ? (value as (readonly [number, number])[]) : [value as readonly [number, number]],
    )
    .describe('The statuses that pass, such as `200`, `200-399`, or a list of these.'),
});

const ejection = z.strictObject({
  failures: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe(
      'So many failed calls in a row (no connection, closed, malformed, timeout, 502, 503, 504) take a target out for a while.',
    ),
  for: span('100ms').prefault('10s').describe('How long the first time; twice as long each further time.'),
  'at-most': span('100ms').prefault('5m').describe('The longest time out.'),
});

const retries = z.strictObject({
  tries: z.int().min(1).max(10).default(2).describe('Tries in all, the first one included; 1 means no retries.'),
  budget: share(0, 1)
    .prefault('20%')
    .describe('Retries of the last ten seconds as a share of the requests; ten more are always allowed.'),
  on: z
    .array(z.enum(['connect', 'closed', 'timeout', '502', '503', '504']))
    .default(['connect', 'closed'])
    .describe(
      'What is tried again. `connect`: no connection, so any method. `closed`: closed before an answer; `timeout`: no answer within `try-time`; a status: that answer. These only for GET, HEAD, OPTIONS, PUT and DELETE.',
    ),
  'try-time': span('1ms')
    .optional()
    .describe('Gives up one try after this time, within `timeout`. Without it a try may take all of `timeout`.'),
});

const breaker = z.strictObject({
  failures: z
    .union([
      z
        .int()
        .min(1)
        .transform((count) => ({ count })),
      share(0.01, 1).transform((part) => ({ share: part })),
    ])
    .prefault('50%')
    .describe('Opens at so many failed calls within `window`, or at this share of the calls.'),
  requests: z.int().min(1).default(20).describe('For a share: fewer calls than this within `window` open nothing.'),
  window: span('1s').prefault('10s').describe('How far back calls are counted.'),
  'open-for': span('100ms')
    .prefault('5s')
    .describe('How long nothing is sent. Then one call is let through: it closes the breaker or opens it again.'),
});

const dns = z.strictObject({
  refresh: span('1s').prefault('30s').describe('How often names of targets are resolved again.'),
  family: z
    .enum(['auto', 'ipv4', 'ipv6', 'both'])
    .default('auto')
    .describe(
      'Which addresses of a name are used. `auto`: IPv4, or IPv6 where there is no IPv4 address that accepts connections.',
    ),
});

const queue = z.strictObject({
  size: z
    .int()
    .min(0)
    .max(100_000)
    .default(1024)
    .describe('So many calls may wait when all `connections` are taken; the next gets 503.'),
  wait: duration().prefault('1s').describe('How long a call may wait before it gets 503.'),
});

/** Names of header fields, in lower case. */
const names = z.array(
  z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+\*?$/, 'not a header name')
    .toLowerCase(),
);

const headers = z.strictObject({
  drop: names
    .default([])
    .describe('More request headers that are not passed on to the service. A `*` at the end stands for any rest.'),
  keep: names
    .default([])
    .describe(
      'Request headers that are passed on although the gateway drops them by default. Only for services that do not trust them.',
    ),
});

const full = z.strictObject({
  targets: z
    .array(target)
    .min(1)
    .refine((list) => list.some((one) => one.weight > 0), 'at least one target needs a weight above 0')
    .describe('Where the service runs: one URL for each instance, or `{ url, weight }`.'),
  balance: z
    .enum(['round-robin', 'least-requests', 'random'])
    .default('round-robin')
    .describe(
      'How a target is chosen: in turn, the one with the fewest calls under way, or the better one of two random choices.',
    ),
  protocol: z
    .enum(['http1', 'h2', 'auto', 'h2c'])
    .default('http1')
    .describe('What is spoken to the service: HTTP/1.1, HTTP/2 over TLS, either as ALPN says, or HTTP/2 without TLS.'),
  client: z.enum(['lean', 'undici']).default('lean').describe("The HTTP/1.1 client: the gateway's own, or undici."),
  tls: tls.prefault({}).describe('How https targets are verified, and which certificate is shown to them.'),
  connections: z
    .int()
    .min(1)
    .max(100_000)
    .default(1024)
    .describe('At most so many connections to all targets together. With HTTP/1.1 that is also the number of calls at once.'),
  concurrency: concurrency()
    .optional()
    .describe(
      'At most so many requests to this service are under way at once, from all routes together, each until its answer is complete.',
    ),
  queue: queue.prefault({}).describe('What happens when all connections are taken.'),
  timeout: span('1ms')
    .prefault('30s')
    .describe(
      "All tries up to the response's head, and then each silence in its body. Time in which the client is slow does not count.",
    ),
  'connect-timeout': span('1ms').prefault('5s').describe('Time for a connection to be made, TLS included.'),
  'total-time': span('1ms').optional().describe('Time for the whole call with its body. Without it there is no such bound.'),
  'idle-time': span('1ms').prefault('60s').describe('An idle connection is closed after this time.'),
  'head-bytes': size().prefault('64KiB').describe("Bound on the head of the service's answer."),
  health: health
    .optional()
    .describe(
      'Checks of each target by small requests of our own. When all targets are down, calls get 503. Without checks only `ejection` takes targets out.',
    ),
  ejection: z
    .union([z.literal('off'), ejection])
    .prefault({})
    .describe('Takes out targets whose calls fail, never the last one. `off` switches it off.'),
  retries: retries.prefault({}).describe('When a call is tried again on another target.'),
  breaker: breaker.optional().describe('Stops calling a service that fails. Without it there is no breaker.'),
  dns: dns.prefault({}).describe('How names of targets are resolved.'),
  host: z
    .enum(['client', 'service'])
    .default('client')
    .describe('Which Host the service sees: the one that the client asked for, or the one in the URL of the target.'),
  headers: headers.prefault({}).describe('Which request headers the service gets.'),
  credentials: z
    .enum(['drop', 'forward'])
    .default('drop')
    .describe('Whether the credential of a known caller is passed on to the service.'),
});

type Full = z.output<typeof full>;

/** Each check concerns several keys: its message and the key that it is shown at. */
function problems(service: Full): { message: string; path: (string | number)[] }[] {
  const found: { message: string; path: (string | number)[] }[] = [];
  service.targets.forEach((one, index) => {
    const secure = /^https:/i.test(one.url);
    const path = ['targets', index];
    if (!secure && (service.protocol === 'h2' || service.protocol === 'auto')) {
      found.push({ message: `protocol ${service.protocol} needs an https target (h2c is HTTP/2 without TLS)`, path });
    }
    if (secure && service.protocol === 'h2c') found.push({ message: 'protocol h2c is for http targets: write h2', path });
  });
  if ((service.tls.certificate === undefined) !== (service.tls.key === undefined)) {
    found.push({ message: 'certificate and key belong together', path: ['tls'] });
  }
  if (service.retries.on.includes('timeout') && service.retries['try-time'] === undefined) {
    found.push({ message: 'retries on timeout need a try-time', path: ['retries', 'on'] });
  }
  return found;
}

/** One service of the section `services`: a URL, or an object with targets and all that is known about calling them. */
export const serviceOptions = z
  .union([
    targetUrl,
    full.superRefine((value, context) => {
      for (const { message, path } of problems(value)) context.addIssue({ code: 'custom', message, path });
    }),
  ])
  .transform((value): Full => (typeof value === 'string' ? full.parse({ targets: [value] }) : value));

export type ServiceOptions = z.output<typeof serviceOptions>;
