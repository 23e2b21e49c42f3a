import { RE2JS } from 're2js';
import { PlainPattern } from './plain-pattern.ts';

/** What Ajv, and everyone else here, needs of a regular expression. */
export interface Pattern {
  test(text: string): boolean;
  /** Ajv keeps patterns by this text: two with the same would be one, whatever they match. */
  toString(): string;
}

/** A pattern that cannot be run in linear time, or is none. The message says what stands in the way. */
export class PatternError extends Error {}

/**
 * Compiles the patterns of a document for RE2, whose cost is linear in the text whatever the pattern. JSON Schema means the regular
 * expressions of ECMAScript with code points; where RE2 writes or reads something otherwise, it is rewritten. Look-around and
 * back references have no linear form and are errors.
 */
export class Patterns {
  readonly #compiled = new Map<string, Pattern>();

  compile(source: string): Pattern {
    let pattern = this.#compiled.get(source);
    if (pattern === undefined) {
      pattern = compile(source, `pattern ${this.#compiled.size}`);
      this.#compiled.set(source, pattern);
    }
    return pattern;
  }
}

function compile(source: string, key: string): Pattern {
  const plain = PlainPattern.of(source, key);
  if (plain !== undefined) return plain;
  const { text, counted } = new Translator(source).translate();
  let engine: RE2JS;
  try {
    engine = RE2JS.compile(text);
  } catch (error) {
    throw new PatternError(`is not a regular expression: ${explain(error)}`);
  }
  return counted === undefined ? new LinearPattern(engine, key) : new CountedPattern(engine, counted, key);
}

