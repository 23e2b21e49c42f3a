import { byteAt, NO_BYTE } from './bytes.ts';
import * as w from './words.ts';
import { addByte, HASH_SEED } from './word-table.ts';

const SPACE = 1;
const LETTER = 2;
const DIGIT = 3;
const QUOTE = 4;
const SIGN_BYTE = 5;

/** What a byte may begin. Bytes above ASCII count as letters: databases take them for parts of names. */
const CLASSES = classes();

function classes(): Uint8Array {
  const table = new Uint8Array(NO_BYTE + 1);
  for (const byte of [0, 9, 10, 11, 12, 13, 32]) table[byte] = SPACE;
  for (let byte = 0x30; byte <= 0x39; byte++) table[byte] = DIGIT;
  for (let byte = 0x41; byte <= 0x5a; byte++) table[byte] = table[byte | 0x20] = LETTER;
  for (let byte = 0x80; byte <= 0xff; byte++) table[byte] = LETTER;
  for (const byte of [0x5f, 0x24]) table[byte] = LETTER;
  for (const byte of [0x22, 0x27]) table[byte] = QUOTE;
  for (const sign of '+-*/%^|&~!=<>,;()#@`[]{}:\\.?') table[sign.charCodeAt(0)] = SIGN_BYTE;
  return table;
}

/** Reads SQL tokens, leniently as the databases do together: each takes what one of them would take. Never goes back: linear. */
export class Scanner {
  text = '';
  /** Where the next token is looked for. */
  at = 0;
  kind = w.END;
  start = 0;
  /** A word's danger when `(` follows it. */
  danger = w.NO_FUNCTION;
  /** The quote of a STRING or OPEN_STRING. */
  quote = 0;
  /** `@@name` */
  isGlobal = false;
  /** A comment stood between tokens; a sign of evasion. */
  sawComment = false;
  /** `/*!` stood between tokens. */
  sawConditional = false;
  /** What a COMMENT holds begins here. */
  commentStart = 0;
  #inConditional = false;

  begin(text: string, at: number): void {
    this.text = text;
    this.at = at;
    this.sawComment = false;
    this.sawConditional = false;
    this.#inConditional = false;
  }

  next(): number {
    this.kind = this.#read();
    return this.kind;
  }

  /** Whether `(` comes next. */
  opens(): boolean {
    let at = this.at;
    while (CLASSES[byteAt(this.text, at)] === SPACE) at++;
    // A run of spaces is read again by the next token and no third time: each word asks once.
    return byteAt(this.text, at) === 0x28;
  }

