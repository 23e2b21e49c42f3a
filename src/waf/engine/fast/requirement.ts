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

/** One of the bytes that a table marks with 1. */
export function bytesOf(table: ArrayLike<number>): Requirement {
  const set = new Uint32Array(8);
  for (let byte = 0; byte < 256; byte++) if (table[byte] === 1) set[byte >>> 5] |= 1 << (byte & 31);
  return { kind: 'bytes', set };
}

export function anyLiteral(texts: readonly string[]): Requirement {
  return texts.some((text) => text === '') ? ANYTHING : { kind: 'any', of: texts.map(literal) };
}

export function literal(text: string): Requirement {
  return { kind: 'literal', text: text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) };
}
