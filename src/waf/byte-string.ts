const NOT_ASCII = /[^\x00-\x7f]/;

/** A text as its UTF-8 bytes, one character per byte: rules match bytes. */
export function byteString(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}