  #read(): number {
    for (;;) {
      const byte = byteAt(this.text, this.at);
      if (byte === NO_BYTE) return w.END;
      this.start = this.at;
      const kind = this.#readAt(byte, CLASSES[byte]);
      if (kind !== -1) return kind;
    }
  }

  /** One token, or -1 where what stood here counts as a space. */
  #readAt(byte: number, type: number): number {
    switch (type) {
      case SPACE:
        this.at++;
        return -1;
      case LETTER:
        return this.#readWord();
      case DIGIT:
        return this.#readNumber();
      case QUOTE:
        return this.#readString(byte);
      case SIGN_BYTE:
        return this.#readSign(byte);
      default:
        this.at++;
        return w.OTHER;
    }
  }

  #readWord(): number {
    const { text, start } = this;
    if (this.#isHardSpace()) return -1;
    let at = start;
    let hash = HASH_SEED;
    let firstStop = -1;
    let firstHash = 0;
    for (; ; at++) {
      const byte = byteAt(text, at);
      const type = CLASSES[byte];
      if (type !== LETTER && type !== DIGIT) {
        if (byte !== 0x2e || CLASSES[byteAt(text, at + 1)] !== LETTER) break;
        if (firstStop === -1) [firstStop, firstHash] = [at, hash];
      }
      hash = addByte(hash, byte);
    }
    this.at = at;
    if (byteAt(text, start) === 0x5f && byteAt(text, at) === 0x27) return this.#readPrefixed();
    if (at - start === 1 && byteAt(text, at) === 0x27 && isStringPrefix(byteAt(text, start))) return this.#readPrefixed();
    const found = w.WORDS.find(text, start, at, hash);
    this.danger = found >>> 8;
    if (found !== 0) return found & 0xff;
    return firstStop === -1 ? w.NAME : this.#dotted(firstStop, firstHash);
  }

  /** U+00A0 in latin1, which some databases skip; in UTF-8 it is the second half of a letter. */
  #isHardSpace(): boolean {
    if (byteAt(this.text, this.start) !== 0xa0) return false;
    this.at++;
    return true;
  }

  /** `x'41'`, `N'text'`, `_utf8'text'` */
  #readPrefixed(): number {
    return this.#readString(0x27);
  }

  /** `information_schema.tables`, `master..xp_cmdshell` */
  #dotted(stop: number, hash: number): number {
    return (w.WORDS.find(this.text, this.start, stop, hash) & 0xff) === w.CATALOGUE ? w.CATALOGUE : w.NAME;
  }

  /** A number; letters right behind it make a name of it (`3rd`), unless they are a word of SQL's (`1union`). */
  #readNumber(): number {
    const { text } = this;
    let at = this.at;
    const second = byteAt(text, at + 1) | 0x20;
    if (byteAt(text, at) === 0x30 && second === 0x78) {
      at += 2;
      while (isHex(byteAt(text, at))) at++;
    } else {
      while (CLASSES[byteAt(text, at)] === DIGIT) at++;
      if (byteAt(text, at) === 0x2e) at++;
      while (CLASSES[byteAt(text, at)] === DIGIT) at++;
      if ((byteAt(text, at) | 0x20) === 0x65) at = exponentEnd(text, at);
    }
    this.at = at;
    if (CLASSES[byteAt(text, at)] !== LETTER) return w.NUMBER;
    return this.#behindNumber();
  }

  #behindNumber(): number {
    let numberStop = this.at;
    const numberStart = this.start;
    this.start = numberStop;
    let kind = this.#readWord();
    if (kind === w.NAME && isSuffix(byteAt(this.text, numberStop))) {
      this.at = this.start = numberStop + 1;
      numberStop++;
      if (CLASSES[byteAt(this.text, this.at)] === LETTER) kind = this.#readWord();
    }
    this.start = numberStart;
    if (kind !== w.NAME && kind !== w.STRING && kind !== w.OPEN_STRING && kind !== -1) {
      this.at = numberStop;
      return w.NUMBER;
    }
    return kind === -1 ? w.NUMBER : w.NAME;
  }

  #readString(quote: number): number {
    this.quote = quote;
    const stop = endOfString(this.text, this.at + 1, quote);
    this.at = stop === -1 ? this.text.length : stop;
    return stop === -1 ? w.OPEN_STRING : w.STRING;
  }

  #readSign(byte: number): number {
    const next = byteAt(this.text, this.at + 1);
    this.at++;
    switch (byte) {
      case 0x2c:
        return w.COMMA;
      case 0x3b:
        return w.SEMICOLON;
      case 0x28:
        return w.OPEN;
      case 0x29:
        return w.CLOSE;
      case 0x2d:
        return next === 0x2d ? this.#readLine(1) : w.SIGN;
      case 0x2b:
        return w.SIGN;
      case 0x23:
        return this.#readLine(0);
      case 0x2f:
        return next === 0x2a ? this.#readBlock() : w.ARITHMETIC;
      case 0x2a:
        return this.#readStar(next);
      case 0x25:
      case 0x5e:
        return w.ARITHMETIC;
      case 0x7e:
        return w.PREFIX;
      case 0x26:
      case 0x7c:
        return this.#pair(next === byte, w.LOGIC, w.ARITHMETIC);
      case 0x21:
        return this.#pair(next === 0x3d, w.COMPARE, w.PREFIX);
      case 0x3d:
      case 0x3c:
      case 0x3e:
        return this.#readCompare(byte, next);
      case 0x3a:
        return this.#pair(next === 0x3a || next === 0x3d, next === 0x3a ? w.CAST : w.COMPARE, w.OTHER);
      case 0x40:
        return this.#readVariable(next);
      case 0x60:
      case 0x5b:
        return this.#readQuotedName(byte === 0x60 ? 0x60 : 0x5d);
      case 0x2e:
        return CLASSES[next] === DIGIT ? this.#readNumber() : w.OTHER;
      case 0x5c:
        return this.#readBackslash(next);
      case 0x3f:
        return this.#readQuestion(next);
      case 0x7b:
        return this.#readBrace();
      case 0x7d:
        return -1;
      default:
        return w.OTHER;
    }
  }

  /** PostgreSQL's "holds the key"; addresses have a name behind it. */
  #readQuestion(next: number): number {
    if (isWord(next)) return w.OTHER;
    return this.#pair(next === 0x7c || next === 0x26, w.COMPARE, w.COMPARE);
  }

  /** `{ts '…'}`, `{d 1}`: ODBC's escapes; what they hold counts. */
  #readBrace(): number {
    let at = this.at;
    while (isWord(byteAt(this.text, at))) at++;
    if (at > this.at && !isWord(byteAt(this.text, at + 1)) && byteAt(this.text, at) !== 0x20) return w.PREFIX;
    this.at = at;
    return w.PREFIX;
  }

  #pair(two: boolean, kindOfTwo: number, kindOfOne: number): number {
    if (!two) return kindOfOne;
    this.at++;
    return kindOfTwo;
  }

  #readCompare(byte: number, next: number): number {
    // PostgreSQL's "is contained in".
    if (byte === 0x3c && next === 0x40 && !isWord(byteAt(this.text, this.at + 1))) return this.#pair(true, w.COMPARE, w.COMPARE);
    const shifts = next === byte && byte !== 0x3d;
    if (next === 0x3d || next === 0x3e || shifts) this.at++;
    if (byte === 0x3c && next === 0x3d && byteAt(this.text, this.at) === 0x3e) this.at++;
    return shifts ? w.ARITHMETIC : w.COMPARE;
  }

  /** A star that closes a conditional comment is a space. */
  #readStar(next: number): number {
    if (next !== 0x2f || !this.#inConditional) return w.ARITHMETIC;
    this.at++;
    this.#inConditional = false;
    return -1;
  }

  #readLine(skip: number): number {
    this.commentStart = this.at + skip;
    const stop = this.text.indexOf('\n', this.commentStart);
    if (stop === -1) return this.#endComment();
    this.sawComment = true;
    this.at = stop + 1;
    return -1;
  }

  #readBlock(): number {
    this.commentStart = this.at + 1;
    if (byteAt(this.text, this.commentStart) === 0x21) return this.#readConditional();
    const stop = this.text.indexOf('*/', this.commentStart);
    if (stop === -1) return this.#endComment();
    this.sawComment = true;
    this.at = stop + 2;
    return -1;
  }

  /** MySQL runs what stands in it. */
  #readConditional(): number {
    this.sawConditional = true;
    this.#inConditional = true;
    this.at = this.commentStart + 1;
    for (let i = 0; i < 6 && CLASSES[byteAt(this.text, this.at)] === DIGIT; i++) this.at++;
    return -1;
  }

  #endComment(): number {
    this.at = this.text.length;
    return w.COMMENT;
  }

  #readVariable(next: number): number {
    if (next === 0x3e) return this.#pair(true, w.COMPARE, w.COMPARE);
    this.isGlobal = next === 0x40;
    if (this.isGlobal) this.at++;
    const from = this.at;
    const byte = byteAt(this.text, from);
    if (byte === 0x60 || byte === 0x27 || byte === 0x22) return this.#readQuotedVariable(byte);
    while (isWord(byteAt(this.text, this.at)) || byteAt(this.text, this.at) === 0x2e) this.at++;
    if (this.at === from && byte === 0x23) this.at++;
    return w.VARIABLE;
  }

  #readQuotedVariable(quote: number): number {
    this.quote = quote;
    const stop = endOfString(this.text, this.at + 1, quote);
    this.at = stop === -1 ? this.text.length : stop;
    return stop === -1 ? w.OPEN_STRING : w.VARIABLE;
  }

  #readQuotedName(closing: number): number {
    const stop = this.text.indexOf(String.fromCharCode(closing), this.at);
    this.danger = w.NO_FUNCTION;
    if (stop === -1) {
      this.at = this.text.length;
      return w.OTHER;
    }
    this.at = stop + 1;
    return w.NAME;
  }

  /** `\N` is MySQL's null; elsewhere a backslash before a name is read over. */
  #readBackslash(next: number): number {
    if (next === 0x4e && !isWord(byteAt(this.text, this.at + 1))) {
      this.at++;
      return w.CONSTANT;
    }
    return -1;
  }
}

