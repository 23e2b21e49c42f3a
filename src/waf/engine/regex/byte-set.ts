/** A set of bytes: 256 bits in eight words. Sets in a tree are never changed after they are made. */
export type ByteSet = Uint32Array;

export function emptySet(): ByteSet {
  return new Uint32Array(8);
}

export function addByte(set: ByteSet, byte: number): void {
  set[byte >>> 5] |= 1 << (byte & 31);
}

/** Both ends belong to it. */
export function addRange(set: ByteSet, from: number, to: number): void {
  for (let byte = from; byte <= to; byte++) addByte(set, byte);
}

export function addAll(set: ByteSet, other: ByteSet): void {
  for (let word = 0; word < 8; word++) set[word] |= other[word];
}

export function hasByte(set: ByteSet, byte: number): boolean {
  return ((set[byte >>> 5] >>> (byte & 31)) & 1) === 1;
}

export function complement(set: ByteSet): ByteSet {
  return set.map((word) => ~word);
}

export function setOf(...ranges: readonly (readonly [number, number])[]): ByteSet {
  const set = emptySet();
  for (const [from, to] of ranges) addRange(set, from, to);
  return set;
}

export function isEmptySet(set: ByteSet): boolean {
  return set.every((word) => word === 0);
}

export function countBytes(set: ByteSet): number {
  let count = 0;
  for (let word of set) for (; word !== 0; word = (word & (word - 1)) >>> 0) count++;
  return count;
}

/** A text that only equal sets share. */
export function setKey(set: ByteSet): string {
  let key = '';
  for (let word = 0; word < 8; word++) key += String.fromCharCode(set[word] & 0xffff, set[word] >>> 16);
  return key;
}

/** Adds the other case of each ASCII letter. Folding is ASCII only: bytes have no other case. */
export function foldCase(set: ByteSet): void {
  for (let lower = 0x61; lower <= 0x7a; lower++) {
    const upper = lower - 32;
    if (hasByte(set, lower)) addByte(set, upper);
    else if (hasByte(set, upper)) addByte(set, lower);
  }
}

export const anyByte: ByteSet = complement(emptySet());
export const notNewline: ByteSet = complement(setOf([10, 10]));
/** `\d` */
export const digits: ByteSet = setOf([0x30, 0x39]);
/** `\w` */
export const wordBytes: ByteSet = setOf([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);
/** `\s`: 0x0b belongs to it, 0x85 and 0xa0 do not. */
export const spaces: ByteSet = setOf([0x09, 0x0d], [0x20, 0x20]);
/** `\h` */
export const horizontalSpaces: ByteSet = setOf([0x09, 0x09], [0x20, 0x20], [0xa0, 0xa0]);
/** `\v` */
export const verticalSpaces: ByteSet = setOf([0x0a, 0x0d], [0x85, 0x85]);

/** `[:name:]` within a class. */
export const posixClasses: ReadonlyMap<string, ByteSet> = new Map([
  ['alpha', setOf([0x41, 0x5a], [0x61, 0x7a])],
  ['lower', setOf([0x61, 0x7a])],
  ['upper', setOf([0x41, 0x5a])],
  ['alnum', setOf([0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a])],
  ['ascii', setOf([0x00, 0x7f])],
  ['blank', setOf([0x09, 0x09], [0x20, 0x20])],
  ['cntrl', setOf([0x00, 0x1f], [0x7f, 0x7f])],
  ['digit', digits],
  ['graph', setOf([0x21, 0x7e])],
  ['print', setOf([0x20, 0x7e])],
  ['punct', setOf([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e])],
  ['space', spaces],
  ['word', wordBytes],
  ['xdigit', setOf([0x30, 0x39], [0x41, 0x46], [0x61, 0x66])],
]);
