/**
 * Networks of IPv4 and IPv6, hundreds of thousands of them, and whether an address belongs to one: ranges that do not touch, in order,
 * searched by halves. An IPv4 address in its IPv6 clothes (`::ffff:192.0.2.1`) is the IPv4 address: both name the same peer.
 */

/** An address as four words of 32 bits; IPv4 is in the last one. */
const WORDS = 4;
const PREFIX = /^(\d{1,3})$/;

export class AddressSet {
  /** First and last address of each range, one after the other. */
  readonly #v4: Uint32Array;
  /** The same, eight words a range. */
  readonly #v6: Uint32Array;

  private constructor(v4: Uint32Array, v6: Uint32Array) {
    this.#v4 = v4;
    this.#v6 = v6;
  }

  /** The set of addresses and networks as people write them; what cannot be read is handed back as it is. */
  static of(networks: readonly string[]): AddressSet | string {
    const list = new NetworkList(networks.length);
    for (const network of networks) if (!list.add(network)) return network;
    return new AddressSet(list.ranges(4), list.ranges(6));
  }

  /** False for what is no address. */
  has(address: string): boolean {
    const kind = parseAddress(address, parsed);
    if (kind === 0) return false;
    return kind === 4 ? holdsV4(this.#v4, parsed[3]) : holdsV6(this.#v6, parsed);
  }
}

/** What was parsed last: read at once, never kept. */
const parsed = new Uint32Array(WORDS);

function holdsV4(ranges: Uint32Array, address: number): boolean {
  let low = 0;
  let high = ranges.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (address > ranges[2 * middle + 1]) low = middle + 1;
    else high = middle;
  }
  return 2 * low < ranges.length && address >= ranges[2 * low];
}

function holdsV6(ranges: Uint32Array, address: Uint32Array): boolean {
  let low = 0;
  let high = ranges.length >> 3;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareWords(address, 0, ranges, 8 * middle + WORDS) > 0) low = middle + 1;
    else high = middle;
  }
  return 8 * low < ranges.length && compareWords(address, 0, ranges, 8 * low) >= 0;
}

function compareWords(a: Uint32Array, atA: number, b: Uint32Array, atB: number): number {
  for (let i = 0; i < WORDS; i++) if (a[atA + i] !== b[atB + i]) return a[atA + i] < b[atB + i] ? -1 : 1;
  return 0;
}

/** Networks as they are read, in flat arrays: an object each would cost most of the time that a list of 100,000 takes. */
class NetworkList {
  /** The first address of each. */
  readonly #words: Uint32Array;
  /** The length of the prefix, counted in 128 bits. */
  readonly #bits: Uint8Array;
  readonly #kinds: Uint8Array;
  #count = 0;

  constructor(most: number) {
    this.#words = new Uint32Array(most * WORDS);
    this.#bits = new Uint8Array(most);
    this.#kinds = new Uint8Array(most);
  }

  /** False for what is no network. */
  add(network: string): boolean {
    const slash = network.indexOf('/');
    const address = slash < 0 ? network : network.slice(0, slash);
    const kind = parseAddress(address, parsed);
    if (kind === 0) return false;
    const isClothed = kind === 4 && address.includes(':');
    const bits = slash < 0 ? 128 : prefixBits(network.slice(slash + 1), kind === 4 && !isClothed ? 32 : 128);
    if (bits === undefined) return false;
    // A network wider than all of IPv4 in its IPv6 clothes is one of IPv6.
    const isV4 = kind === 4 && bits >= 96;
    if (isClothed && !isV4) parsed[2] = 0xffff;
    for (let word = 0; word < WORDS; word++) this.#words[this.#count * WORDS + word] = parsed[word] & ~freeBits(word, bits);
    this.#bits[this.#count] = bits;
    this.#kinds[this.#count] = isV4 ? 4 : 6;
    this.#count++;
    return true;
  }

