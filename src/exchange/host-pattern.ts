import { domainToASCII } from 'node:url';
import { readHost } from './host.ts';

/** Why something that the user wrote cannot be used: one sentence for people. */
export interface Problem {
  readonly problem: string;
}

/** A host that a route is for: one name, or all names below a suffix. */
export interface HostPattern {
  /** Lower case, as in `RequestHead.host`; for a wildcard the suffix with its dot (`.example.com`). */
  readonly name: string;
  readonly wildcard: boolean;
}

/** Reads `api.example.com`, `*.example.com`, an address, or a name in Unicode. */
export function parseHost(text: string): HostPattern | Problem {
  const lower = text.toLowerCase();
  if (/^https?:/.test(lower)) return { problem: `${quote(text)} is a URL: write the host alone` };
  if (/[^:]:\d*$/.test(lower) && !lower.endsWith(']'))
    return { problem: `${quote(text)}: a host has no port here; ports belong to listeners` };
  const wildcard = lower.startsWith('*.');
  const rest = wildcard ? lower.slice(2) : lower;
  if (rest.includes('*')) return { problem: `${quote(text)}: "*" stands for whole labels at the beginning, as in *.example.com` };
  const host = readHost(toAscii(rest))?.host;
  if (host === undefined) return { problem: `${quote(text)} is not a host name` };
  return { name: wildcard ? `.${host}` : host, wildcard };
}

/** `domainToASCII` cuts a name off at what ends a host in a URL, so that it must not see such a thing. */
function toAscii(name: string): string {
  return /[^\x21-\x7e]/.test(name) && !/[\s/?#@:%\\]/.test(name) ? domainToASCII(name) : name;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
