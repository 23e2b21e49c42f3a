import { DerError, DerReader, OBJECT_IDENTIFIER, oidText, SEQUENCE, SET } from './der.ts';

/** One attribute of a name: its type as an object identifier, and its value as text; `#` and hexadecimal where it is no text that we read. */
export interface NameAttribute {
  readonly type: string;
  readonly value: string;
  /** False: `value` is the hexadecimal encoding, and equals no text. */
  readonly text: boolean;
}

/** A distinguished name in the order of its encoding: the most general first. Mostly one attribute to a part, but there may be several. */
export type DistinguishedName = readonly (readonly NameAttribute[])[];

/** The short names of RFC 4514 section 3, and those that OpenSSL writes besides. A type that is not here is written as an identifier. */
const TYPES: readonly (readonly [name: string, type: string])[] = [
  ['CN', '2.5.4.3'],
  ['L', '2.5.4.7'],
  ['ST', '2.5.4.8'],
  ['O', '2.5.4.10'],
  ['OU', '2.5.4.11'],
  ['C', '2.5.4.6'],
  ['STREET', '2.5.4.9'],
  ['DC', '0.9.2342.19200300.100.1.25'],
  ['UID', '0.9.2342.19200300.100.1.1'],
  ['SN', '2.5.4.4'],
  ['GN', '2.5.4.42'],
  ['SERIALNUMBER', '2.5.4.5'],
  ['TITLE', '2.5.4.12'],
  ['EMAILADDRESS', '1.2.840.113549.1.9.1'],
];
const TYPE_OF = new Map<string, string>(TYPES);
TYPE_OF.set('S', '2.5.4.8').set('SURNAME', '2.5.4.4').set('GIVENNAME', '2.5.4.42').set('E', '1.2.840.113549.1.9.1');
const NAME_OF = new Map(TYPES.map(([name, type]) => [type, name]));

/** The object identifier of an attribute's name, in any case, or of an identifier itself. */
export function attributeType(name: string): string | undefined {
  return /^\d{1,10}(?:\.\d{1,15}){1,30}$/.test(name) ? name : TYPE_OF.get(name.toUpperCase());
}

/** The short name of a type, or the identifier itself. */
export function attributeName(type: string): string {
  return NAME_OF.get(type) ?? type;
}

/** Reads a Name (RFC 5280 section 4.1.2.4). Throws DerError. */
export function readName(der: Buffer): DistinguishedName {
  const reader = new DerReader(der);
  const parts = reader.enter(SEQUENCE);
  const name: NameAttribute[][] = [];
  while (!parts.done) name.push(readPart(parts.enter(SET)));
  return name;
}

