import { byteAt, NO_BYTE } from '../detect-sqli/bytes.ts';
import * as n from './names.ts';
import { isActiveStyle, isActiveUrl } from './values.ts';

const GREATER = 0x3e;
const SLASH = 0x2f;
const EQUALS = 0x3d;

/**
 * Reads a value as HTML, as lenient browsers do, from a place where the page's own text ends: in text, or among the attributes of a tag.
 * Never goes back: linear.
 */
export class Markup {
  #text = '';
  #at = 0;
  /** Every `<` begins a tag, in quotes and comments too: where the page's own quotes stand is not known. */
  #flat = false;
  /** The page's tag has no quotes that the value closes. */
  #bare = false;
  #valueStop = 0;

  /** What runs script in the value when it stands in a page's text; undefined: nothing. */
  readText(text: string, flat: boolean): string | undefined {
    this.#text = text;
    this.#at = 0;
    this.#flat = flat;
    this.#bare = false;
    return this.#readText();
  }

  /** The same when it stands in a tag, behind the quote that it closes or where no quote is, up to where the tag ends. */
  readTag(text: string, from: number): string | undefined {
    this.#text = text;
    this.#at = from;
    this.#flat = false;
    this.#bare = from === 0;
    return this.#attributes(true, false);
  }

  #readText(): string | undefined {
    for (;;) {
      const at = this.#text.indexOf('<', this.#at);
      if (at === -1) return undefined;
      this.#at = at + 1;
      const what = this.#markup(byteAt(this.#text, at + 1));
      if (what !== undefined) return what;
    }
  }

  #markup(byte: number): string | undefined {
    if (n.isLetter(byte)) return this.#tag(false);
    if (byte === SLASH) {
      this.#at++;
      return this.#tag(true);
    }
    if (byte === 0x21) return this.#declaration();
    return byte === 0x3f ? this.#instruction() : undefined;
  }

  #tag(closing: boolean): string | undefined {
    const start = this.#at;
    let at = start;
    while (isNameByte(byteAt(this.#text, at))) at++;
    this.#at = at;
    const kind = n.tagKind(this.#text, start, at);
    if (kind === n.ACTIVE && (!closing || isScript(this.#text, start, at))) return 'tag';
    return this.#attributes(false, kind === n.ACTIVE_WITH_ATTRIBUTES && !closing);
  }

  /** @param inPage Whether the tag is the page's own: then more must be known of a name before it counts. */
  #attributes(inPage: boolean, active: boolean): string | undefined {
    for (;;) {
      const stop = this.#skipToName();
      if (stop) return undefined;
      const start = this.#at;
      this.#skipName();
      const nameStop = this.#at;
      if (!this.#skipEquals()) continue;
      const what = this.#attribute(start, nameStop, inPage) ?? (active ? 'tag' : undefined);
      if (what !== undefined) return what;
    }
  }

  /** To where the next attribute's name begins; true: the tag is over. */
  #skipToName(): boolean {
    for (; ; this.#at++) {
      const byte = byteAt(this.#text, this.#at);
      if (byte === NO_BYTE) return true;
      if (byte === GREATER) {
        this.#at++;
        return true;
      }
      // `<a <b …`: browsers make it an attribute; what matters is the tag that may begin there.
      if (byte === 0x3c) return true;
      if (!isBetween(byte)) return false;
    }
  }

  #skipName(): void {
    for (;;) {
      const byte = byteAt(this.#text, this.#at);
      if (byte === NO_BYTE || byte === EQUALS || byte === GREATER || byte === 0x3c || isBetween(byte)) break;
      this.#at++;
    }
  }

  #skipEquals(): boolean {
    let at = this.#at;
    while (byteAt(this.#text, at) <= 0x20) at++;
    if (byteAt(this.#text, at) !== EQUALS) return false;
    this.#at = at + 1;
    return true;
  }

  #attribute(start: number, stop: number, inPage: boolean): string | undefined {
    const text = this.#text;
    const from = this.#skipValue();
    const to = this.#valueStop;
    if (n.isEvent(text, start, stop, inPage)) return !this.#bare || runs(text, from, to) ? 'event' : undefined;
    const kind = n.attributeKind(text, start, stop);
    if (kind === n.TEXTUAL) return undefined;
    if (kind === n.BINDING) return inPage ? undefined : 'attribute';
    if (kind === n.STYLE) return isActiveStyle(text, from, to) ? 'style' : undefined;
    return isActiveUrl(text, from, to) && (!inPage || stop > start) ? 'url' : undefined;
  }

  /** Over a value; where it begins. Its end is in `#valueStop`. A quote that nothing closes: to the end. */
  #skipValue(): number {
    const text = this.#text;
    let at = this.#at;
    while (byteAt(text, at) <= 0x20) at++;
    const quote = byteAt(text, at);
    if (quote === 0x22 || quote === 0x27 || quote === 0x60) {
      const stop = this.#closing(quote, at + 1);
      this.#valueStop = stop;
      this.#at = byteAt(text, stop) === quote ? stop + 1 : stop;
      return at + 1;
    }
    const from = at;
    for (
      let byte = quote;
      byte !== NO_BYTE && byte > 0x20 && byte !== GREATER && !(this.#flat && byte === 0x3c);
      byte = byteAt(text, at)
    )
      at++;
    this.#valueStop = at;
    this.#at = at;
    return from;
  }

  #closing(quote: number, from: number): number {
    if (this.#flat) return this.#closingFlat(quote, from);
    const stop = this.#text.indexOf(quote === 0x22 ? '"' : quote === 0x27 ? "'" : '`', from);
    return stop === -1 ? this.#text.length : stop;
  }

  #closingFlat(quote: number, from: number): number {
    const text = this.#text;
    for (let i = from; ; i++) {
      const byte = byteAt(text, i);
      if (byte === NO_BYTE || byte === quote || byte === 0x3c) return i;
    }
  }

  /** `<!…`: comments, document types, entities. */
  #declaration(): string | undefined {
    const text = this.#text;
    const at = this.#at + 1;
    if (text.startsWith('--', at)) return this.#comment(at + 2);
    if (text.startsWith('[CDATA[', at)) {
      this.#at = at + 7;
      return undefined;
    }
    const word = text.slice(at, at + 8).toLowerCase();
    if (word.startsWith('entity') || word.startsWith('attlist')) return 'declaration';
    if (this.#flat) return undefined;
    let subset = false;
    for (this.#at = at; this.#at < text.length && byteAt(text, this.#at) !== GREATER; this.#at++) {
      subset ||= byteAt(text, this.#at) === 0x5b;
    }
    return subset && word.startsWith('doctype') ? 'declaration' : undefined;
  }

  /** `<!--[if …` is run by old browsers. */
  #comment(at: number): string | undefined {
    const text = this.#text;
    if (byteAt(text, at) === 0x5b && text.slice(at, at + 3).toLowerCase() === '[if') return 'comment';
    if (this.#flat) return undefined;
    const stop = text.indexOf('--', at);
    this.#at = stop === -1 ? text.length : stop + 2;
    return undefined;
  }

  /** `<?…`: `<?xml version=…?>` opens honest documents. */
  #instruction(): string | undefined {
    const text = this.#text;
    const word = text.slice(this.#at + 1, this.#at + 17).toLowerCase();
    if (word.startsWith('xml-stylesheet') || word.startsWith('xml:') || word.startsWith('import')) return 'instruction';
    return undefined;
  }
}

function isNameByte(byte: number): boolean {
  return n.isLetter(byte) || (byte >= 0x30 && byte <= 0x3a) || byte === 0x2d;
}

/** What stands between attributes: blanks, controls, slashes, stray quotes. */
function isBetween(byte: number): boolean {
  return byte <= 0x20 || byte === SLASH || byte === 0x22 || byte === 0x27 || byte === 0x60 || byte === 0x3b || byte === 0x2c;
}

/** Whether something stands in a handler that runs without more: programs have variables named as events are (`onClose = 1`). */
function runs(text: string, from: number, to: number): boolean {
  if (text.startsWith('()', from)) return false;
  for (let i = from; i < to; i++) {
    const byte = byteAt(text, i);
    if (byte === 0x28 || byte === 0x60 || byte === EQUALS || byte === 0x26 || byte === 0x5b) return true;
  }
  return false;
}

function isScript(text: string, start: number, stop: number): boolean {
  return stop - start === 6 && text.slice(start, stop).toLowerCase() === 'script';
}
