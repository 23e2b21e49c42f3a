import { BlockList, isIP, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { type Refusal, refuse } from './decision.ts';
import { type HeaderList, headerValues } from './headers.ts';
import { readHost } from './host.ts';

/** The client as the proxies in front of us tell it. */
export interface ClientView {
  readonly kind: 'client';
  readonly address: string;
  /** undefined: nobody trusted said, the connection tells. */
  readonly scheme: 'http' | 'https' | undefined;
  /** Host and port that the client asked the first proxy for; undefined: as in the request. */
  readonly host: string | undefined;
}

/** One spelling for each address: IPv6 as in RFC 5952, IPv4-mapped ones as IPv4; undefined when it is not an address. No zones. */
export function normaliseAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (isIP(text) !== 6 || text.includes('%')) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}

/** The proxies whose word about the client counts (`trusted-proxies`). */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly any: boolean;

  /** Takes addresses and CIDR ranges that {@link isAddressRange} accepts. */
  constructor(ranges: readonly string[]) {
    this.any = ranges.length > 0;
    for (const range of ranges) addRange(this.#list, range);
  }

  /** `address` is normalised. */
  has(address: string): boolean {
    return this.any && this.#list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  }
}

const RANGE = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/;

/** True for `10.0.0.0/8`, `192.0.2.1`, `2001:db8::/32`, `::1`. */
export function isAddressRange(text: string): boolean {
  const match = RANGE.exec(text);
  const address = match === null ? undefined : normaliseAddress(match[1]);
  if (match === null || address === undefined) return false;
  const written = isIP(match[1]) === 4 ? 32 : 128;
  const least = written === 128 && isIPv4(address) ? 96 : 0;
  return match[2] === undefined || (Number(match[2]) <= written && Number(match[2]) >= least);
}

function addRange(list: BlockList, range: string): void {
  const [address, bits] = range.split('/');
  const mapped = normaliseAddress(address);
  if (mapped === undefined) throw new RangeError(`${range} is not an address or a range`);
  const family = isIPv4(mapped) ? 'ipv4' : 'ipv6';
  // `::ffff:10.0.0.0/104` is `10.0.0.0/8`: addresses are compared after they were normalised.
  const prefix = bits === undefined ? undefined : Number(bits) - (family === 'ipv4' && address.includes(':') ? 96 : 0);
  if (prefix === undefined) list.addAddress(mapped, family);
  else list.addSubnet(mapped, prefix, family);
}

/** More proxies than any client really comes through; bounds the work that a long list can cause. */
const MOST_HOPS = 32;

/**
 * Who the client is. Only a trusted peer is believed, and of its list only as much as trusted proxies wrote: from the right, the first
 * address that is not trusted is the client. Whatever stands left of it, the client may have written itself. A hop that is
 * not an address ends the walk at the last one that was.
 *
 * `X-Forwarded-For` and `Forwarded` may both be there if they say the same. A proxy writes one of them and passes
 * the other on as the client sent it, and which one cannot be told: when they differ, one is forged, and the request is refused.
 */
export function resolveClient(peerAddress: string, headers: HeaderList, trusted: TrustedProxies): ClientView | Refusal {
  if (!trusted.has(peerAddress)) return { kind: 'client', address: peerAddress, scheme: undefined, host: undefined };
  const listed = headerValues(headers, 'x-forwarded-for');
  const structured = headerValues(headers, 'forwarded');
  const plain = viewOfPlain(peerAddress, listed, headers, trusted);
  if (structured.length === 0) return plain;
  const elements = readForwarded(structured.join(','));
  if (elements === undefined) return refuse('header-invalid', 'a trusted proxy sent a malformed Forwarded');
  const view = viewOfForwarded(peerAddress, elements, trusted);
  const differ =
    (listed.length > 0 && plain.address !== view.address) ||
    disagree(plain.scheme, view.scheme) ||
    disagree(plain.host, view.host);
  if (differ) return refuse('header-invalid', 'Forwarded and X-Forwarded-* disagree');
  return { kind: 'client', address: view.address, scheme: view.scheme ?? plain.scheme, host: view.host ?? plain.host };
}

function disagree(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function viewOfPlain(peer: string, listed: readonly string[], headers: HeaderList, trusted: TrustedProxies): ClientView {
  const hops = listed.length === 0 ? [] : listed.join(',').split(',');
  const walk = walkHops(peer, hops, trusted);
  return {
    kind: 'client',
    address: walk.address,
    scheme: readScheme(headerValues(headers, 'x-forwarded-proto')),
    host: readForwardedHost(headerValues(headers, 'x-forwarded-host')),
  };
}

/** Goes from the right to the first address that is not trusted; `index` is its place in `hops`. */
function walkHops(
  peer: string,
  hops: readonly (string | undefined)[],
  trusted: TrustedProxies,
): { address: string; index: number } {
  let address = peer;
  let index = hops.length;
  for (let steps = 0; index > 0 && steps < MOST_HOPS && trusted.has(address); steps += 1) {
    const next = readHop(hops[index - 1] ?? '');
    if (next === undefined) break;
    address = next;
    index -= 1;
  }
  return { address, index };
}

// Some load balancers add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
const V4_PORT = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/;
const V6_BRACKETS = /^\[([0-9a-fA-F:.]+)\](?::\d{1,5})?$/;

function readHop(written: string): string | undefined {
  const text = written.trim();
  if (text.length > 64) return undefined;
  const match = V4_PORT.exec(text) ?? V6_BRACKETS.exec(text);
  return normaliseAddress(match === null ? text : match[1]);
}

/** One value only: of a list nobody can tell which proxy wrote what. */
function readScheme(values: readonly (string | undefined)[]): 'http' | 'https' | undefined {
  const scheme = values.length === 1 ? values[0]?.trim().toLowerCase() : undefined;
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

function readForwardedHost(values: readonly (string | undefined)[]): string | undefined {
  return values.length === 1 && values[0] !== undefined ? readHost(values[0])?.authority : undefined;
}

function viewOfForwarded(peer: string, elements: readonly ReadonlyMap<string, string>[], trusted: TrustedProxies): ClientView {
  const walk = walkHops(
    peer,
    elements.map((element) => element.get('for')),
    trusted,
  );
  const element = elements[walk.index];
  return {
    kind: 'client',
    address: walk.address,
    scheme: readScheme([element?.get('proto')]),
    host: readForwardedHost([element?.get('host')]),
  };
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/** The elements of a `Forwarded` (RFC 7239 section 4), names in lower case; undefined when it is malformed or names something twice. */
export function readForwarded(value: string): ReadonlyMap<string, string>[] | undefined {
  const elements: Map<string, string>[] = [];
  let element = new Map<string, string>();
  let at = skipBlanks(value, 0);
  while (at < value.length) {
    const pair = readPair(value, at);
    if (pair === undefined || element.has(pair.name)) return undefined;
    element.set(pair.name, pair.value);
    at = skipBlanks(value, pair.end);
    const mark = value[at];
    if (mark === undefined) break;
    if (mark !== ',' && mark !== ';') return undefined;
    if (mark === ',') {
      elements.push(element);
      element = new Map();
    }
    at = skipBlanks(value, at + 1);
    if (at >= value.length) return undefined;
  }
  elements.push(element);
  return elements;
}

function readPair(value: string, from: number): { name: string; value: string; end: number } | undefined {
  TOKEN.lastIndex = from;
  const name = TOKEN.exec(value)?.[0].toLowerCase();
  if (name === undefined || value[from + name.length] !== '=') return undefined;
  const start = from + name.length + 1;
  const pattern = value[start] === '"' ? QUOTED : TOKEN;
  pattern.lastIndex = start;
  const match = pattern.exec(value);
  if (match === null) return undefined;
  const text = match[1] === undefined ? match[0] : match[1].replace(/\\(.)/g, '$1');
  return { name, value: text, end: pattern.lastIndex };
}

function skipBlanks(value: string, from: number): number {
  let at = from;
  while (value[at] === ' ' || value[at] === '\t') at += 1;
  return at;
}
