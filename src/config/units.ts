import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { DURATION, parseAddress, parseDuration, parseSize, SIZE } from './values.ts';

export { type Address, formatAddress, isLoopback, parseAddress, parseDuration, parseSize } from './values.ts';

/**
 * The small values that users write in the configuration, each with one parser, one message and one description. Rooms
 * use these in their `options.ts`. What comes out is always a plain number: bytes, or milliseconds.
 */

/** Schema of a size; the output is bytes. */
export function size() {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const bytes = parseSize(value);
      if (bytes !== undefined) return bytes;
      context.addIssue({
        code: 'custom',
        message: `${JSON.stringify(value)} is not a size: write bytes, or a number with KiB, MiB or GiB`,
      });
      return z.NEVER;
    })
    .meta({ format: 'size', pattern: `${SIZE.source}|\\$\\{` });
}

/** Schema of a duration; the output is milliseconds. */
export function duration() {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const ms = parseDuration(String(value));
      if (ms !== undefined) return ms;
      context.addIssue({
        code: 'custom',
        message: `${JSON.stringify(value)} is not a duration: write a number with ms, s, m, h or d`,
      });
      return z.NEVER;
    })
    .meta({ format: 'duration', pattern: `${DURATION.source}|\\$\\{` });
}

/** Schema of `concurrency`: so many requests at once, and a short queue. */
export function concurrency() {
  return z.strictObject({
    max: z.int().min(1).max(1_000_000).describe('So many requests at once. With several workers each has its share of them.'),
    queue: z.int().min(0).max(100_000).default(20).describe('So many more may wait until one ends; the next gets 503.'),
    wait: duration()
      .prefault('1s')
      .refine((ms) => ms >= 1 && ms <= 60_000, 'from 1ms to 1m')
      .describe('How long a request may wait before it gets 503.'),
  });
}

/** Schema of an address or a network in CIDR form; host bits must be zero, because nobody can tell which network else was meant. */
export function network() {
  return z
    .string()
    .superRefine((value, context) => {
      const problem = networkProblem(value);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .meta({ format: 'network' });
}

function networkProblem(value: string): string | undefined {
  const [host, bits, rest] = value.split('/');
  const address =
    ipaddr.IPv4.isValidFourPartDecimal(host) || (ipaddr.IPv6.isValid(host) && !host.includes('%'))
      ? ipaddr.parse(host)
      : undefined;
  const most = address?.kind() === 'ipv4' ? 32 : 128;
  if (
    address === undefined ||
    rest !== undefined ||
    (bits !== undefined && !/^\d{1,3}$/.test(bits)) ||
    Number(bits ?? 0) > most
  ) {
    return `${JSON.stringify(value)} is not an IP address or network, such as 10.0.0.0/8`;
  }
  if (bits === undefined) return undefined;
  const family = most === 32 ? ipaddr.IPv4 : ipaddr.IPv6;
  const base = family.networkAddressFromCIDR(value);
  if (base.toNormalizedString() === (address as ipaddr.IPv6).toNormalizedString()) return undefined;
  return `${JSON.stringify(value)} has bits behind its prefix: write ${base.toString()}/${bits}, or the address alone`;
}

/**
 * Schema of a path to a file. When the configuration is loaded from a file, a relative path is replaced by an absolute
 * one before anything else looks at it: relative paths are relative to the configuration file.
 */
export function filePath() {
  return z.string().min(1, 'a path must not be empty').meta({ format: 'path' });
}

/** Schema of an address to listen on. */
export function address() {
  return z
    .string({ error: ({ input }) => (typeof input === 'number' ? noAddress(input) : undefined) })
    .transform((value, context) => {
      const parsed = parseAddress(value);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: noAddress(value) });
      return z.NEVER;
    })
    .meta({ format: 'address' });
}

function noAddress(value: string | number): string {
  return `${JSON.stringify(value)} is not an address to listen on: write HOST:PORT with an IP address, such as 127.0.0.1:8080, 0.0.0.0:8443 or [::1]:8443`;
}

const certificatePair = z
  .strictObject({
    certificate: filePath().describe('File with the certificate and its chain, PEM, the own certificate first.'),
    key: filePath().describe('File with the private key of the certificate, PEM, without a passphrase.'),
  })
  .readonly();

/** One certificate with its key, as absolute paths. */
export type CertificateFiles = z.output<typeof certificatePair>;

/** What `tls` says: no TLS, a certificate made at start for development, or certificates that are chosen by SNI. */
export type Tls = 'none' | 'self-signed' | readonly CertificateFiles[];

/** Schema of `tls` where no client certificates are asked for. What is not written is `none`; the check of the whole file says where it may not. */
export function tls() {
  return z
    .union([z.enum(['self-signed', 'none']), certificatePair, z.array(certificatePair).min(1)])
    .optional()
    .transform((value): Tls => {
      if (value === undefined) return 'none';
      return typeof value === 'string' || Array.isArray(value) ? value : [value as CertificateFiles];
    });
}

/** Schema of a path to a file, or of several. */
function filePaths() {
  return z
    .union([filePath(), z.array(filePath()).min(1)])
    .transform((value): readonly string[] => (typeof value === 'string' ? [value] : value));
}

const clientCertificates = z
  .strictObject({
    ca: filePath().describe(
      'File with the authorities that sign client certificates, PEM: one or more roots, and intermediate ones. No others are trusted.',
    ),
    crl: filePaths()
      .optional()
      .describe(
        'Files with their revocation lists (CRL), PEM or DER. With this, every authority of a chain needs a list that is not past its `nextUpdate`; otherwise its clients are refused.',
      ),
    mode: z
      .enum(['required', 'optional'])
      .default('required')
      .describe(
        '`required`: no connection without a good certificate. `optional`: a client may do without one; a bad one is refused in both.',
      ),
    depth: z
      .int()
      .min(0)
      .max(10)
      .optional()
      .describe('Most intermediate authorities between the client certificate and its root.'),
  })
  .readonly();

/** Who has to show which client certificate. */
export type ClientCertificates = z.output<typeof clientCertificates>;

/** Schema of `client-certificates`; `none` asks for none, also where the listener would. */
export function clientCertificatesOption() {
  return z.union([z.literal('none'), clientCertificates]).optional();
}

/** A name that a client can ask for: exact, or `*` for one label. */
const serverName = z
  .string()
  .toLowerCase()
  .regex(
    /^(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,126}$/,
    'expected a host name, such as api.example.com or *.example.com',
  );

const listenerPair = z
  .strictObject({
    ...certificatePair.unwrap().shape,
    names: z
      .array(serverName)
      .min(1)
      .optional()
      .describe('Names that this entry serves, of those that the certificate covers. Without it: all of them.'),
    'client-certificates': clientCertificatesOption().describe(
      'Which certificates clients of these names have to show. Without it, what the listener says.',
    ),
  })
  .readonly();

/** One certificate of a listener. */
export type ListenerCertificate = z.output<typeof listenerPair>;

/** What `tls` of a listener says. */
export type ListenerTls = 'none' | 'self-signed' | readonly ListenerCertificate[];

/** Schema of `tls` of a listener. */
export function listenerTls() {
  return z
    .union([z.enum(['self-signed', 'none']), listenerPair, z.array(listenerPair).min(1)])
    .optional()
    .transform((value): ListenerTls => {
      if (value === undefined) return 'none';
      return typeof value === 'string' || Array.isArray(value) ? value : [value as ListenerCertificate];
    });
}