function readPart(reader: DerReader): NameAttribute[] {
  const part: NameAttribute[] = [];
  while (!reader.done) {
    const pair = reader.enter(SEQUENCE);
    const type = oidText(pair.next(OBJECT_IDENTIFIER).value);
    const { tag, value, raw } = pair.next();
    const text = decodeString(tag, value);
    part.push(text === undefined ? { type, value: `#${raw.toString('hex')}`, text: false } : { type, value: text, text: true });
  }
  if (part.length === 0) throw new DerError('a part of a name without an attribute');
  return part.sort(byTypeThenValue);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text of a DirectoryString, or undefined where its bytes have more than one reading: TeletexString, of which every reader makes
 * something else, and what is not valid in the encoding that it claims. NUL and other control characters stay in the text: they make it
 * unequal to every name without them (CVE-2009-2408, CVE-2021-44533).
 */
function decodeString(tag: number, value: Buffer): string | undefined {
  switch (tag) {
    case 0x0c: // UTF8String
      return decodeUtf8(value);
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return value.every((byte) => byte < 0x80) ? value.toString('latin1') : undefined;
    case 0x1e: // BMPString
      return value.length % 2 === 0 ? wellFormed(Buffer.from(value).swap16().toString('utf16le')) : undefined;
    default:
      return undefined;
  }
}

function decodeUtf8(value: Buffer): string | undefined {
  try {
    return utf8.decode(value);
  } catch {
    return undefined;
  }
}

function wellFormed(text: string): string | undefined {
  return text.isWellFormed() ? text : undefined;
}

function byTypeThenValue(a: NameAttribute, b: NameAttribute): number {
  return compare(a.type, b.type) || compare(a.value, b.value);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The one text of a name, by RFC 4514: last part first, attributes of one part in a fixed order. Two names have the same text only when
 * they have the same parts with the same types and values, whatever these hold: comma, plus, equals and control characters are escaped.
 */
export function nameText(name: DistinguishedName): string {
  let text = '';
  for (let i = name.length - 1; i >= 0; i--) {
    text += (text === '' ? '' : ',') + name[i].map((one) => `${attributeName(one.type)}=${escapeValue(one)}`).join('+');
  }
  return text;
}

/** The same for lists by which certificates find the list or the authority of their issuer: letter case and blanks do not count (RFC 5280 section 7.1). */
export function nameKey(name: DistinguishedName): string {
  const fold = (one: NameAttribute): NameAttribute => ({ ...one, value: one.value.trim().replace(/\s+/g, ' ').toLowerCase() });
  return nameText(name.map((part) => part.map(fold)));
}

function escapeValue({ value, text }: NameAttribute): string {
  if (!text) return value;
  let escaped = '';
  const last = value.length - 1;
  for (let i = 0; i <= last; i++) escaped += escapeChar(value[i], i === 0, i === last);
  return escaped;
}

function escapeChar(char: string, first: boolean, last: boolean): string {
  if (char < ' ' || char === '\x7f') return `\\${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`;
  if (',+"\\<>;='.includes(char)) return `\\${char}`;
  if ((first && char === '#') || ((first || last) && char === ' ')) return `\\${char}`;
  return char;
}

/**
 * Reads a name that a person wrote, by RFC 4514 and with the blanks around `,` `+` `=` that RFC 2253 allows. A text by which something else
 * could be meant is refused with what is wrong: the form `/CN=…/O=…` of old OpenSSL, quotes, an unknown attribute.
 */
export function parseName(text: string): DistinguishedName | string {
  if (text.trimStart().startsWith('/')) return 'write the name as `CN=…,O=…` (RFC 4514), not with slashes';
  const parser = new NameParser(text);
  const name: NameAttribute[][] = [];
  do {
    const part: NameAttribute[] = [];
    do {
      const attribute = parser.attribute();
      if (typeof attribute === 'string') return attribute;
      part.push(attribute);
    } while (parser.take('+'));
    name.push(part.sort(byTypeThenValue));
  } while (parser.take(','));
  return parser.done ? name.reverse() : `unexpected ${JSON.stringify(text[parser.at])}`;
}

/** One pass from the left; `at` is where it stands. */
class NameParser {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.at >= this.#text.length;
  }

  take(char: string): boolean {
    if (this.#text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  attribute(): NameAttribute | string {
    const equals = this.#text.indexOf('=', this.at);
    if (equals < 0) return 'an attribute is not written as NAME=VALUE';
    const written = this.#text.slice(this.at, equals).trim();
    const type = attributeType(written);
    if (type === undefined) return `${JSON.stringify(written)} is no attribute that has a name here: write its object identifier`;
    this.at = equals + 1;
    while (this.#text[this.at] === ' ') this.at++;
    return this.#text[this.at] === '#' ? this.#encoded(type) : this.#value(type);
  }

  #encoded(type: string): NameAttribute | string {
    const [value] = /^#(?:[0-9a-f]{2})*/i.exec(this.#text.slice(this.at)) ?? [''];
    if (value.length < 3) return '# begins a value in hexadecimal: write \\# for the character';
    this.at += value.length;
    this.#skipBlanks();
    return { type, value: value.toLowerCase(), text: false };
  }

  #value(type: string): NameAttribute | string {
    const bytes: number[] = [];
    // Blanks at the end are not of the value, escaped ones are.
    let end = 0;
    while (!this.done && this.#text[this.at] !== ',' && this.#text[this.at] !== '+') {
      const char = this.#text[this.at];
      if ('"<>;'.includes(char)) return `${char} has to be written as \\${char}`;
      if (char === '\\') {
        const escaped = this.#escape();
        if (escaped === undefined) return 'a \\ that escapes nothing';
        bytes.push(escaped);
        end = bytes.length;
        continue;
      }
      const point = this.#text.codePointAt(this.at) as number;
      const whole = String.fromCodePoint(point);
      this.at += whole.length;
      bytes.push(...Buffer.from(whole));
      if (char !== ' ') end = bytes.length;
    }
    const value = decodeUtf8(Buffer.from(bytes.slice(0, end)));
    return value === undefined ? 'escaped bytes that are not UTF-8' : { type, value, text: true };
  }

  /** `\,` or `\2C`: one byte. */
  #escape(): number | undefined {
    const char = this.#text[this.at + 1];
    const pair = this.#text.slice(this.at + 1, this.at + 3);
    if (/^[0-9a-f]{2}$/i.test(pair)) {
      this.at += 3;
      return Number.parseInt(pair, 16);
    }
    if (char === undefined || !',+"\\<>;= #'.includes(char)) return undefined;
    this.at += 2;
    return char.charCodeAt(0);
  }

  #skipBlanks(): void {
    while (this.#text[this.at] === ' ') this.at++;
  }
}
