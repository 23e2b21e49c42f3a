import { addByte, anyByte, emptySet, foldCase, notNewline, setOf } from './byte-set.ts';
import { readClass } from './class.ts';
import { readEscape } from './escape.ts';
import { alternateOf, concatOf, type PatternNode } from './node.ts';
import { Reader } from './reader.ts';

/** A pattern as read. */
export interface ParsedPattern {
  readonly node: PatternNode;
  /** How many capturing groups there are. */
  readonly groups: number;
  /** Names of groups, with their numbers. */
  readonly names: ReadonlyMap<string, number>;
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotall: boolean;
  readonly extended: boolean;
  readonly ungreedy: boolean;
  readonly noCapture: boolean;
}
const flagNames: Readonly<Record<string, keyof Flags>> = {
  i: 'ignoreCase',
  m: 'multiline',
  s: 'dotall',
  x: 'extended',
  U: 'ungreedy',
  n: 'noCapture',
};
/** As rule sets expect: `.` matches a newline, and `^` and `$` are the ends of the value. */
const startFlags: Flags = {
  ignoreCase: false,
  multiline: false,
  dotall: true,
  extended: false,
  ungreedy: false,
  noCapture: false,
};

const maxDepth = 250;
const maxCount = 65_535;
const lookHint = 'Look-around cannot be matched in linear time; say it with a second, chained rule.';
const atomicHint = 'They only prevent backtracking, which this engine does not do: write the plain form if it means the same.';
const unsupported: readonly (readonly [string, string, string?])[] = [
  ['?=', 'Look-ahead is not supported', lookHint],
  ['?!', 'Look-ahead is not supported', lookHint],
  ['?<=', 'Look-behind is not supported', lookHint],
  ['?<!', 'Look-behind is not supported', lookHint],
  ['?>', 'Atomic groups are not supported', atomicHint],
  ['?|', 'Groups that share numbers, (?|…), are not supported'],
  ['?(', 'Conditions are not supported'],
  ['?R', 'Recursion is not supported'],
  ['?&', 'Recursion is not supported'],
  ['?P>', 'Recursion is not supported'],
  ['?P=', 'Back-references are not supported', 'Write out what the group can hold.'],
  ['?C', 'Callouts are not supported'],
  ['*', 'Verbs, (*…), are not supported'],
];

/** Reads a pattern of PCRE's language over bytes. Throws a PatternError. */
export function parsePattern(text: string): ParsedPattern {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0xff) new Reader(text).fail('A character above 0xff', at, 'Patterns are byte strings.');
  }
  return new Parser(text).parse();
}

class Parser {
  readonly #reader: Reader;
  #flags = startFlags;
  #groups = 0;
  #depth = 0;
  #quoting = false;
  /** Groups of the whole pattern: `\12` is a reference if there are so many. */
  readonly #total: number;
  readonly #names = new Map<string, number>();
  readonly #classes = new Map<string, PatternNode>();

  constructor(text: string) {
    this.#reader = new Reader(text);
    this.#total = countOpeners(text);
  }

