/**
 * As much HPACK (RFC 7541) as tests need: an encoder that writes what it is told, well-formed or not, and a decoder that reads the
 * answers of a server: static and dynamic table, Huffman for printable ASCII.
 */

/** A field as it stands on the wire: names and values are latin1, one character per byte. */
export type Field = readonly [name: string, value: string];

/** Literal fields without indexing: any bytes, no memory on either side. */
export function encodeFields(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0x00), encodeString(name), encodeString(value)]));
}

/** A literal field that goes into the dynamic table, where `indexed` finds it again. */
export function encodeAndRemember([name, value]: Field): Buffer {
  return Buffer.concat([Buffer.of(0x40), encodeString(name), encodeString(value)]);
}

/** A whole field out of a table: 1 to 61 the static one, from 62 on the dynamic one, the newest first. */
export function indexed(index: number): Buffer {
  return encodeInteger(index, 7, 0x80);
}

/** Changes the size of the dynamic table. */
export function tableSize(bytes: number): Buffer {
  return encodeInteger(bytes, 5, 0x20);
}

function encodeString(text: string): Buffer {
  return Buffer.concat([encodeInteger(text.length, 7, 0), Buffer.from(text, 'latin1')]);
}

function encodeInteger(value: number, bits: number, first: number): Buffer {
  const most = (1 << bits) - 1;
  if (value < most) return Buffer.of(first | value);
  const bytes = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

const STATIC: readonly Field[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...[
    'accept-language',
    'accept-ranges',
    'accept',
    'access-control-allow-origin',
    'age',
    'allow',
    'authorization',
    'cache-control',
    'content-disposition',
    'content-encoding',
    'content-language',
    'content-length',
    'content-location',
    'content-range',
    'content-type',
    'cookie',
    'date',
    'etag',
    'expect',
    'expires',
    'from',
    'host',
    'if-match',
    'if-modified-since',
    'if-none-match',
    'if-range',
    'if-unmodified-since',
    'last-modified',
    'link',
    'location',
    'max-forwards',
    'proxy-authenticate',
    'proxy-authorization',
    'range',
    'referer',
    'refresh',
    'retry-after',
    'server',
    'set-cookie',
    'strict-transport-security',
    'transfer-encoding',
    'user-agent',
    'vary',
    'via',
    'www-authenticate',
  ].map((name): Field => [name, '']),
];

/** Reads the header blocks of one connection, in the order in which they came. */
export class HpackDecoder {
  #table: Field[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  decode(block: Buffer): Field[] {
    this.#bytes = block;
    this.#at = 0;
    const fields: Field[] = [];
    while (this.#at < block.length) {
      const first = block[this.#at];
      if (first >= 0x80) fields.push(this.#field(this.#integer(7)));
      else if (first >= 0x40) fields.push(this.#remember(this.#literal(6)));
      else if (first >= 0x20) this.#resize(this.#integer(5));
      else fields.push(this.#literal(4));
    }
    return fields;
  }

  #field(index: number): Field {
    const field = index <= STATIC.length ? STATIC[index - 1] : this.#table[index - STATIC.length - 1];
    if (field === undefined) throw new Error(`no field ${index} in the tables`);
    return field;
  }

  #literal(bits: number): Field {
    const index = this.#integer(bits);
    const name = index === 0 ? this.#string() : this.#field(index)[0];
    return [name, this.#string()];
  }

  #remember(field: Field): Field {
    this.#table.unshift(field);
    this.#resize(4096);
    return field;
  }

  #resize(most: number): void {
    let size = 0;
    this.#table = this.#table.filter(([name, value]) => (size += name.length + value.length + 32) <= most);
  }

  #integer(bits: number): number {
    const most = (1 << bits) - 1;
    let value = this.#bytes[this.#at++] & most;
    if (value < most) return value;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  #string(): string {
    const packed = this.#bytes[this.#at] >= 0x80;
    const length = this.#integer(7);
    const bytes = this.#bytes.subarray(this.#at, (this.#at += length));
    return packed ? unpack(bytes) : bytes.toString('latin1');
  }
}

/** Lengths of the codes for the characters from space to `~`, in base 36: with them the canonical code is known (RFC 7541 appendix B). */
const LENGTHS = '6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbed';

/** `LENGTH:CODE` → character. NUL stands among the printable ones and moves those behind it. */
const CODES = canonicalCodes();

function canonicalCodes(): Map<string, string> {
  const symbols = [
    ['\0', 13] as const,
    ...[...LENGTHS].map((length, i) => [String.fromCharCode(32 + i), Number.parseInt(length, 36)] as const),
  ];
  const codes = new Map<string, string>();
  let code = 0;
  for (let length = 5; length <= 19; length++) {
    for (const [symbol, own] of symbols) if (own === length) codes.set(`${length}:${code++}`, symbol);
    code *= 2;
  }
  return codes;
}

function unpack(bytes: Buffer): string {
  let text = '';
  let code = 0;
  let length = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    code = code * 2 + ((bytes[bit >> 3] >> (7 - (bit & 7))) & 1);
    length += 1;
    const symbol = CODES.get(`${length}:${code}`);
    if (symbol === undefined) continue;
    text += symbol;
    code = 0;
    length = 0;
  }
  return text;
}
