import { hash } from 'node:crypto';
import { claimOf } from '../exchange/caller.ts';
import type { Caller, Exchange } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { clientOf } from './address.ts';

/** One word of `by`: what of a request makes the bucket. */
export interface Part {
  of(x: Exchange): string;
}

/** What the parts of one limit are made with. */
export interface KeyParts {
  readonly ipv6Prefix: number;
  /** What makes the route the same one after a reload. */
  readonly route: string;
}

const PLAIN = ['address', 'caller', 'api-key', 'route'];
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

/** Why these words cannot stand in `by`. */
export function keyProblem(words: readonly string[]): string | undefined {
  if (new Set(words).size < words.length) return 'the same word stands twice in `by`';
  const wrong = words.find((word) => !isWord(word));
  return wrong === undefined
    ? undefined
    : `${JSON.stringify(wrong)} is nothing to count by: write address, caller, api-key, claim:NAME, header:NAME, route, or a list of these`;
}

function isWord(word: string): boolean {
  if (word.startsWith('header:')) return TOKEN.test(word.slice(7));
  return word.startsWith('claim:') ? word.length > 6 && word.length <= 256 : PLAIN.includes(word);
}

/** True where the word is known only when the caller is. */
export function needsCaller(word: string): boolean {
  return word === 'caller' || word === 'api-key' || word.startsWith('claim:');
}

export function makePart(word: string, parts: KeyParts): Part {
  if (word === 'address') return new AddressPart(parts.ipv6Prefix);
  if (word.startsWith('header:')) return new HeaderPart(word.slice(7).toLowerCase());
  if (word === 'route') return new RoutePart(parts.route);
  return new CallerPart(callerValue(word));
}

class AddressPart implements Part {
  readonly #bits: number;

  constructor(bits: number) {
    this.#bits = bits;
  }

  of(x: Exchange): string {
    return clientOf(x.clientAddress, this.#bits);
  }
}

class RoutePart implements Part {
  readonly #key: string;

  constructor(route: string) {
    this.#key = digest(route);
  }

  of(): string {
    return this.#key;
  }
}

/** All without the field, or with more than one of it, share one bucket: leaving it out or doubling it must gain nothing. */
class HeaderPart implements Part {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  of(x: Exchange): string {
    return bounded(onlyValue(x.head.headers, this.#name));
  }
}

function onlyValue(list: HeaderList, name: string): string {
  let value: string | undefined;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] !== name) continue;
    if (value !== undefined) return '';
    value = list[i + 1];
  }
  return value ?? '';
}

/** Something of the caller. Callers are one object for each verified credential, so what was found is remembered with it. */
class CallerPart implements Part {
  readonly #value: (caller: Caller) => string;
  readonly #found = new WeakMap<Caller, string>();

  constructor(value: (caller: Caller) => string) {
    this.#value = value;
  }

  of(x: Exchange): string {
    const { caller } = x;
    if (caller === undefined) return '';
    let key = this.#found.get(caller);
    if (key === undefined) {
      // Two issuers may mean two people by one subject.
      key = `${caller.name}${bounded(this.#value(caller))}`;
      this.#found.set(caller, key);
    }
    return key;
  }
}

function callerValue(word: string): (caller: Caller) => string {
  if (word === 'caller') return (caller) => caller.subject ?? caller.key ?? '';
  if (word === 'api-key') return (caller) => caller.key ?? '';
  const name = word.slice('claim:'.length);
  return (caller) => textOf(claimOf(caller.claims, name));
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  // The string "1" and the number 1 are two values.
  return typeof value === 'string' ? value : `${typeof value} ${JSON.stringify(value)}`;
}

/** Longer values are hashed: nobody decides how much is kept of him. */
const LONGEST = 64;

/** A value that a stranger chose, so written that it can be no other one and holds nothing that separates parts of a key. */
function bounded(value: string): string {
  if (value.length > LONGEST) return `#${digest(value)}`;
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) < 0x20) return `#${digest(value)}`;
  return `=${value}`;
}

/** 132 bits of SHA-256. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22);
}
