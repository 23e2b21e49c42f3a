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
    const v4: Range[] = [];
    const v6: Range[] = [];
    for (const network of networks) {
      const range = rangeOf(network);
      if (range === undefined) return network;
      (range.isV4 ? v4 : v6).push(range);
    }
    return new AddressSet(flatten(v4, 1), flatten(v6, WORDS));
  }

  /** False for what is no address. */
  has(address: string): boolean {
    const kind = parseAddress(address, parsed);
    if (kind === 0) return false;
    return kind === 4 ? holdsV4(this.#v4, parsed[3]) : holdsV6(this.#v6, parsed);
  }
}

interface Range {
  readonly isV4: boolean;
  readonly first: Uint32Array;
  readonly last: Uint32Array;
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

/** In order, with ranges that overlap made one; `words` of each end, the last ones. */
function flatten(ranges: Range[], words: number): Uint32Array {
  ranges.sort((a, b) => compareWords(a.first, 0, b.first, 0));
  const merged: { first: Uint32Array; last: Uint32Array }[] = [];
  for (const { first, last } of ranges) {
    const before = merged.at(-1);
    if (before === undefined || compareWords(first, 0, before.last, 0) > 0) merged.push({ first, last });
    else if (compareWords(last, 0, before.last, 0) > 0) before.last = last;
  }
  const flat = new Uint32Array(merged.length * 2 * words);
  merged.forEach(({ first, last }, i) => {
    flat.set(first.subarray(WORDS - words), 2 * words * i);
    flat.set(last.subarray(WORDS - words), 2 * words * i + words);
  });
  return flat;
}

function rangeOf(network: string): Range | undefined {
  const slash = network.indexOf('/');
  const first = new Uint32Array(WORDS);
  const address = slash < 0 ? network : network.slice(0, slash);
  const kind = parseAddress(address, first);
  if (kind === 0) return undefined;
  const isClothed = kind === 4 && address.includes(':');
  const bits = slash < 0 ? 128 : prefixBits(network.slice(slash + 1), kind === 4 && !isClothed ? 32 : 128);
  if (bits === undefined) return undefined;
  // A network wider than all of IPv4 in its IPv6 clothes is one of IPv6.
  const isV4 = kind === 4 && bits >= 96;
  if (isClothed && !isV4) first[2] = 0xffff;
  const last = first.slice();
  for (let word = 0; word < WORDS; word++) {
    const free = Math.min(32, Math.max(0, 32 * (word + 1) - bits));
    const mask = free === 32 ? 0xffffffff : 2 ** free - 1;
    first[word] = first[word] & ~mask;
    last[word] = last[word] | mask;
  }
  return { isV4, first, last };
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
