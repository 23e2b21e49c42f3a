import { isUtf8 } from 'node:buffer';
import { Flags } from './flags.ts';
import type { BodyBounds, Flag, FlagCode, Json } from './parsed.ts';

/** A value that another of the same name hides from most readers: the WAF looks at it too. */
export interface Shadowed {
  readonly place: string;
  readonly value: Json;
}

/** What the reader makes of JSON bytes. */
export interface JsonReading {
  /** undefined: not JSON, or beyond a bound that ends the reading. */
  readonly value: Json | undefined;
  readonly flags: readonly Flag[];
  readonly shadowed: readonly Shadowed[];
}

const NONE: readonly never[] = [];

/**
 * Reads JSON (RFC 8259) once for all rooms. Accepts exactly the grammar; objects inherit nothing, of doubled members the last counts
 * (as with nearly every reader) and a flag says so. Linear in the body; nesting is bounded before it is entered, so no input can
 * exhaust the stack (CVE-2025-11230's class).
 *
 * `JSON.parse` sees neither doubled members nor depth nor what a number was before it became a double. Having it do the work after a
 * pass that shows that there is nothing of the kind saves a tenth at most, so there is one reader only.
 */
export function readJson(body: Buffer, bounds: BodyBounds): JsonReading {
  if (!isUtf8(body)) return { value: undefined, flags: [{ code: 'utf8-invalid', place: '', at: 0 }], shadowed: NONE };
  return new JsonReader(body, bounds).read();
}

/** Ends the reading; never leaves this file. */
class Stop extends Error {}
const STOP = new Stop();

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const DOT = 0x2e;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

class JsonReader {
  readonly #body: Buffer;
  /** One character per byte, so that an offset in it is one in the body. */
  readonly #text: string;
  readonly #bounds: BodyBounds;
  readonly #flags = new Flags();
  readonly #shadowed: Shadowed[] = [];
  /** The way down to where the reader stands: names and indexes. */
  readonly #path: (string | number)[] = [];
  #at = 0;
  #keys = 0;
  #items = 0;
  #depth = 0;
  /** Escapes so far that nobody needs: of letters, digits and what else names are made of. */
  #needless = 0;

  constructor(body: Buffer, bounds: BodyBounds) {
    this.#body = body;
    this.#text = body.toString('latin1');
    this.#bounds = bounds;
  }

