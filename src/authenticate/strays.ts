import type { RequestHead } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import type { Method } from './method.ts';

/**
 * Credentials that stand where none is taken from, beside the one that is. A service that reads them there sees another caller than the
 * gateway does; a URL with a key in it is in logs, histories and Referer fields; and what the gateway takes off at the front would go on at
 * the side.
 */
export class Strays {
  /** Names of parameters and cookies that say "key" to a service, without what is no letter or digit. */
  readonly #names: ReadonlySet<string>;
  readonly #shortest: number;
  readonly #holders: readonly Method[];

  private constructor(methods: readonly Method[]) {
    this.#names = new Set(methods.flatMap(({ place }) => (place.kind === 'header' ? namesLike(place.name) : [])));
    this.#shortest = Math.min(...[...this.#names].map(({ length }) => length));
    this.#holders = methods.filter(({ holds }) => holds !== undefined);
  }

  /** undefined: the methods have no key that could stand elsewhere. */
  static of(methods: readonly Method[]): Strays | undefined {
    return methods.some(({ place }) => place.kind === 'header') ? new Strays(methods) : undefined;
  }

  /** Whether the request has a key in its target or in a field other than `taken`, by what it is or by what it is called. */
  in(head: RequestHead, taken: string | undefined): boolean {
    const { query, path, headers } = head;
    if (query !== undefined && (this.#named(query, isQueryMark) || this.#held(query))) return true;
    return this.#held(path) || this.#inFields(headers, taken);
  }

  #inFields(headers: HeaderList, taken: string | undefined): boolean {
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      const value = headers[i + 1];
      if (name === taken) continue;
      if (this.#held(value)) return true;
      if (name === 'cookie' && this.#named(value, isCookieMark)) return true;
      if (name === 'authorization' && BASIC.test(value) && this.#held(Buffer.from(value.slice(6), 'base64').toString('latin1')))
        return true;
    }
    return false;
  }

  #held(text: string): boolean {
    if (text.length < SHORTEST_KEY || this.#holders.length === 0) return false;
    const plain = text.includes('%') ? unescape(text) : text;
    for (const method of this.#holders) if (method.holds?.(plain) === true) return true;
    return false;
  }

  /** Linear. Pieces are looked at without being cut out as long as they are too short for any of the names. */
  #named(text: string, isMark: (code: number) => boolean): boolean {
    let from = 0;
    for (let at = 0; at <= text.length; at++) {
      if (at < text.length && !isMark(text.charCodeAt(at))) continue;
      if (at - from >= this.#shortest && this.#names.has(plainName(text.slice(from, at)))) return true;
      from = at + 1;
    }
    return false;
  }
}

/** What can be told by its form is no shorter. */
const SHORTEST_KEY = 32;

const BASIC = /^basic /i;
/** `&`; old readers split a query at `;` too, and a second `?` is for some the beginning of another. */
const isQueryMark = (code: number): boolean => code === 0x26 || code === 0x3b || code === 0x3f;
/** `;` and `,` */
const isCookieMark = (code: number): boolean => code === 0x3b || code === 0x2c;

/** The name of the header with and without its `X-`, and what such a parameter is mostly called. */
function namesLike(header: string): string[] {
  return [header, header.replace(/^x-(?=.*(?:key|token|secret))/i, ''), 'api-key', 'x-api-key']
    .map(lettersOf)
    .filter((name) => name !== '');
}

/** `X-API-Key`, `api_key`, `apiKey[]`, `api%5Fkey` and `api key` are one name to some reader. */
function plainName(piece: string): string {
  const equals = piece.indexOf('=');
  const name = unescape(equals < 0 ? piece : piece.slice(0, equals));
  const bracket = name.indexOf('[');
  return lettersOf(bracket > 0 ? name.slice(0, bracket) : name);
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '');
}

/** Percent-decoding that leaves what is malformed: bytes become characters. What is sought is ASCII. */
export function unescape(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
