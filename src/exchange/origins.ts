import type { Exchange } from './exchange.ts';
import type { HeaderList } from './headers.ts';
import { type Problem, parseHost } from './host-pattern.ts';

/** An allowed origin as the user wrote it: one, all below a domain, or every one. */
export type OriginPattern =
  | { readonly kind: 'any' }
  | { readonly kind: 'exact'; readonly origin: string }
  | { readonly kind: 'below'; readonly prefix: string; readonly suffix: string };

const SCHEME_AND_REST = /^([a-z][a-z0-9+.-]{0,31}):\/\/([^/?#@\s\\]{1,260})$/i;

/** Reads `https://app.example.com`, `https://*.example.com`, `null` or `*`. */
export function parseOrigin(text: string): OriginPattern | Problem {
  if (text === '*') return { kind: 'any' };
  if (text === 'null') return { kind: 'exact', origin: text };
  const match = SCHEME_AND_REST.exec(text);
  if (match === null)
    return { problem: `${JSON.stringify(text)} is not an origin: write scheme and host, such as https://app.example.com` };
  const scheme = match[1].toLowerCase();
  if (match[2].includes('*')) return parseBelow(text, scheme, match[2]);
  if (scheme !== 'http' && scheme !== 'https') return { kind: 'exact', origin: `${scheme}://${match[2]}` };
  if (!URL.canParse(text)) return { problem: `${JSON.stringify(text)} is not an origin` };
  return { kind: 'exact', origin: new URL(text).origin };
}

function parseBelow(text: string, scheme: string, rest: string): OriginPattern | Problem {
  const match = /^(\*\.[^:]+)(:\d{1,5})?$/.exec(rest);
  const host = match === null ? undefined : parseHost(match[1]);
  if (match === null || host === undefined || 'problem' in host) {
    return {
      problem: `${JSON.stringify(text)}: "*" stands for whole labels at the beginning of the host, as in https://*.example.com`,
    };
  }
  const port = `${scheme}${match[2] ?? ''}` === 'https:443' || `${scheme}${match[2] ?? ''}` === 'http:80' ? '' : (match[2] ?? '');
  return { kind: 'below', prefix: `${scheme}://`, suffix: `${host.name}${port}` };
}

/** The patterns of texts that the schema has checked. */
export function readOrigins(texts: readonly string[]): OriginPattern[] {
  return texts.map((text) => {
    const pattern = parseOrigin(text);
    if ('problem' in pattern) throw new Error(pattern.problem);
    return pattern;
  });
}

/** The origins that a route allows. */
export class OriginSet {
  readonly any: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #below: readonly { prefix: string; suffix: string }[];

  constructor(patterns: readonly OriginPattern[]) {
    this.any = patterns.some(({ kind }) => kind === 'any');
    this.#exact = new Set(patterns.flatMap((pattern) => (pattern.kind === 'exact' ? [pattern.origin] : [])));
    this.#below = patterns.filter((pattern) => pattern.kind === 'below');
  }

  /** Whether `origin`, as a browser serialises it, is in the set. */
  allows(origin: string): boolean {
    if (origin === '') return false;
    if (this.any || this.#exact.has(origin)) return true;
    return this.#below.some(({ prefix, suffix }) => isBelow(origin, prefix, suffix));
  }
}

/** Nothing but labels may stand where the `*` is: `https://evil.example/.example.com` is no subdomain. */
function isBelow(origin: string, prefix: string, suffix: string): boolean {
  if (origin.length <= prefix.length + suffix.length || !origin.startsWith(prefix) || !origin.endsWith(suffix)) return false;
  const labels = origin.slice(prefix.length, -suffix.length);
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(labels);
}

/**
 * The `Origin` of a request: undefined when there is none. Two fields, or an empty one, are no origin that anybody
 * could allow: that is the empty string.
 */
export function readOrigin(headers: HeaderList): string | undefined {
  let origin: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'origin') continue;
    if (origin !== undefined) return '';
    origin = headers[i + 1];
  }
  return origin;
}

/** Scheme, host and perhaps a port, as browsers write an origin (RFC 6454 section 6.2); a list of several is none. */
const SERIALISED = /^[a-z][a-z0-9+.-]{0,31}:\/\/[a-z0-9._~:[\]-]{1,260}$/;

/** True for what a browser can have sent as `Origin`, `null` among it. */
export function isOrigin(text: string): boolean {
  return text === 'null' || SERIALISED.test(text);
}

/** The origin that pages of this very host have: what the client asked for, of a trusted proxy too, without the usual port. */
export function ownOrigin(x: Exchange): string {
  const usual = x.clientScheme === 'https' ? ':443' : ':80';
  const authority = x.clientHost ?? x.head.authority;
  return `${x.clientScheme}://${authority.endsWith(usual) ? authority.slice(0, -usual.length) : authority}`;
}