/** The engine's words without the pattern, which it shows as it was rewritten. */
const explain = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/^error parsing regexp: /, '').replace(/: `.*$/s, '');

class LinearPattern implements Pattern {
  readonly #engine: RE2JS;
  readonly #key: string;

  constructor(engine: RE2JS, key: string) {
    this.#engine = engine;
    this.#key = key;
  }

  test(text: string): boolean {
    return this.#engine.test(text);
  }

  toString(): string {
    return this.#key;
  }
}

/** `^[a-z]{1,2048}$`: RE2 repeats 1000 times at most, but one character so many times is a matter of counting. */
class CountedPattern extends LinearPattern {
  readonly #least: number;
  readonly #most: number;

  constructor(engine: RE2JS, counted: Repeat, key: string) {
    super(engine, key);
    this.#least = counted.least;
    this.#most = counted.most;
  }

  override test(text: string): boolean {
    if (text.length < this.#least || text.length > this.#most * 2) return false;
    const length = countCharacters(text);
    return length >= this.#least && length <= this.#most && super.test(text);
  }
}

/** Code points, as JSON Schema counts. */
function countCharacters(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) length--;
  }
  return length;
}

interface Repeat {
  readonly least: number;
  readonly most: number;
}

const MOST_REPEATS = 1000;
// ECMAScript's white space and line ends; RE2's \s is ASCII only.
const SPACE = '\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const NOT_SPACE =
  '\\x00-\\x08\\x0e-\\x1f!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}' +
  '\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}';
const ANY = '[^\\n\\r\\x{2028}\\x{2029}]';
const CATEGORIES: Readonly<Record<string, string>> = {
  Letter: 'L',
  Uppercase_Letter: 'Lu',
  Lowercase_Letter: 'Ll',
  Titlecase_Letter: 'Lt',
  Modifier_Letter: 'Lm',
  Other_Letter: 'Lo',
  Mark: 'M',
  Nonspacing_Mark: 'Mn',
  Number: 'N',
  Decimal_Number: 'Nd',
  digit: 'Nd',
  Punctuation: 'P',
  punct: 'P',
  Symbol: 'S',
  Separator: 'Z',
  Space_Separator: 'Zs',
  Other: 'C',
  Control: 'Cc',
};

/** Rewrites ECMAScript's notation into RE2's, in one pass. */
class Translator {
  readonly #source: string;
  #at = 0;
  /** Atoms and what stands between them. */
  readonly #pieces: string[] = [];
  #big: Repeat | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  translate(): { readonly text: string; readonly counted: Repeat | undefined } {
    while (this.#at < this.#source.length) this.#pieces.push(this.#piece());
    if (this.#big !== undefined && !this.#isOneAtom())
      throw new PatternError(
        `repeats more than ${MOST_REPEATS} times, which only \`^x{n,m}$\` may: bound the length by maxLength`,
      );
    return { text: this.#pieces.join(''), counted: this.#big };
  }

  /** Whether the whole is `^x{n,m}$`. */
  #isOneAtom(): boolean {
    const [start, atom, repeat, end, ...rest] = this.#pieces;
    const single = /^(?:\[.*\]|\\(?:x\{[0-9a-f]+\}|[^xbB].*)|[^\\()|^$*+?{}])$/su.test(atom);
    return start === '^' && single && repeat === '*' && end === '$' && rest.length === 0;
  }

  #take(): string {
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    return character;
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const match = expression.exec(this.#source);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #piece(): string {
    const character = this.#take();
    if (character === '\\') return this.#escape(false);
    if (character === '[') return this.#class();
    if (character === '.') return ANY;
    if (character === '(') return this.#group();
    if (character === '{') return this.#repeat();
    return character === '}' ? '\\}' : character;
  }

  #group(): string {
    if (this.#match(/\?<?[=!]/y) === null) return '(';
    throw new PatternError('looks around, which cannot be done in linear time: say it by another keyword, such as `not`');
  }

  #repeat(): string {
    const match = this.#match(/(\d+)(?:(,)(\d*))?\}/y);
    if (match === null) return '\\{';
    const least = Number(match[1]);
    const most = match[2] === undefined ? least : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (most < least) throw new PatternError('repeats at least more often than at most');
    if (least <= MOST_REPEATS && (most <= MOST_REPEATS || most === Number.POSITIVE_INFINITY)) return `{${match[0]}`;
    this.#big = { least, most };
    return '*';
  }

  #class(): string {
    if (this.#match(/\^\]/y) !== null) return '(?s:.)';
    if (this.#match(/\]/y) !== null) return '[^\\x00-\\x{10ffff}]';
    let out = `[${this.#match(/\^/y)?.[0] ?? ''}`;
    while (this.#at < this.#source.length) {
      const character = this.#take();
      if (character === ']') return `${out}]`;
      out += character === '\\' ? this.#escape(true) : character === '[' ? '\\[' : character;
    }
    throw new PatternError('has a `[` without its `]`');
  }

  #escape(inClass: boolean): string {
    if (this.#at >= this.#source.length) throw new PatternError('ends in a backslash');
    const character = this.#take();
    if (character === 'u') return this.#unicode();
    if (character === 'x') return this.#hex(/[0-9a-fA-F]{2}/y);
    if (character === 's') return inClass ? SPACE : `[${SPACE}]`;
    if (character === 'S') return inClass ? NOT_SPACE : `[^${SPACE}]`;
    if (character === 'p' || character === 'P') return this.#property(character);
    if (character === 'b' && inClass) return '\\x08';
    if (character === 'c') return this.#control();
    if (character === '0' && this.#match(/(?!\d)/y) !== null) return '\\x00';
    if (/[1-9k]/.test(character) && !inClass) throw new PatternError('refers back, which cannot be done in linear time');
    if (/[dDwWnrtfv]/.test(character) || (/[bB]/.test(character) && !inClass)) return `\\${character}`;
    if (/[0-9A-Za-z]/.test(character)) throw new PatternError(`has the escape \\${character}, which ECMAScript does not know`);
    return character > '\x7f' ? character : `\\${character}`;
  }

  #control(): string {
    const letter = this.#match(/[A-Za-z]/y);
    if (letter === null) throw new PatternError('has a \\c without a letter');
    return `\\x{${(letter[0].charCodeAt(0) % 32).toString(16)}}`;
  }

  #hex(digits: RegExp): string {
    const match = this.#match(digits);
    if (match === null) throw new PatternError('has an escape without its hexadecimal digits');
    return `\\x{${match[0].toLowerCase()}}`;
  }

  #unicode(): string {
    const braces = this.#match(/\{([0-9a-fA-F]{1,6})\}/y);
    if (braces !== null) return `\\x{${braces[1].toLowerCase()}}`;
    const pair = this.#match(/([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/y);
    if (pair === null) return this.#hex(/[0-9a-fA-F]{4}/y);
    const point = 0x10000 + ((Number.parseInt(pair[1], 16) & 0x3ff) << 10) + (Number.parseInt(pair[2], 16) & 0x3ff);
    return `\\x{${point.toString(16)}}`;
  }

  #property(letter: string): string {
    const match = this.#match(/\{(?:(?:Script|sc|General_Category|gc)=)?(\w+)\}/y);
    if (match === null) throw new PatternError(`has a \\${letter} without a property that is known`);
    return `\\${letter}{${Object.hasOwn(CATEGORIES, match[1]) ? CATEGORIES[match[1]] : match[1]}}`;
  }
}
