/** So many classes that a word of them fits exactly into a number: 31 bits and 21 more. */
const MOST_CLASSES = 52;
const LOW_BITS = 31;

/**
 * Maps bytes to classes, such that what formulas and transformations tell apart is told apart as far as 52 classes can. The classes that
 * occur in a value are its word: two integers, found in one pass.
 */
export class ByteClasses {
  /** The bit of a byte's class, in the first integer and in the second. */
  readonly low = new Int32Array(256);
  readonly high = new Int32Array(256);

  /** @param sets - sets of bytes (256 bits in eight words) that matter; one that comes more often matters more */
  constructor(sets: readonly Uint32Array[]) {
    const classes = mergeClasses(atomsOf(sets));
    classes.forEach(({ bytes }, i) => {
      for (const byte of bytes) {
        this.low[byte] = i < LOW_BITS ? 1 << i : 0;
        this.high[byte] = i < LOW_BITS ? 0 : 1 << (i - LOW_BITS);
      }
    });
  }

  /** All classes that hold one of these bytes. */
  maskOf(set: Uint32Array): Word {
    let low = 0;
    let high = 0;
    for (let byte = 0; byte < 256; byte++) {
      if (((set[byte >>> 5] >>> (byte & 31)) & 1) === 0) continue;
      low |= this.low[byte];
      high |= this.high[byte];
    }
    return { low, high };
  }
}

/** A set of classes. */
export interface Word {
  readonly low: number;
  readonly high: number;
}

export const EVERY_CLASS: Word = { low: 0x7fffffff, high: (1 << (MOST_CLASSES - LOW_BITS)) - 1 };

/** A word as one number, to look things up by. */
export function wordKey(low: number, high: number): number {
  return high * 0x80000000 + low;
}

interface ByteClass {
  readonly bytes: readonly number[];
  /** For each distinct set: whether it holds one of the bytes. */
  readonly inside: readonly boolean[];
}

interface Atoms {
  readonly classes: readonly ByteClass[];
  readonly weights: readonly number[];
}

/** Bytes that no set tells apart are one class. */
function atomsOf(sets: readonly Uint32Array[]): Atoms {
  const distinct = new Map<string, { set: Uint32Array; weight: number }>();
  for (const set of sets) {
    const key = set.join();
    const known = distinct.get(key);
    if (known === undefined) distinct.set(key, { set, weight: 1 });
    else known.weight++;
  }
  const all = [...distinct.values()];
  const classes = new Map<string, { bytes: number[]; inside: boolean[] }>();
  for (let byte = 0; byte < 256; byte++) {
    const inside = all.map(({ set }) => ((set[byte >>> 5] >>> (byte & 31)) & 1) === 1);
    const key = inside.map(Number).join('');
    const known = classes.get(key);
    if (known === undefined) classes.set(key, { bytes: [byte], inside });
    else known.bytes.push(byte);
  }
  return { classes: [...classes.values()], weights: all.map(({ weight }) => weight) };
}

/** Brings those together that the fewest sets tell apart, until there are few enough. */
function mergeClasses({ classes, weights }: Atoms): readonly ByteClass[] {
  const left = [...classes];
  while (left.length > MOST_CLASSES) {
    const [a, b] = nearest(left, weights);
    const inside = left[a].inside.map((is, i) => is || left[b].inside[i]);
    left[a] = { bytes: [...left[a].bytes, ...left[b].bytes], inside };
    left.splice(b, 1);
  }
  return left;
}

function nearest(classes: readonly ByteClass[], weights: readonly number[]): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Number.POSITIVE_INFINITY;
  for (let a = 0; a < classes.length; a++) {
    for (let b = a + 1; b < classes.length; b++) {
      const distance = distanceOf(classes[a].inside, classes[b].inside, weights, least);
      if (distance >= least) continue;
      least = distance;
      best = [a, b];
    }
  }
  return best;
}

function distanceOf(a: readonly boolean[], b: readonly boolean[], weights: readonly number[], limit: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length && sum < limit; i++) if (a[i] !== b[i]) sum += weights[i];
  return sum;
}
