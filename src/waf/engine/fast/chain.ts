import type { Transformation } from '../transformation.ts';
import type { ByteClasses, Word } from './byte-classes.ts';
import { EVERY_CLASS } from './byte-classes.ts';

/** One step of a chain of transformations, with the steps before it: chains that begin alike share their steps. */
export class Step {
  readonly before: Step | undefined;
  readonly transformation: Transformation;
  readonly #last: LastResult;
  /** Classes without which the step leaves a value alone. */
  readonly #triggers: Word;
  /** Classes that it may bring in. */
  readonly #introduces: Word;
  /** What it made of the value that is being judged, as long as the stamp is that value's. */
  #stamp = -1;
  #result = '';

  constructor(before: Step | undefined, transformation: Transformation, last: LastResult, classes: ByteClasses) {
    this.before = before;
    this.#last = last;
    this.transformation = transformation;
    this.#triggers = wordOf(transformation.triggers, classes);
    this.#introduces = wordOf(transformation.introduces, classes);
  }

  /** What may occur in a value behind this step, when these classes may before the chain; the same object when nothing changes. */
  possible(word: Word): Word {
    const input = this.before === undefined ? word : this.before.possible(word);
    const { low, high } = this.#triggers;
    if ((input.low & low) === 0 && (input.high & high) === 0) return input;
    const more = this.#introduces;
    return { low: input.low | more.low, high: input.high | more.high };
  }

  /** Whether this step itself may change what comes out of the steps before it. */
  acts(word: Word): boolean {
    const input = this.before === undefined ? word : this.before.possible(word);
    return (input.low & this.#triggers.low) !== 0 || (input.high & this.#triggers.high) !== 0;
  }

  /** Whether this step changed this value. */
  changed(value: string, stamp: number): boolean {
    return this.apply(value, stamp) !== (this.before === undefined ? value : this.before.apply(value, stamp));
  }

  /** The least bytes of a value of which so many can come; 0 where a step makes more of them. */
  leastInput(length: number): number {
    const { name } = this.transformation;
    if (EXPANDING.has(name)) return 0;
    const input = name === 'base64Decode' ? Math.ceil((length * 4) / 3) : length;
    return this.before === undefined ? input : this.before.leastInput(input);
  }

  /** Whether the chain up to here may change a value of these classes. */
  triggered(word: Word): boolean {
    if (this.before?.triggered(word) === true) return true;
    return (word.low & this.#triggers.low) !== 0 || (word.high & this.#triggers.high) !== 0;
  }

  /** The value behind this step. `stamp` tells values apart. */
  apply(value: string, stamp: number): string {
    if (this.#stamp === stamp) return this.#result;
    const input = this.before === undefined ? value : this.before.apply(value, stamp);
    this.#stamp = stamp;
    this.#result = this.#last.of(input);
    return this.#result;
  }
}

/** Transformations whose result may be longer than the value. */
const EXPANDING = new Set(['utf8toUnicode', 'hexEncode', 'base64Encode', 'urlEncode', 'sha1', 'md5', 'length']);

/** Whether anything can be said; a table that says nothing stands for every class. */
function wordOf(table: Uint8Array | undefined, classes: ByteClasses): Word {
  if (table === undefined) return EVERY_CLASS;
  const set = new Uint32Array(8);
  for (let byte = 0; byte < 256; byte++) if (table[byte] === 1) set[byte >>> 5] |= 1 << (byte & 31);
  return classes.maskOf(set);
}

/** A transformation with what it made last: chains that differ only in steps which change nothing ask it for the same again. */
class LastResult {
  readonly #transformation: Transformation;
  #input = '';
  #output = '';

  constructor(transformation: Transformation) {
    this.#transformation = transformation;
    this.#output = transformation.apply('');
  }

  of(input: string): string {
    if (input === this.#input) return this.#output;
    this.#input = input;
    this.#output = this.#transformation.apply(input);
    return this.#output;
  }
}

/** Makes chains such that equal beginnings are one object. */
export class Chains {
  readonly #classes: ByteClasses;
  readonly #steps = new Map<string, Step>();
  readonly #results = new Map<string, LastResult>();

  constructor(classes: ByteClasses) {
    this.#classes = classes;
  }

  /** The last step of this chain; undefined for the empty one. */
  of(transformations: readonly Transformation[]): Step | undefined {
    let key = '';
    let last: Step | undefined;
    for (const transformation of transformations) {
      key += ` ${transformation.name}`;
      last = this.#steps.get(key) ?? this.#add(key, last, transformation);
    }
    return last;
  }

  #add(key: string, before: Step | undefined, transformation: Transformation): Step {
    const last = this.#results.get(transformation.name) ?? new LastResult(transformation);
    this.#results.set(transformation.name, last);
    const step = new Step(before, transformation, last, this.#classes);
    this.#steps.set(key, step);
    return step;
  }
}