  read(): JsonReading {
    let value: Json | undefined;
    try {
      this.#skipBom();
      this.#skipBlanks();
      value = this.#value();
      this.#skipBlanks();
      if (this.#at !== this.#text.length) this.#stop('json-syntax');
    } catch (error) {
      if (error !== STOP) throw error;
      value = undefined;
    }
    return { value, flags: this.#flags.list, shadowed: this.#shadowed };
  }

  // ---- values

  #value(): Json {
    const c = this.#text.charCodeAt(this.#at);
    if (c === QUOTE) return this.#string();
    if (c === OPEN_OBJECT) return this.#object();
    if (c === OPEN_ARRAY) return this.#array();
    if (c === MINUS || isDigit(c)) return this.#number();
    if (c === 0x74) return this.#word('true', true);
    if (c === 0x66) return this.#word('false', false);
    if (c === 0x6e) return this.#word('null', null);
    return this.#stop('json-syntax');
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#stop('json-syntax');
    this.#at += word.length;
    return value;
  }

  #object(): Json {
    const object = new Members() as Record<string, Json>;
    this.#enter();
    this.#skipBlanks();
    if (this.#next(CLOSE_OBJECT)) return this.#leave(object);
    const depth = this.#path.push('') - 1;
    for (;;) {
      this.#member(object, depth);
      this.#skipBlanks();
      if (this.#next(CLOSE_OBJECT)) break;
      if (!this.#next(COMMA)) this.#stop('json-syntax');
      this.#skipBlanks();
    }
    this.#path.pop();
    return this.#leave(object);
  }

  #member(object: Record<string, Json>, depth: number): void {
    const at = this.#at;
    if (this.#text.charCodeAt(at) !== QUOTE) this.#stop('json-syntax');
    const needless = this.#needless;
    const name = this.#string();
    const isDisguised = this.#needless > needless;
    this.#path[depth] = name;
    if (++this.#keys > this.#bounds.keys) this.#stop('json-keys', at);
    this.#skipBlanks();
    if (!this.#next(COLON)) this.#stop('json-syntax');
    this.#skipBlanks();
    const value = this.#value();
    // One look-up tells both what comes twice and (as it inherits nothing) nothing else.
    const before = object[name];
    if (before !== undefined) this.#doubled(before, at);
    if (name === '__proto__') this.#flag('json-proto-key', at);
    // No writer of JSON does so, and V8 may read another name: one that it met before, with a backslash where the escape begins
    // (after `{"a":1,"ad\\u0":2}`, V8 13.6 reads `{"a":1,"ad\u006din":2}` as the same again). Others are fooled when they search bytes.
    if (isDisguised) this.#flag('json-escaped-name', at);
    object[name] = value;
  }

  #doubled(before: Json, at: number): void {
    this.#flag('json-duplicate-key', at);
    this.#shadowed.push({ place: this.#pointer(), value: before });
  }

  #array(): Json {
    const array: Json[] = [];
    this.#enter();
    this.#skipBlanks();
    if (this.#next(CLOSE_ARRAY)) return this.#leave(array);
    const depth = this.#path.push(0) - 1;
    for (;;) {
      this.#path[depth] = array.length;
      if (++this.#items > this.#bounds.items) this.#stop('json-items');
      array.push(this.#value());
      this.#skipBlanks();
      if (this.#next(CLOSE_ARRAY)) break;
      if (!this.#next(COMMA)) this.#stop('json-syntax');
      this.#skipBlanks();
    }
    this.#path.pop();
    return this.#leave(array);
  }

  #enter(): void {
    if (++this.#depth > this.#bounds.depth) this.#stop('json-depth');
    this.#at++;
  }

  #leave<T extends Json>(value: T): T {
    this.#depth--;
    return value;
  }

  // ---- strings

  #string(): string {
    const from = this.#at + 1;
    const text = this.#text;
    let high = 0;
    let at = from;
    for (; ; at++) {
      const c = text.charCodeAt(at);
      if (c === QUOTE) break;
      if (c === BACKSLASH) return this.#escapedString(from, at);
      // Also the end of the text: NaN compares false, so it is asked the other way round.
      if (!(c >= 0x20)) this.#stop('json-syntax', at);
      high |= c;
    }
    this.#at = at + 1;
    const value = high < 0x80 ? text.slice(from, at) : this.#body.toString('utf8', from, at);
    this.#checkString(value, from);
    return value;
  }

  /** The rest of a string from its first backslash on. */
  #escapedString(from: number, firstEscape: number): string {
    let value = this.#body.toString('utf8', from, firstEscape);
    let plain = firstEscape;
    let at = firstEscape;
    for (;;) {
      const c = this.#text.charCodeAt(at);
      if (c === QUOTE) break;
      if (!(c >= 0x20)) this.#stop('json-syntax', at);
      if (c !== BACKSLASH) {
        at++;
        continue;
      }
      value += this.#body.toString('utf8', plain, at) + this.#escape(at);
      at = plain = at + (this.#text.charCodeAt(at + 1) === 0x75 ? 6 : 2);
    }
    value += this.#body.toString('utf8', plain, at);
    this.#at = at + 1;
    // Half of a pair is no character: readers replace it, drop it, or refuse it.
    if (!value.isWellFormed()) this.#flag('utf8-invalid', from);
    this.#checkString(value, from);
    return value;
  }

  #escape(at: number): string {
    const c = this.#text[at + 1];
    if (c === 'u') return this.#unicode(at + 2);
    const value = ESCAPES[c];
    return value ?? this.#stop('json-syntax', at);
  }

  #unicode(at: number): string {
    let code = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = hexValue(this.#text.charCodeAt(i));
      if (digit < 0) this.#stop('json-syntax', i);
      code = code * 16 + digit;
    }
    if (code === 0) this.#flag('nul', at);
    if (isNameCode(code)) this.#needless++;
    return String.fromCharCode(code);
  }

  #checkString(value: string, at: number): void {
    const { string } = this.#bounds;
    if (string !== undefined && value.length > string) this.#stop('json-string', at);
  }

  // ---- numbers

  #number(): number {
    const from = this.#at;
    if (this.#text.charCodeAt(from) === MINUS) this.#at++;
    const first = this.#text.charCodeAt(this.#at);
    if (!isDigit(first)) this.#stop('json-syntax');
    this.#at++;
    if (first !== 0x30) this.#digits();
    const whole = this.#at;
    if (this.#next(DOT)) this.#someDigits();
    if ((this.#text.charCodeAt(this.#at) | 0x20) === 0x65) this.#exponent();
    const length = this.#at - from;
    if (length > this.#bounds.number) this.#stop('json-number', from);
    // Up to 15 digits stand for themselves in a double, and so does what has only these.
    if (whole === this.#at && length <= 15) return smallInteger(this.#text, from, whole);
    return this.#judged(this.#text.slice(from, this.#at), from);
  }

  #exponent(): void {
    this.#at++;
    const sign = this.#text.charCodeAt(this.#at);
    if (sign === MINUS || sign === 0x2b) this.#at++;
    this.#someDigits();
  }

  #someDigits(): void {
    const from = this.#at;
    this.#digits();
    if (this.#at === from) this.#stop('json-syntax');
  }

  #digits(): void {
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #judged(text: string, at: number): number {
    const value = Number(text);
    if (text.length <= 15 && !EXPONENT.test(text)) return value;
    if (!Number.isFinite(value)) this.#flag('json-number', at);
    else if (losesDigits(text, value)) this.#flag('json-number-precision', at);
    return value;
  }

  // ---- the rest

  #skipBom(): void {
    if (!this.#text.startsWith('\xef\xbb\xbf')) return;
    this.#flag('bom', 0);
    this.#at = 3;
  }

  #skipBlanks(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c > 0x20 || (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09)) return;
      this.#at++;
    }
  }

  #next(c: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== c) return false;
    this.#at++;
    return true;
  }

  #flag(code: FlagCode, at: number): void {
    if (this.#flags.wants(code)) this.#flags.add(code, this.#pointer(), at);
  }

  #stop(code: FlagCode, at = this.#at): never {
    this.#flags.add(code, this.#pointer(), at);
    throw STOP;
  }

  #pointer(): string {
    return jsonPointer(this.#path);
  }
}

/**
 * Makes objects that inherit nothing. `Object.create(null)` makes dictionaries, whose members cost three times as much to write and to
 * read; these have an empty prototype without a prototype, so that nothing but their own members is ever found in them.
 */
const Members = function () {} as unknown as new () => object;
Members.prototype = Object.freeze(Object.create(null)) as object;

/** Names and indexes as a JSON Pointer (RFC 6901). */
export function jsonPointer(path: readonly (string | number)[]): string {
  let pointer = '';
  for (const part of path) pointer += `/${typeof part === 'number' ? part : part.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return pointer;
}

const ESCAPES: Readonly<Record<string, string | undefined>> = {
  __proto__: null as unknown as undefined,
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** Letters, digits, `$`, `-`, `_`. */
function isNameCode(c: number): boolean {
  const lower = c | 0x20;
  return (c > 0x40 && lower >= 0x61 && lower <= 0x7a && c < 0x80) || isDigit(c) || c === 0x24 || c === 0x2d || c === 0x5f;
}

function hexValue(c: number): number {
  if (isDigit(c)) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** At most fifteen digits with a sign, worked out without a piece of text of their own. */
function smallInteger(text: string, from: number, to: number): number {
  const negative = text.charCodeAt(from) === MINUS;
  let value = 0;
  for (let i = negative ? from + 1 : from; i < to; i++) value = value * 10 + (text.charCodeAt(i) - 0x30);
  return negative ? -value : value;
}

const EXPONENT = /[eE]/;
const SIGNIFICANT = /^-?0*\.?0*|[eE].*$|\./g;

/** Whether a number says more than a double holds: readers with other numbers would see another value. */
function losesDigits(text: string, value: number): boolean {
  const digits = text.replace(SIGNIFICANT, '').replace(/0+$/, '');
  if (digits === '') return false;
  // A number that is not nothing has become nothing.
  if (value === 0) return true;
  if (digits.length <= 15) return false;
  return digits !== value.toExponential().replace(SIGNIFICANT, '').replace(/0+$/, '') && !sameWhole(text, value);
}

/** 2^60 is exactly a double although its shortest spelling has fewer digits. */
function sameWhole(text: string, value: number): boolean {
  return /^-?\d+$/.test(text) && BigInt(text) === BigInt(value);
}
