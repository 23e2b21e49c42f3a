import { type Refusal, refuse } from './decision.ts';
import { type HostReading, readHost } from './host.ts';
import { canonicalPath, pathProblem } from './path.ts';

/** A request target after its one reading. */
export interface Target {
  readonly kind: 'target';
  /** Canonical, or `*` for `OPTIONS *`. */
  readonly path: string;
  /** Byte for byte, without the question mark; undefined when there is none. */
  readonly query: string | undefined;
  /** From an absolute-form target only. */
  readonly authority: HostReading | undefined;
  readonly scheme: 'http' | 'https' | undefined;
}

/**
 * Reads a request target (RFC 9112 section 3.2): origin form; absolute form with http or https; `*` for OPTIONS. Authority
 * form belongs to CONNECT, which a gateway does not speak. `#` is refused anywhere: who cuts the fragment off and who
 * does not match different paths (CVE-2021-32779, CVE-2023-45539).
 *
 * A query may hold any visible ASCII except `#`. Browsers send `"`, `{`, `|`, `\`, `^`, `[` and the backtick raw there, nginx,
 * haproxy and Envoy take them, and since nobody splits a query at them they have one reading. Broken escapes pass
 * too: what a query means is for `validate` and the WAF, and it goes on as it came.
 */
export function readTarget(method: string, rawTarget: string): Target | Refusal {
  if (method === 'CONNECT') return refuse('method-unknown', 'CONNECT');
  const first = rawTarget.charCodeAt(0);
  if (first === 0x2f) return readOrigin(rawTarget, undefined, undefined);
  if (rawTarget === '*') {
    return method === 'OPTIONS' ? asterisk(undefined, undefined) : refuse('target-invalid', '`*` is a target of OPTIONS only');
  }
  return readAbsolute(method, rawTarget);
}

/** Path and query; `rest` begins with a slash. */
function readOrigin(rest: string, authority: HostReading | undefined, scheme: Target['scheme']): Target | Refusal {
  const mark = rest.indexOf('?');
  const rawPath = mark < 0 ? rest : rest.slice(0, mark);
  const path = canonicalPath(rawPath);
  if (path === undefined) return refusePath(rawPath);
  if (mark < 0) return { kind: 'target', path, query: undefined, authority, scheme };
  const query = rest.slice(mark + 1);
  if (!isQuery(query)) return refuse('target-invalid', 'a byte in the query that is not visible ASCII, or `#`');
  return { kind: 'target', path, query, authority, scheme };
}

function refusePath(rawPath: string): Refusal {
  if (rawPath.includes('#')) return refuse('target-invalid', 'a fragment in the target');
  return refuse('path-ambiguous', pathProblem(rawPath) ?? 'ambiguous path');
}

function isQuery(query: string): boolean {
  for (let i = 0; i < query.length; i += 1) {
    const code = query.charCodeAt(i);
    if (code < 0x21 || code > 0x7e || code === 0x23) return false;
  }
  return true;
}

const ABSOLUTE = /^(https?):\/\/([^/?#]*)/i;

function readAbsolute(method: string, rawTarget: string): Target | Refusal {
  const match = ABSOLUTE.exec(rawTarget);
  if (match === null) return refuse('target-invalid', 'neither origin form nor absolute form with http or https');
  const scheme = match[1].toLowerCase() as 'http' | 'https';
  const authority = readHost(match[2]);
  if (authority === undefined) return refuse('target-invalid', 'an absolute target without a valid host');
  const rest = rawTarget.slice(match[0].length);
  if (rest.startsWith('/')) return readOrigin(rest, authority, scheme);
  // RFC 9112 section 3.2.4: an absolute target without path and query is how OPTIONS * travels through a proxy.
  if (rest === '' && method === 'OPTIONS') return asterisk(authority, scheme);
  if (rest.startsWith('#')) return refuse('target-invalid', 'a fragment in the target');
  return readOrigin(`/${rest}`, authority, scheme);
}

function asterisk(authority: HostReading | undefined, scheme: Target['scheme']): Target {
  return { kind: 'target', path: '*', query: undefined, authority, scheme };
}
