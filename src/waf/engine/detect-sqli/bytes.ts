/** Stands for the byte behind a value's end: no byte, and an index that tables of bytes have. */
export const NO_BYTE = 256;

/** A byte of a value; NO_BYTE outside. V8 is slow where `charCodeAt` gives NaN. */
export function byteAt(text: string, at: number): number {
  return at >>> 0 < text.length ? text.charCodeAt(at) : NO_BYTE;
}