  /** First and last address of all networks of a kind, in order. One network holds another or has nothing in common with it. */
  ranges(kind: 4 | 6): Uint32Array {
    const words = kind === 4 ? 1 : WORDS;
    const order = this.#ordered(kind);
    const flat = new Uint32Array(order.length * 2 * words);
    let end = 0;
    for (const network of order) {
      const first = network * WORDS + WORDS - words;
      if (end > 0 && this.#compare(first, flat, end - words, words) <= 0) continue;
      for (let word = 0; word < words; word++) {
        flat[end + word] = this.#words[first + word];
        flat[end + words + word] = this.#words[first + word] | freeBits(WORDS - words + word, this.#bits[network]);
      }
      end += 2 * words;
    }
    return flat.slice(0, end);
  }

  /** By the first address, the widest network first. */
  #ordered(kind: 4 | 6): Uint32Array {
    const order = new Uint32Array(this.#count);
    let length = 0;
    for (let i = 0; i < this.#count; i++) if (this.#kinds[i] === kind) order[length++] = i;
    return order
      .subarray(0, length)
      .sort((a, b) => this.#compare(a * WORDS, this.#words, b * WORDS, WORDS) || this.#bits[a] - this.#bits[b]);
  }

  #compare(at: number, other: Uint32Array, atOther: number, words: number): number {
    for (let i = 0; i < words; i++) {
      const difference = this.#words[at + i] - other[atOther + i];
      if (difference !== 0) return difference;
    }
    return 0;
  }
}

/** The bits of one of the four words that a prefix leaves open. */
function freeBits(word: number, bits: number): number {
  const free = Math.min(32, Math.max(0, 32 * (word + 1) - bits));
  return free === 32 ? 0xffffffff : 2 ** free - 1;
}

/** The length of a prefix, counted in 128 bits. */
function prefixBits(text: string, most: number): number | undefined {
  const bits = PREFIX.test(text) ? Number(text) : Number.NaN;
  return bits <= most ? bits + 128 - most : undefined;
}

/** Reads an address into four words: 4 or 6 for what it is, 0 for what is none. */
function parseAddress(text: string, words: Uint32Array): 0 | 4 | 6 {
  // The longest that there is: six groups and an IPv4 address.
  if (text.length > 45) return 0;
  words.fill(0);
  if (text.includes(':')) return parseV6(text, words);
  const address = parseV4(text, 0);
  if (address < 0) return 0;
  words[3] = address;
  return 4;
}

/** Four numbers up to 255 without leading zeros, which some would read as octal; -1 for anything else. */
function parseV4(text: string, from: number): number {
  let address = 0;
  let part = -1;
  let dots = 0;
  for (let i = from; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    if (byte === 0x2e) {
      if (part < 0 || ++dots > 3) return -1;
      address = address * 256 + part;
      part = -1;
      continue;
    }
    const digit = byte - 0x30;
    if (digit < 0 || digit > 9 || part === 0) return -1;
    part = part < 0 ? digit : part * 10 + digit;
    if (part > 255) return -1;
  }
  return part < 0 || dots !== 3 ? -1 : address * 256 + part;
}

const groups = new Uint16Array(8);

function parseV6(text: string, words: Uint32Array): 0 | 4 | 6 {
  groups.fill(0);
  let count = 0;
  /** Before which group `::` stands. */
  let gap = -1;
  let i = 0;
  if (text.startsWith('::')) {
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    const end = endOfGroup(text, i);
    if (end < text.length && text.charCodeAt(end) === 0x2e) {
      const address = parseV4(text, i);
      if (address < 0 || count > 6) return 0;
      groups[count++] = address / 0x10000;
      groups[count++] = address & 0xffff;
      break;
    }
    if (end === i || count === 8) return 0;
    groups[count++] = Number.parseInt(text.slice(i, end), 16);
    if (end === text.length) break;
    if (text.charCodeAt(end) !== 0x3a) return 0;
    i = end + 1;
    if (i === text.length) return 0;
    if (text.charCodeAt(i) === 0x3a) {
      if (gap >= 0) return 0;
      gap = count;
      i++;
    }
  }
  if (gap < 0 ? count !== 8 : count > 7) return 0;
  spread(count, gap);
  for (let word = 0; word < WORDS; word++) words[word] = groups[2 * word] * 0x10000 + groups[2 * word + 1];
  if (words[0] !== 0 || words[1] !== 0 || words[2] !== 0xffff) return 6;
  words[2] = 0;
  return 4;
}

/** Behind up to four hexadecimal digits. */
function endOfGroup(text: string, from: number): number {
  let i = from;
  while (i < text.length && i < from + 4 && isHexDigit(text.charCodeAt(i))) i++;
  return i;
}

function isHexDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}

/** Moves the groups behind the gap to the end. */
function spread(count: number, gap: number): void {
  if (gap < 0) return;
  const behind = count - gap;
  groups.copyWithin(8 - behind, gap, count);
  groups.fill(0, gap, 8 - behind);
}
