import type { Json } from './contract.ts';

/** Thrown out of a check whose work is beyond the bound; never leaves the engine. */
export class Exceeded extends Error {}

const EXCEEDED = new Exceeded();
/** Steps that any value may cost, and that each value inside it may cost beyond that: a union of some forty branches for each of them. */
const FREE = 30_000;
const PER_VALUE = 24;
/** How often all text may be looked through. */
const PER_TEXT = 32;
/** Visits of objects before their members are counted: nearly all values have fewer. */
const UNCOUNTED = 16;
/** Powers of two: characters of a text that are a step, and items or members that are one. */
const TEXT_BITS = 4;
const MEMBER_BITS = 2;

/**
 * Bounds the work of one check. A schema that leads back to itself by two ways, as in
 * `Tree: { anyOf: [{ properties: { next: Tree }, … }, { properties: { next: Tree }, … }] }`, doubles the work with each level of a
 * value: 64 levels would take for ever. Every step that is not constant is charged, and what a value may cost grows with its size.
 * Text has an account of its own: looking through it is cheap, and a long one must not pay for the other.
 */
export class Budget {
  #steps = 0;
  #text = 0;
  #visits = 0;
  #refilled = false;
  #value: Json = null;

  begin(value: Json): void {
    this.#steps = FREE;
    this.#text = FREE;
    this.#visits = 0;
    this.#refilled = false;
    this.#value = value;
  }

  end(): void {
    this.#value = null;
  }

  /** Called wherever one schema leads to another: what goes round by references passes here. */
  visit(): void {
    if (--this.#steps < 0) this.#refill();
  }

  /** Called before the characters, items or members of a value are looked through. */
  charge(value: unknown): void {
    if (typeof value === 'string') this.#text -= value.length >>> TEXT_BITS;
    else if (Array.isArray(value)) this.#steps -= 1 + (value.length >>> MEMBER_BITS);
    else if (typeof value === 'object' && value !== null && ++this.#visits > UNCOUNTED) this.#chargeMembers(value);
    else this.#steps--;
    if (this.#steps < 0 || this.#text < 0) this.#refill();
  }

  /** Called before all of a value, at any depth, is looked through. */
  chargeWhole(value: Json): void {
    const { values, text } = sizeOf(value);
    this.#steps -= values;
    this.#text -= text;
    if (this.#steps < 0 || this.#text < 0) this.#refill();
  }

  #chargeMembers(value: object): void {
    let members = 0;
    let text = 0;
    for (const name in value) {
      members++;
      text += name.length >>> TEXT_BITS;
    }
    this.#steps -= 1 + (members >>> MEMBER_BITS);
    this.#text -= text;
  }

  #refill(): void {
    if (this.#refilled) throw EXCEEDED;
    this.#refilled = true;
    const { values, text } = sizeOf(this.#value);
    this.#steps += values * PER_VALUE;
    this.#text += text * PER_TEXT;
    if (this.#steps < 0 || this.#text < 0) throw EXCEEDED;
  }
}

/** All values inside, and all text of them and of names. */
function sizeOf(value: Json): { readonly values: number; readonly text: number } {
  let values = 0;
  let text = 0;
  const waiting: Json[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    values++;
    if (typeof next === 'string') text += next.length >>> TEXT_BITS;
    if (typeof next !== 'object' || next === null) continue;
    for (const [name, inner] of Object.entries(next) as [string, Json][]) {
      // The index of an item is no text of the client.
      text += name.length >>> TEXT_BITS;
      waiting.push(inner);
    }
  }
  return { values, text };
}