  parse(): ParsedPattern {
    const node = this.#readAlternation();
    if (!this.#reader.done) this.#reader.fail('A ) that closes nothing', this.#reader.at, 'Write \\) for a parenthesis.');
    return { node, groups: this.#groups, names: this.#names };
  }

  #readAlternation(): PatternNode {
    const options = [this.#readBranch()];
    while (this.#reader.skip('|')) options.push(this.#readBranch());
    return alternateOf(options);
  }

  #readBranch(): PatternNode {
    const parts: PatternNode[] = [];
    for (;;) {
      this.#skipQuotesAndSpace();
      const reader = this.#reader;
      if (reader.done || (!this.#quoting && (reader.peek() === '|' || reader.peek() === ')'))) return concatOf(parts);
      const atom = this.#readAtom();
      if (atom !== undefined) parts.push(this.#readQuantifier(atom));
    }
  }

  /** `\Q`, `\E`, comments, and blanks under `(?x)`. */
  #skipQuotesAndSpace(): void {
    const reader = this.#reader;
    for (;;) {
      if (reader.skip('\\E')) this.#quoting = false;
      else if (this.#quoting) return;
      else if (reader.skip('\\Q')) this.#quoting = true;
      else if (reader.sees('(?#')) this.#skipComment();
      else if (!this.#flags.extended || reader.match(/[\t-\r ]+|#[^\n]*\n?/y) === undefined) return;
    }
  }

  #skipComment(): void {
    const start = this.#reader.at;
    if (this.#reader.match(/[^)]*\)/y) === undefined) this.#reader.fail('A comment without its )', start);
  }

  /** One thing that can be repeated; undefined where flags stood. */
  #readAtom(): PatternNode | undefined {
    const reader = this.#reader;
    const start = reader.at;
    const char = reader.take();
    if (this.#quoting) return this.#byteNode(char.charCodeAt(0));
    switch (char) {
      case '(':
        return this.#readGroup(start);
      case '[':
        return this.#readSet(start);
      case '.':
        return this.#flags.dotall ? anyNode : notNewlineNode;
      case '^':
        return { kind: 'assert', assertion: this.#flags.multiline ? 'line-begin' : 'begin' };
      case '$':
        return { kind: 'assert', assertion: this.#flags.multiline ? 'line-end' : 'end' };
      case '\\':
        return this.#readEscaped();
      case '*':
      case '+':
      case '?':
        return reader.fail('Nothing to repeat', start, `Write \\${char} for the character itself.`);
      default:
        if (char === '{' && countAt(reader, start) !== undefined) reader.fail('Nothing to repeat', start, 'Write \\{.');
        return this.#byteNode(char.charCodeAt(0));
    }
  }

  #byteNode(byte: number): PatternNode {
    return this.#flags.ignoreCase ? foldedBytes[byte] : plainBytes[byte];
  }

  /** Patterns repeat their classes a thousand times: equal ones share one node. */
  #readSet(start: number): PatternNode {
    const { ignoreCase } = this.#flags;
    const set = readClass(this.#reader, ignoreCase);
    const key = `${ignoreCase ? 'i' : ''}${this.#reader.text.slice(start, this.#reader.at)}`;
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const made: PatternNode = { kind: 'set', set };
    this.#classes.set(key, made);
    return made;
  }

  #readEscaped(): PatternNode {
    const escape = readEscape(this.#reader, false, this.#total);
    switch (escape.kind) {
      case 'byte':
        return this.#byteNode(escape.byte);
      case 'set':
        return escape;
      case 'assert':
        return escape;
      case 'line-break':
        return lineBreak;
    }
  }

  #readGroup(start: number): PatternNode | undefined {
    const reader = this.#reader;
    for (const [opener, message, hint] of unsupported) if (reader.sees(opener)) reader.fail(message, start, hint);
    if (reader.match(/\?[+-]?[0-9]/y) !== undefined) reader.fail('Recursion is not supported', start);
    const outside = this.#flags;
    const named = reader.match(/\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/y);
    if (named !== undefined) return this.#readCapture(start, named[1] ?? named[2]);
    if (!reader.skip('?')) return this.#readCapture(start, undefined);
    this.#flags = this.#readFlags(start);
    // Flags without a colon hold to the end of the enclosing group, its later alternatives included.
    if (reader.skip(')')) return undefined;
    reader.take();
    const body = this.#readInside(start);
    this.#flags = outside;
    // A group counts as one thing for what follows, even when it is empty.
    return body;
  }

  #readCapture(start: number, name: string | undefined): PatternNode {
    if (name === undefined && this.#flags.noCapture) return this.#keepingFlags(start);
    const index = ++this.#groups;
    if (name !== undefined) {
      if (this.#names.has(name)) this.#reader.fail(`Two groups have the name ${name}`, start);
      this.#names.set(name, index);
    }
    return { kind: 'capture', index, name, body: this.#keepingFlags(start) };
  }

  #keepingFlags(start: number): PatternNode {
    const outside = this.#flags;
    const body = this.#readInside(start);
    this.#flags = outside;
    return body;
  }

  #readInside(start: number): PatternNode {
    if (++this.#depth > maxDepth) this.#reader.fail(`More than ${maxDepth} groups within one another`, start);
    const body = this.#readAlternation();
    if (!this.#reader.skip(')')) this.#reader.fail('A group without its )', start, 'Close it, or write \\( for a parenthesis.');
    this.#depth--;
    return body;
  }

  /** `i-s` of `(?i-s)` and `(?i-s:`; the reader then stands before `)` or `:`. */
  #readFlags(start: number): Flags {
    const reader = this.#reader;
    const flags: { -readonly [name in keyof Flags]: boolean } = reader.skip('^')
      ? { ...startFlags, dotall: false }
      : { ...this.#flags };
    let on = true;
    while (reader.peek() !== ')' && reader.peek() !== ':') {
      const letter = reader.take();
      if (letter === '-') on = false;
      else if (letter in flagNames) flags[flagNames[letter]] = on;
      else reader.fail(letter === '' ? 'A group without its )' : `There is no group (?${letter}`, start);
    }
    return flags;
  }

  #readQuantifier(body: PatternNode): PatternNode {
    this.#skipQuotesAndSpace();
    if (this.#quoting) return body;
    const reader = this.#reader;
    const start = reader.at;
    const count = readCount(reader, start);
    if (count === undefined) return body;
    if (reader.peek() === '+') reader.fail('Possessive quantifiers are not supported', start, atomicHint);
    const lazy = reader.skip('?') !== this.#flags.ungreedy;
    this.#skipQuotesAndSpace();
    if (!this.#quoting && (/^[*+?]/.test(reader.peek()) || countAt(reader, reader.at) !== undefined)) {
      reader.fail('A quantifier behind a quantifier', reader.at, 'Put what it repeats in a group, (?:…).');
    }
    return { kind: 'repeat', body, min: count[0], max: count[1], lazy };
  }
}

const anyNode: PatternNode = { kind: 'set', set: anyByte };
const notNewlineNode: PatternNode = { kind: 'set', set: notNewline };
const plainBytes: readonly PatternNode[] = Array.from({ length: 256 }, (_, byte) => byteNode(byte, false));
const foldedBytes: readonly PatternNode[] = Array.from({ length: 256 }, (_, byte) => byteNode(byte, true));

function byteNode(byte: number, ignoreCase: boolean): PatternNode {
  const set = emptySet();
  addByte(set, byte);
  if (ignoreCase) foldCase(set);
  return { kind: 'set', set };
}

const lineBreak: PatternNode = alternateOf([
  concatOf([
    { kind: 'set', set: setOf([13, 13]) },
    { kind: 'set', set: setOf([10, 10]) },
  ]),
  concatOf([
    { kind: 'set', set: setOf([13, 13]) },
    { kind: 'assert', assertion: 'no-newline-next' },
  ]),
  { kind: 'set', set: setOf([10, 12], [0x85, 0x85]) },
]);

function readCount(reader: Reader, start: number): readonly [number, number] | undefined {
  if (reader.skip('*')) return [0, Infinity];
  if (reader.skip('+')) return [1, Infinity];
  if (reader.skip('?')) return [0, 1];
  const found = countAt(reader, start);
  if (found === undefined) return undefined;
  reader.at += found[0].length;
  const min = Number(found[1]);
  const max = found[2] === undefined ? min : found[3] === '' ? Infinity : Number(found[3]);
  if (min > maxCount || (max !== Infinity && max > maxCount)) reader.fail(`A count above ${maxCount}`, start);
  if (max < min) reader.fail('Counts in the wrong order', start, 'Write the lower one first.');
  return [min, max];
}

/** `{n}`, `{n,}` or `{n,m}`; all other braces stand for themselves. */
function countAt(reader: Reader, at: number): RegExpExecArray | undefined {
  const pattern = /\{([0-9]+)(,([0-9]*))?\}/y;
  pattern.lastIndex = at;
  return pattern.exec(reader.text) ?? undefined;
}

/** At least as many as there are capturing groups where references of two digits matter; a class may hold some more. */
function countOpeners(text: string): number {
  return text.match(/\\.|\((?!\?)|\(\?P?[<'][A-Za-z_]/gs)?.filter((found) => found.startsWith('(')).length ?? 0;
}
