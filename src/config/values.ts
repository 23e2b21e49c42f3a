import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * The small values that users write, as texts and as what they mean. Their schemas stand in `units.ts`: what serves has no use for these,
 * and the library behind them takes memory.
 */

export const SIZE = /^(\d{1,15})(B|KiB|MiB|GiB)?$/;
const SIZE_UNITS: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** `16KiB`, `1MiB`, or plain bytes → bytes. */
export function parseSize(text: string | number): number | undefined {
  const match = SIZE.exec(String(text));
  if (match === null) return undefined;
  const bytes = Number(match[1]) * SIZE_UNITS[match[2] ?? 'B'];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export const DURATION = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;
const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `250ms`, `1.5s`, `5m`, `24h`, `7d` → milliseconds. A bare number is refused: nobody can tell its unit. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const ms = Math.round(Number(match[1]) * DURATION_UNITS[match[2]]);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** Where to listen. `host` is an IP address (without brackets) or `localhost`; port 0 lets the system choose. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:8080`, `[::1]:8443` or `localhost:8080` → host and port. */
export function parseAddress(text: string): Address | undefined {
  const colon = text.lastIndexOf(':');
  const port = text.slice(colon + 1);
  if (colon < 1 || !/^\d{1,5}$/.test(port) || Number(port) > 65535) return undefined;
  const written = text.slice(0, colon);
  const bracketed = written.startsWith('[') && written.endsWith(']');
  const host = bracketed ? written.slice(1, -1) : written.toLowerCase();
  const known = bracketed ? isIPv6(host) && !host.includes('%') : isIPv4(host) || host === 'localhost';
  return known ? { host, port: Number(port) } : undefined;
}

/** The address as it is written in the configuration. */
export function formatAddress(address: Address): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** True when only programs on the same machine can reach this host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

// `check` also knows ::ffff:127.0.0.1 and every spelling of ::1.
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
