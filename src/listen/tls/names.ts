import type { X509Certificate } from 'node:crypto';

/** One name of a subjectAltName as Node prints it; values with odd characters come as JSON strings (CVE-2021-44532). */
const GENERAL_NAME = /(?:^|, )([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^",]*)/g;

/** The host names and addresses that a certificate is for: from subjectAltName, from CN only where that has no DNS name. */
export function certificateNames(certificate: X509Certificate): { dns: string[]; addresses: string[] } {
  const dns: string[] = [];
  const addresses: string[] = [];
  for (const [, type, value] of (certificate.subjectAltName ?? '').matchAll(GENERAL_NAME)) {
    if (value.startsWith('"')) continue;
    if (type === 'DNS') dns.push(canonicalName(value));
    else if (type === 'IP Address') addresses.push(value);
  }
  if (dns.length === 0 && addresses.length === 0) dns.push(...commonNames(certificate));
  return { dns: [...new Set(dns)], addresses };
}

function commonNames(certificate: X509Certificate): string[] {
  const common = certificate.toLegacyObject().subject?.CN as string | string[] | undefined;
  if (common === undefined) return [];
  return [common]
    .flat()
    .map(canonicalName)
    .filter((name) => HOST_NAME.test(name));
}

/** Letters, digits, hyphens, underscores; internationalised names only as `xn--`. One `*` label may stand in front. */
const HOST_NAME = /^(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,126}$/;

/** Host names compare without case and without the root's dot. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/** Finds what stands for a server name: the exact name wins, then a wildcard over exactly one label (RFC 9525 section 6.3). */
export class NameTable<T> {
  readonly #exact = new Map<string, T>();
  /** Keyed by the rest with its dot: `*.example.com` is `.example.com`. */
  readonly #wildcard = new Map<string, T>();

  /** False when the name is none that a client can ask for. The last one set wins. */
  set(name: string, value: T): boolean {
    if (!HOST_NAME.test(name)) return false;
    if (name.startsWith('*.')) this.#wildcard.set(name.slice(1), value);
    else this.#exact.set(name, value);
    return true;
  }

  find(serverName: string): T | undefined {
    const name = canonicalName(serverName);
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot > 0 ? this.#wildcard.get(name.slice(dot)) : undefined;
  }
}
