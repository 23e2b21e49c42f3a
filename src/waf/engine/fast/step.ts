import type { Transformation } from '../transformation.ts';
import { type ByteClasses, EVERY_CLASS, type Word } from './byte-classes.ts';
import { markedBytes } from './requirement.ts';

/** One transformation with what it does to classes of bytes. */
export interface Step {
  readonly transformation: Transformation;
  /** It may change any value, the empty one too. */
  readonly always: boolean;
  /** Otherwise: without any of these classes it leaves a value alone. */
  readonly triggers: Word;
  /** Classes that it may bring in. */
  readonly introduces: Word;
}

/** Makes steps; the same transformation is the same step. */
export class Steps {
  readonly #classes: ByteClasses;
  readonly #known = new Map<Transformation, Step>();

  constructor(classes: ByteClasses) {
    this.#classes = classes;
  }

  of(transformation: Transformation): Step {
    const known = this.#known.get(transformation);
    if (known !== undefined) return known;
    const { triggers, introduces } = transformation;
    const step = {
      transformation,
      always: triggers === undefined,
      triggers: wordOf(triggers, this.#classes),
      introduces: wordOf(introduces, this.#classes),
    };
    this.#known.set(transformation, step);
    return step;
  }
}

/** A table that says nothing stands for every class. */
function wordOf(table: Uint8Array | undefined, classes: ByteClasses): Word {
  if (table === undefined) return EVERY_CLASS;
  return classes.maskOf(markedBytes(table));
}

/** Whether a step may change a value of these classes. */
export function acts({ always, triggers }: Step, word: Word): boolean {
  return always || (word.low & triggers.low) !== 0 || (word.high & triggers.high) !== 0;
}

/** What may occur behind these steps, when these classes may before. */
export function possibleBehind(steps: readonly Step[], word: Word): Word {
  let possible = word;
  for (const step of steps) {
    if (!acts(step, possible)) continue;
    possible = { low: possible.low | step.introduces.low, high: possible.high | step.introduces.high };
  }
  return possible;
}

/** Transformations whose result may be longer than the value. */
const EXPANDING = new Set(['utf8toUnicode', 'hexEncode', 'base64Encode', 'urlEncode', 'sha1', 'md5', 'length', 'sqlHexDecode']);

/** The least bytes of a value of which so many can come behind these steps; 0 where a step makes more of them. */
export function leastBefore(steps: readonly Step[], length: number): number {
  return steps.reduceRight((least, { transformation: { name } }) => {
    if (EXPANDING.has(name)) return 0;
    return name === 'base64Decode' ? Math.ceil((least * 4) / 3) : least;
  }, length);
}
