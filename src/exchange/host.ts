import { isIPv4, isIPv6 } from 'node:net';

/** A host that has exactly one reading. */
export interface HostReading {
  /** Lower case, without port and without a trailing dot; an IPv6 address in brackets and in its RFC 5952 form. */
  readonly host: string;
  /** `host`, followed by `:port` when the client wrote one. */
  readonly authority: string;
  readonly port: number | undefined;
}

const LABEL = 1;
const DOT = 2;
const UPPER = 3;

/** Letters, digits, hyphen; and the underscore, which names of containers and of DNS services carry. No sub-delims, no `%`. */
const KIND = new Uint8Array(128);
for (const char of 'abcdefghijklmnopqrstuvwxyz0123456789-_') KIND[char.charCodeAt(0)] = LABEL;
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') KIND[char.charCodeAt(0)] = UPPER;
KIND[0x2e] = DOT;

/**
 * Reads the value of `Host`, of `:authority`, or the authority of an absolute-form target. Stricter than RFC 3986: what a
 * resolver, a cache or a service could take for another host is undefined, that is refused (CVE-2026-55602).
 */
export function readHost(value: string): HostReading | undefined {
  if (value === lastValue) return lastReading;
  lastReading = readAnew(value);
  lastValue = value;
  return lastReading;
}

// Request after request asks for the same host: one remembered reading spares most of them the work. It depends on the value alone.
let lastValue = '';
let lastReading: HostReading | undefined;

function readAnew(value: string): HostReading | undefined {
  if (value.length === 0 || value.length > 255) return undefined;
  if (value.charCodeAt(0) === 0x5b) return readBracketed(value);
  const end = nameEnd(value);
  if (end <= 0) return undefined;
  const port = end === value.length ? undefined : readPort(value, end + 1);
  if (port === 0) return undefined;
  const host = readName(value.slice(0, end));
  if (host === undefined) return undefined;
  const authority = port === undefined ? host : host.length === end ? value.toLowerCase() : `${host}:${port}`;
  return { host, authority, port };
}

/** True when both name the same host and port, a missing port being that of the scheme (RFC 9113 section 8.3.1). */
export function sameAuthority(a: HostReading, b: HostReading, secure: boolean): boolean {
  const usual = secure ? 443 : 80;
  return a.host === b.host && (a.port ?? usual) === (b.port ?? usual);
}

/** Where the name ends: at the colon or at the end of the value; -1 when a label is empty, too long, or holds something odd. */
function nameEnd(value: string): number {
  let label = 0;
  for (let i = 0; i < value.length; i += 1) {
    const code = value.charCodeAt(i);
    if (code === 0x3a) return i;
    const kind = KIND[code];
    if (!kind) return -1;
    if (kind === DOT) {
      if (label === 0) return -1;
      label = 0;
    } else {
      label += 1;
      if (label > 63) return -1;
    }
  }
  return value.length;
}

// The last label decides whether a host is read as an IPv4 address (WHATWG URL, inet_aton: `127.1`, `0x7f000001`).
const NUMERIC_END = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

function readName(written: string): string | undefined {
  const lower = written.toLowerCase();
  const host = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (host.length > 253) return undefined;
  // Only what begins like a number can end like one and be an address; the test is cheap and spares most hosts the pattern.
  const last = host.charCodeAt(host.length - 1);
  const mayBeNumber = (last >= 0x30 && last <= 0x39) || (last >= 0x61 && last <= 0x66) || last === 0x78;
  if (mayBeNumber && NUMERIC_END.test(host) && (!isIPv4(host) || host !== lower)) return undefined;
  return host;
}

function readBracketed(value: string): HostReading | undefined {
  const close = value.indexOf(']');
  const text = value.slice(1, close);
  // No zone: it means something on one machine only. No IPvFuture: nobody speaks it.
  if (close < 0 || !isIPv6(text) || text.includes('%')) return undefined;
  const host = new URL(`http://[${text}]/`).hostname;
  if (close === value.length - 1) return { host, authority: host, port: undefined };
  if (value.charCodeAt(close + 1) !== 0x3a) return undefined;
  const port = readPort(value, close + 2);
  return port === 0 ? undefined : { host, authority: `${host}:${port}`, port };
}

/** 1 to 65535 without leading zeros, or 0 when it is not that. */
function readPort(value: string, from: number): number {
  const length = value.length - from;
  if (length < 1 || length > 5 || value.charCodeAt(from) === 0x30) return 0;
  let port = 0;
  for (let i = from; i < value.length; i += 1) {
    const digit = value.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return 0;
    port = port * 10 + digit;
  }
  return port > 65535 ? 0 : port;
}
