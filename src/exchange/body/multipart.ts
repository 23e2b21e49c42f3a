import { isUtf8 } from 'node:buffer';
import { type ContentType, isUtf8Charset, readContentType } from './content-type.ts';
import { type Disposition, readDisposition } from './disposition.ts';
import { Flags } from './flags.ts';
import type { Flag, FlagCode, MultipartPart } from './parsed.ts';

/** What the reader makes of a multipart body. */
export interface MultipartReading {
  readonly parts: readonly MultipartPart[];
  readonly flags: readonly Flag[];
}

/**
 * Boundaries that every parser takes: RFC 2046 section 5.1.1 without the characters that need quotes or that some parsers cut at
 * (WAFFLED 2025: parameters, spaces and commas in boundaries are where parsers part ways).
 */
const BOUNDARY = /^[0-9A-Za-z'()+_\-./:=?]{1,70}$/;

const MOST_HEADERS = 16;
const LONGEST_HEADER = 4096;

/**
 * Reads `multipart/form-data` (RFC 7578) strictly. Where parsers differ - bare line feeds, a preamble, folded or doubled headers, odd
 * quoting, a line that only begins like a boundary, an end that does not come - there is a flag. The parts are what a lenient reader
 * would see, so that the WAF has something to look at also where it may not refuse.
 * @param boundary the parameter of Content-Type; undefined where it has none
 */
export function readMultipart(body: Buffer, boundary: string | undefined, mostParts: number): MultipartReading {
  return new MultipartReader(body, boundary ?? '', mostParts).read();
}

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;

class MultipartReader {
  readonly #body: Buffer;
  readonly #mark: Buffer;
  readonly #boundary: string;
  readonly #most: number;
  readonly #parts: MultipartPart[] = [];
  readonly #flags = new Flags();

  constructor(body: Buffer, boundary: string, most: number) {
    this.#body = body;
    this.#boundary = boundary;
    this.#mark = Buffer.from(`--${boundary}`, 'latin1');
    this.#most = most;
  }

  read(): MultipartReading {
    if (BOUNDARY.test(this.#boundary)) this.#readParts();
    else this.#flag('multipart-boundary', 0);
    return { parts: this.#parts, flags: this.#flags.list };
  }

  #readParts(): void {
    let mark = this.#body.indexOf(this.#mark);
    if (mark !== 0) this.#flag(mark < 0 ? 'multipart-unfinished' : 'multipart-preamble', 0);
    while (mark >= 0) {
      const start = this.#lineBehind(mark + this.#mark.length);
      if (start === undefined) return;
      if (this.#parts.length >= this.#most) {
        this.#flag('multipart-parts', mark);
        return;
      }
      const next = this.#nextMark(start);
      this.#part(start, next < 0 ? this.#body.length : this.#contentEnd(next));
      if (next < 0) this.#flag('multipart-unfinished', this.#body.length);
      mark = next;
    }
  }

  /** Where the part behind a boundary begins; undefined when it was the last. */
  #lineBehind(at: number): number | undefined {
    const [first, second] = [this.#body[at], this.#body[at + 1]];
    if (first === DASH && second === DASH) {
      const rest = this.#body.length - at - 2;
      const isLine = this.#body[at + 2] === CR && this.#body[at + 3] === LF;
      if (rest !== 0 && !(rest === 2 && isLine)) this.#flag('multipart-epilogue', at + 2);
      return undefined;
    }
    if (first === CR && second === LF) return at + 2;
    // Padding, a bare line feed, or the beginning of a longer boundary: parsers differ.
    this.#flag(first === LF ? 'multipart-line' : 'multipart-boundary', at);
    const end = this.#body.indexOf(LF, at);
    return end < 0 ? this.#body.length : end + 1;
  }

  /**
   * The next boundary, with or without what has to stand before it. The content of a part cannot hold it (RFC 2046 section 5.1.1), so
   * one that does not begin a line is flagged, and whoever reads leniently ends the part there.
   */
  #nextMark(from: number): number {
    const at = this.#body.indexOf(this.#mark, from);
    if (at < 0) return at;
    if (this.#body[at - 1] !== LF) this.#flag('multipart-boundary', at);
    else if (this.#body[at - 2] !== CR) this.#flag('multipart-line', at);
    return at;
  }

  #contentEnd(mark: number): number {
    if (this.#body[mark - 1] !== LF) return mark;
    return this.#body[mark - 2] === CR ? mark - 2 : mark - 1;
  }

  // ---- one part

  #part(start: number, end: number): void {
    const headers: string[] = [];
    let at = start;
    for (;;) {
      const feed = this.#body.indexOf(LF, at);
      if (feed < 0 || feed >= end) {
        // No empty line: the headers have no end, and nobody knows where the content begins.
        this.#flag('multipart-header', at);
        at = end;
        break;
      }
      const isEmpty = this.#headerLine(headers, at, feed);
      at = feed + 1;
      if (isEmpty) break;
    }
    this.#add(headers, start, at, end);
  }

  /** One line of the head of a part; true for the empty one that ends it. */
  #headerLine(headers: string[], from: number, feed: number): boolean {
    const hasReturn = feed > from && this.#body[feed - 1] === CR;
    if (!hasReturn) this.#flag('multipart-line', feed);
    const to = hasReturn ? feed - 1 : feed;
    if (to === from) return true;
    if (to - from > LONGEST_HEADER || headers.length >= 2 * MOST_HEADERS) this.#flag('multipart-header', from);
    else this.#header(headers, this.#body.toString('latin1', from, to), from);
    return false;
  }

  #header(headers: string[], line: string, at: number): void {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    const value = line.slice(colon + 1);
    // Also a folded line, which has no name, a name with white space before the colon, and more of it around the value than the one blank
    // that all senders write: busboy loses such a part.
    if (!NAME.test(name) || CONTROL.test(line) || MORE_BLANKS.test(value)) this.#flag('multipart-header', at);
    if (headers.some((one, i) => i % 2 === 0 && one === name)) this.#flag('multipart-duplicate-header', at);
    headers.push(name, withoutBlanks(value));
  }

  #add(headers: readonly string[], at: number, from: number, to: number): void {
    const value = (name: string) => headers.find((_, i) => i % 2 === 1 && headers[i - 1] === name);
    const disposition = readDisposition(value('content-disposition') ?? '');
    if (disposition.odd) this.#flag('multipart-disposition', at);
    const name = disposition.name ?? '';
    const content = this.#body.subarray(from, to);
    if (disposition.filename === undefined) this.#judgeText(name, content, at, name);
    else this.#judgeText(`${name}\n${disposition.filename}`, EMPTY, at, name);
    const encoding = value('content-transfer-encoding')?.toLowerCase();
    // RFC 7578 section 4.7 takes it away; a parser that still follows it sees other bytes.
    if (encoding !== undefined && encoding !== 'binary' && encoding !== '8bit' && encoding !== '7bit')
      this.#flag('multipart-transfer-encoding', at, name);
    const type = value('content-type');
    if (type !== undefined) this.#judgeType(type, content, at, disposition);
    // The field by which a form says in what charset its other fields are (RFC 7578 section 4.6).
    if (name === '_charset_') this.#flag('charset', at, name);
    this.#parts.push({ name, filename: disposition.filename, headers, from, to });
  }

  /** Names are text, and so is what is no file: readers replace what is not UTF-8, drop it, or keep the bytes. */
  #judgeText(names: string, text: Buffer, at: number, name: string): void {
    if (NOT_ASCII.test(names) && !isUtf8(Buffer.from(names, 'latin1'))) this.#flag('utf8-invalid', at, name);
    if (BOM_IN_NAMES.test(names)) this.#flag('bom', at, name);
    if (text.length === 0) return;
    if (!isUtf8(text)) this.#flag('utf8-invalid', at, name);
    if (text.includes(0)) this.#flag('nul', at, name);
  }

  #judgeType(value: string, content: Buffer, at: number, { name, filename }: Disposition): void {
    const type = readContentType(value);
    const other = type?.parameters.get('name');
    // Mail has the name of a file there too, and Python's `email` takes it where no other stands.
    if (type === undefined || (other !== undefined && other !== filename)) this.#flag('multipart-header', at, name);
    else if (isComposite(type)) this.#flag('multipart-nested', at, name);
    else if (!isUtf8Charset(type, content)) this.#flag('charset', at, name);
  }

  #flag(code: FlagCode, at: number, place = ''): void {
    if (this.#flags.wants(code)) this.#flags.add(code, place, at);
  }
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const NOT_ASCII = /[\x80-\xff]/;
// Decoders of UTF-8 take it off.
const BOM_IN_NAMES = /^\xef\xbb\xbf/m;
const MORE_BLANKS = /^[ \t][ \t]|^\t|[ \t]$/;
const EMPTY = Buffer.alloc(0);

/** Not trim(), which takes off what is a blank in Unicode, and a byte like others here. */
function withoutBlanks(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value.charCodeAt(from))) from++;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--;
  return value.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Types that hold further parts (RFC 2046 section 5): readers of mail unfold them, readers of forms do not. */
function isComposite({ type }: ContentType): boolean {
  return type.startsWith('multipart/') || type.startsWith('message/');
}
