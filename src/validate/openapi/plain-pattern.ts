/**
 * Patterns like those of most contracts, `^[A-Z]{2}-\d{1,6}$`: characters and classes in a row, each so many times, from the beginning of
 * a text to its end. They need no engine: one look at each character, an eighth of the cost. Everything else is left to RE2.
 */
export class PlainPattern {
  readonly #atoms: readonly Atom[];
  readonly #key: string;

  private constructor(atoms: readonly Atom[], key: string) {
    this.#atoms = atoms;
    this.#key = key;
  }

  /** undefined: the pattern is not as plain as that, or a choice would have to be taken back in it. */
  static of(source: string, key: string): PlainPattern | undefined {
    const atoms = parse(source);
    return atoms === undefined || !isDecided(atoms) ? undefined : new PlainPattern(atoms, key);
  }

  test(text: string): boolean {
    let at = 0;
    for (const { set, least, most } of this.#atoms) {
      const end = Math.min(text.length, at + most);
      const from = at;
      // What is not ASCII is in no set: `undefined`.
      while (at < end && set[text.charCodeAt(at)] === 1) at++;
      if (at - from < least) return false;
    }
    return at === text.length;
  }

  toString(): string {
    return this.#key;
  }
}

/** One character of a set, so many times. */
interface Atom {
  readonly set: Uint8Array;
  readonly least: number;
  readonly most: number;
}

/**
 * True where taking as much as there is never has to be taken back: what may follow a repeated set shares no character with it.
 * So many times exactly leaves no choice.
 */
function isDecided(atoms: readonly Atom[]): boolean {
  return atoms.every(({ set, least, most }, index) => {
    if (least === most) return true;
    for (const next of atoms.slice(index + 1)) {
      if (next.set.some((is, c) => is === 1 && set[c] === 1)) return false;
      if (next.least > 0) return true;
    }
    return true;
  });
}

const MOST = Number.MAX_SAFE_INTEGER;
/** What stands for itself outside of a class. */
const LITERAL = /[\w !"#%&',\-:;<=>@`~]/y;
const ESCAPED = /\\([\^$\\.*+?()[\]{}|/-])/y;
const CLASS = /\[((?:[\w !"#%&'()*+,./:;<=>?@$`{|}~-]|\\[\^$\\.*+?()[\]{}|/\-dw])+)\]/y;
const SHORT = /\\([dw])/y;
const REPEAT = /\{(\d{1,6})(?:(,)(\d{1,6})?)?\}|[+*?]/y;

function parse(source: string): Atom[] | undefined {
  if (!source.startsWith('^') || !source.endsWith('$') || source.length < 2) return undefined;
  const body = source.slice(1, -1);
  const atoms: Atom[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(body);
    if (match !== null) at += match[0].length;
    return match;
  };
  while (at < body.length) {
    const set = setOf(take);
    if (set === undefined) return undefined;
    const [least, most] = repeatOf(take(REPEAT));
    if (least > most || body[at] === '?' || body[at] === '+' || body[at] === '*') return undefined;
    atoms.push({ set, least, most });
  }
  return atoms;
}

function setOf(take: (pattern: RegExp) => RegExpExecArray | null): Uint8Array | undefined {
  const literal = take(LITERAL)?.[0] ?? take(ESCAPED)?.[1];
  if (literal !== undefined) return addRange(new Uint8Array(128), literal, literal);
  const short = take(SHORT)?.[1];
  if (short !== undefined) return addShort(new Uint8Array(128), short);
  const inside = take(CLASS)?.[1];
  return inside === undefined ? undefined : classOf(inside);
}

/** The inside of a class: characters, escapes, and ranges between plain characters. */
function classOf(inside: string): Uint8Array | undefined {
  const set = new Uint8Array(128);
  for (let at = 0; at < inside.length; ) {
    const escaped = inside[at] === '\\';
    const char = escaped ? inside[at + 1] : inside[at];
    at += escaped ? 2 : 1;
    const isShort = escaped && (char === 'd' || char === 'w');
    const isRange = inside[at] === '-' && at + 1 < inside.length;
    if (!isRange) {
      if (isShort) addShort(set, char);
      else addRange(set, char, char);
      continue;
    }
    const end = inside[at + 1];
    // A range of or up to an escape is seldom meant, and engines differ about it.
    if (isShort || end === '\\' || end < char) return undefined;
    addRange(set, char, end);
    at += 2;
  }
  return set;
}

function addShort(set: Uint8Array, short: string): Uint8Array {
  addRange(set, '0', '9');
  if (short === 'd') return set;
  addRange(set, 'a', 'z');
  addRange(set, 'A', 'Z');
  return addRange(set, '_', '_');
}

function addRange(set: Uint8Array, from: string, to: string): Uint8Array {
  return set.fill(1, from.charCodeAt(0), to.charCodeAt(0) + 1);
}

function repeatOf(match: RegExpExecArray | null): readonly [number, number] {
  if (match === null) return [1, 1];
  const [text, least, comma, most] = match;
  if (text === '+') return [1, MOST];
  if (text === '*') return [0, MOST];
  if (text === '?') return [0, 1];
  if (comma === undefined) return [Number(least), Number(least)];
  return [Number(least), most === undefined ? MOST : Number(most)];
}
