/** Byte classes of HTTP/1 (RFC 9110 section 5, RFC 9112 section 2), as tables so that a byte costs one look-up. */

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

function table(allowed: (byte: number) => boolean): Uint8Array {
  const bytes = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) bytes[byte] = allowed(byte) ? 1 : 0;
  return bytes;
}

const TOKEN_CHARS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** tchar: field names and methods. */
export const isToken = table((byte) => TOKEN_CHARS.includes(String.fromCharCode(byte)));

/** What a field value may hold: HTAB, SP, VCHAR and obs-text. No CR, LF, NUL or other control character. */
export const isFieldByte = table((byte) => byte === TAB || (byte >= SPACE && byte !== 0x7f));

/** What a request target may hold on the wire: visible ASCII. Everything else is for `%` escapes. */
export const isTargetByte = table((byte) => byte > SPACE && byte < 0x7f);

/** The value of a hexadecimal digit, or 255. */
export const hexValue = new Uint8Array(256).map((_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? 255 : digit;
});
