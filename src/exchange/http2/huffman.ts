/**
 * How many bits the code of each byte has, in base 36; the last one is EOS. The code of HPACK is a canonical one, so that its lengths are
 * all of RFC 7541 appendix B.
 */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';

const EOS = 256;
const LONGEST = 30;

/** For each length: its first code, how many codes it has, and where their symbols begin in {@link SYMBOLS}. */
const FIRST = new Int32Array(LONGEST + 1);
const COUNT = new Int32Array(LONGEST + 1);
const PLACE = new Int32Array(LONGEST + 1);
/** All symbols in the order of their codes. */
const SYMBOLS = new Uint16Array(EOS + 1);
/** By the next 8 bits: `symbol << 4 | length` of a code that is no longer than that, or 0. */
const SHORT = new Uint16Array(256);

buildTables();

function buildTables(): void {
  let code = 0;
  let place = 0;
  for (let length = 5; length <= LONGEST; length++) {
    FIRST[length] = code;
    PLACE[length] = place;
    for (let symbol = 0; symbol <= EOS; symbol++) {
      if (Number.parseInt(LENGTHS[symbol], 36) !== length) continue;
      SYMBOLS[place++] = symbol;
      if (length <= 8) SHORT.fill((symbol << 4) | length, code << (8 - length), (code + 1) << (8 - length));
      code++;
    }
    COUNT[length] = place - PLACE[length];
    code *= 2;
  }
}

/** The most bytes that so many bytes of Huffman code can stand for: the shortest codes have five bits. */
export function longestDecoded(length: number): number {
  return Math.ceil((length * 8) / 5);
}

/**
 * Decodes a string (RFC 7541 section 5.2) into `out`, which must have room for {@link longestDecoded}.
 * @returns how many bytes it has, or -1 where it holds EOS or is not padded with less than 8 ones
 */
export function decodeHuffman(bytes: Buffer, from: number, to: number, out: Buffer): number {
  const end = to * 8;
  let bit = from * 8;
  let length = 0;
  while (bit < end) {
    const at = bit >> 3;
    // Behind the end stand ones, as padding does.
    const next = (bytes[at] << 8) | (at + 1 < to ? bytes[at + 1] : 0xff);
    const short = SHORT[(next >> (8 - (bit & 7))) & 0xff];
    if (short === 0) {
      if (end - bit < 8) return length;
      const long = longCode(bytes, bit, end);
      if (long < 0) return -1;
      out[length++] = long & 0xff;
      bit += long >> 8;
      continue;
    }
    bit += short & 15;
    if (bit > end) return -1;
    out[length++] = short >> 4;
  }
  return length;
}

/** `length << 8 | symbol` of the code at `bit` that has more than 8 bits, or -1. */
function longCode(bytes: Buffer, bit: number, end: number): number {
  let code = 0;
  for (let length = 1; length <= LONGEST && bit + length <= end; length++) {
    const at = bit + length - 1;
    code = (code << 1) | ((bytes[at >> 3] >> (7 - (at & 7))) & 1);
    const place = code - FIRST[length];
    if (length > 8 && place >= 0 && place < COUNT[length]) {
      const symbol = SYMBOLS[PLACE[length] + place];
      return symbol === EOS ? -1 : (length << 8) | symbol;
    }
  }
  return -1;
}
