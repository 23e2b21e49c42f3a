/**
 * What a value cannot match without: a formula of bytes and literals. It may hold where nothing matches, never the other way round.
 * Literals are in lower case and are looked for without case.
 */
export type Requirement =
  /** Nothing can be said. */
  | { readonly kind: 'anything' }
  /** Nothing ever matches. */
  | { readonly kind: 'nothing' }
  /** One of these bytes occurs: 256 bits in eight words. */
  | { readonly kind: 'bytes'; readonly set: Uint32Array }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'all'; readonly of: readonly Requirement[] }
  | { readonly kind: 'any'; readonly of: readonly Requirement[] };

export const ANYTHING: Requirement = { kind: 'anything' };

/** The bytes that a table marks with 1, as 256 bits in eight words. */
export function markedBytes(table: ArrayLike<number>): Uint32Array {
  const set = new Uint32Array(8);
  for (let byte = 0; byte < 256; byte++) if (table[byte] === 1) set[byte >>> 5] |= 1 << (byte & 31);
  return set;
}

/** One of the bytes that a table marks with 1. */
export function bytesOf(table: ArrayLike<number>): Requirement {
  return { kind: 'bytes', set: markedBytes(table) };
}

export function anyLiteral(texts: readonly string[]): Requirement {
  return texts.some((text) => text === '') ? ANYTHING : { kind: 'any', of: texts.map(literal) };
}

export function literal(text: string): Requirement {
  return { kind: 'literal', text: lowerCase(text) };
}

/** One of the bytes of a text. */
export function byteIn(text: string): Requirement {
  return bytesOf(Uint8Array.from({ length: 256 }, (_, byte) => Number(text.includes(String.fromCharCode(byte)))));
}

/** Whether a value meets a requirement, read off its meaning: the plain twin of whatever filters values. */
export function meets(value: string, requirement: Requirement): boolean {
  return meetsIn(value, lowerCase(value), requirement);
}

function meetsIn(value: string, lower: string, requirement: Requirement): boolean {
  switch (requirement.kind) {
    case 'anything':
      return true;
    case 'nothing':
      return false;
    case 'literal':
      return lower.includes(requirement.text);
    case 'bytes':
      return holdsByte(value, requirement.set);
    case 'all':
      return requirement.of.every((part) => meetsIn(value, lower, part));
    case 'any':
      return requirement.of.some((part) => meetsIn(value, lower, part));
  }
}

function holdsByte(value: string, set: Uint32Array): boolean {
  for (let i = 0; i < value.length; i++) {
    const byte = value.charCodeAt(i);
    if (((set[byte >>> 5] >>> (byte & 31)) & 1) === 1) return true;
  }
  return false;
}

/** ASCII only: other bytes have no case. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