/** Right behind the quote that closes a string whose inside begins at `at`; doubled and escaped quotes are part of it. -1: none. */
export function endOfString(text: string, at: number, quote: number): number {
  for (let i = at; i < text.length; i++) {
    const byte = byteAt(text, i);
    if (byte === 0x5c) i++;
    else if (byte === quote) {
      if (byteAt(text, i + 1) !== quote) return i + 1;
      i++;
    }
  }
  return -1;
}

function exponentEnd(text: string, at: number): number {
  let end = at + 1;
  const sign = byteAt(text, end);
  if (sign === 0x2b || sign === 0x2d) end++;
  if (CLASSES[byteAt(text, end)] !== DIGIT) return at;
  while (CLASSES[byteAt(text, end)] === DIGIT) end++;
  return end;
}

function isWord(byte: number): boolean {
  return CLASSES[byte] === LETTER || CLASSES[byte] === DIGIT;
}

function isHex(byte: number): boolean {
  const letter = byte | 0x20;
  return CLASSES[byte] === DIGIT || (letter >= 0x61 && letter <= 0x66);
}

/** Oracle's `1f`, `1d`. */
function isSuffix(byte: number): boolean {
  return (byte | 0x20) === 0x66 || (byte | 0x20) === 0x64;
}

function isStringPrefix(byte: number): boolean {
  const letter = byte | 0x20;
  return letter === 0x78 || letter === 0x6e || letter === 0x62 || letter === 0x65;
}
