/** What parameters are made of before they have types. Strict: what could be read in another way has no reading here. */

const NOT_ASCII = /[\x80-\xff]/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a byte string (one character per byte), or undefined where it is not UTF-8. */
export function textOfBytes(bytes: string): string | undefined {
  if (!NOT_ASCII.test(bytes)) return bytes;
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Decodes percent-encoding once; undefined for a `%` without two hexadecimal digits, and for bytes that are not UTF-8. */
export function percentDecode(raw: string): string | undefined {
  let at = raw.indexOf('%');
  if (at < 0) return textOfBytes(raw);
  let bytes = '';
  let from = 0;
  for (; at >= 0; at = raw.indexOf('%', from)) {
    const byte = hexDigit(raw.charCodeAt(at + 1)) * 16 + hexDigit(raw.charCodeAt(at + 2));
    // NaN is no digit, or the end of the text.
    if (Number.isNaN(byte)) return undefined;
    bytes += raw.slice(from, at) + String.fromCharCode(byte);
    from = at + 3;
  }
  return textOfBytes(bytes + raw.slice(from));
}

/** The same for a part of a query, where `+` is a space. */
export function formDecode(raw: string): string | undefined {
  return percentDecode(raw.includes('+') ? raw.replaceAll('+', ' ') : raw);
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** Names that reach the prototype in a service that builds objects of what it reads (CWE-1321). */
export function reachesPrototype(name: string): boolean {
  return name.includes('__proto__') || name === 'constructor' || name === 'prototype';
}
