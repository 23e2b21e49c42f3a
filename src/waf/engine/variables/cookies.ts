import type { Values } from '../transaction/facts.ts';

/**
 * Cookies as `SecCookieFormat 0` reads them: cut at `;`, blanks before names taken away, values as they came (RFC 6265 section 5.4
 * without its decoding: there is none).
 */
export function readCookies(headers: readonly string[]): Values {
  const names: string[] = [];
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'cookie') continue;
    for (const piece of headers[i + 1].split(';')) addCookie(piece.trim(), names, values);
  }
  return { names, values };
}

function addCookie(piece: string, names: string[], values: string[]): void {
  if (piece === '') return;
  const equals = piece.indexOf('=');
  names.push(equals < 0 ? piece : piece.slice(0, equals));
  values.push(equals < 0 ? '' : piece.slice(equals + 1));
}
