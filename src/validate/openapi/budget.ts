import type { Json } from './contract.ts';

/** Thrown out of a check whose work is beyond the bound; never leaves the engine. */
export class Exceeded extends Error {}

const EXCEEDED = new Exceeded();
/** What any value may cost, and what each of its parts may cost beyond that. */
const FREE = 20_000;
const PER_PART = 50;
/** Visits of objects before their members are counted: nearly all values have fewer. */
const UNCOUNTED = 16;
/** Characters that count as one part, as a power of two. */
const TEXT_BITS = 4;

/**
 * Bounds the work of one check. A schema that leads back to itself by two ways, as in
 * `Tree: { anyOf: [{ properties: { next: Tree }, … }, { properties: { next: Tree }, … }] }`, doubles the work with each level of a
 * value: 64 levels would take for ever. Every step that is not constant is charged, and what a value may cost grows with its size.
 */
export class Budget {
  #left = 0;
  #visits = 0;
  #refilled = false;
  #value: Json = null;

  begin(value: Json): void {
    this.#left = FREE;
    this.#visits = 0;
    this.#refilled = false;
    this.#value = value;
  }

  end(): void {
    this.#value = null;
  }

  /** Called wherever one schema leads to another: what goes round by references passes here. */
  visit(): void {
    if (--this.#left < 0) this.#refill();
  }

  /** Called before all of a value, at any depth, is looked through. */
  chargeWhole(value: Json): void {
    this.#left -= parts(value);
    if (this.#left < 0) this.#refill();
  }

  /** Called before the characters, items or members of a value are looked through. */
  charge(value: unknown): void {
    if (typeof value === 'string') this.#left -= 1 + (value.length >>> TEXT_BITS);
    else if (Array.isArray(value)) this.#left -= 1 + value.length;
    else this.#left -= typeof value === 'object' && value !== null && ++this.#visits > UNCOUNTED ? sizeOf(value) : 1;
    if (this.#left < 0) this.#refill();
  }

  #refill(): void {
    if (this.#refilled) throw EXCEEDED;
    this.#refilled = true;
    this.#left += parts(this.#value) * PER_PART;
    if (this.#left < 0) throw EXCEEDED;
  }
}

function sizeOf(value: object): number {
  let size = 1;
  for (const name in value) size += 1 + (name.length >>> TEXT_BITS);
  return size;
}

/** All values inside, with long texts. */
function parts(value: Json): number {
  let count = 0;
  const waiting: Json[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    count++;
    if (typeof next === 'string') count += next.length >>> TEXT_BITS;
    else if (typeof next === 'object' && next !== null) for (const child of Object.values(next) as Json[]) waiting.push(child);
  }
  return count;
}
