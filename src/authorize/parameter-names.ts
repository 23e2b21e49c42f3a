import { textOf } from '../exchange/query.ts';

/**
 * Which names of a query a service might read as one parameter. Services differ in what they take for the same: case (ASP.NET), `id[]`,
 * `id[0]`, `[id]` and `id.x` (PHP, Rails, qs, Spring), `.` and blanks for `_` (PHP), `userId` for `user_id` (gRPC transcoding),
 * blanks around, full-width letters. Two such names in one request are parameter pollution (CWE-235).
 */
export class ParameterName {
  readonly #letters: string;

  constructor(name: string) {
    this.#letters = lettersOf(name);
  }

  /** True for the name itself and all that may be taken for it. `name` is a byte string, decoded once. */
  mayBe(name: string): boolean {
    // A name that would decode again is nobody's name, and what it is in the end nobody can tell.
    if (DECODES_AGAIN.test(name)) return true;
    return NOT_ASCII.test(name) ? this.#beginsLike(folded(textOf(name) ?? '')) : this.#beginsLike(name);
  }

  /**
   * Compares letters and digits alone, whatever stands between them. All letters have to be there; what comes behind them may be nothing
   * or begin with a delimiter: `id[0]` and `id.x`, but not `ids`, `id_token` or `id-type`.
   */
  #beginsLike(name: string): boolean {
    const wanted = this.#letters;
    let found = 0;
    for (let i = 0; i < name.length; i += 1) {
      const letter = letterOf(name.charCodeAt(i));
      if (letter === NONE) {
        if (found === wanted.length && !isJoiner(name.charCodeAt(i))) return true;
      } else {
        if (found === wanted.length || wanted.charCodeAt(found) !== letter) return false;
        found += 1;
      }
    }
    return found === wanted.length;
  }
}

const NONE = 0;
const DECODES_AGAIN = /%(?:[0-9a-f]{2}|u[0-9a-f]{4})/i;
const NOT_ASCII = /[\x80-\xff]/;
const BEYOND_LETTERS = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The lower-case code of a letter or digit, all that is not ASCII among them; {@link NONE} for everything else. Quotes and braces count:
 * no reader takes them off, and with them begins the JSON that people send as a form.
 */
function letterOf(code: number): number {
  if (code === 0x22 || code === 0x7b || code === 0x7d) return code;
  if ((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x7a) || code >= 0x80) return code;
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : NONE;
}

const isJoiner = (code: number) => code === 0x5f || code === 0x2d;

/** Names of the configuration are ASCII. */
function lettersOf(name: string): string {
  let letters = '';
  for (let i = 0; i < name.length; i += 1) {
    const letter = letterOf(name.charCodeAt(i));
    if (letter !== NONE) letters += String.fromCharCode(letter);
  }
  return letters;
}

/** Full-width, superscript and other forms of a letter, accents and invisible characters gone, both ways of ignoring case. */
function folded(text: string): string {
  return text.normalize('NFKD').replace(BEYOND_LETTERS, '').toUpperCase().toLowerCase();
}

/** Whether two names may be taken for one another; for the check of the configuration. */
export function looksLike(name: string, other: string): boolean {
  return new ParameterName(name).mayBe(other) || new ParameterName(other).mayBe(name);
}
