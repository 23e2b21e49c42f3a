import type { Transformation } from '../transformation.ts';
import { byteTable, HEX_VALUE, narrow, WHITE_SPACE } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const BACKSLASH = 0x5c;
const MOST_DIGITS = 6;
const SPACES = byteTable(WHITE_SPACE);

/** Escapes of style sheets: `\` and one to six hexadecimal digits, of which the last two count, and one white space behind them. */
export const cssDecode: Transformation = new RewriteTransformation({
  name: 'cssDecode',
  triggers: byteTable('\\'),
  introduces: undefined,
  rewrite: decode,
});

function decode(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let i = start;
  while (i < end) {
    if (bytes[i] !== BACKSLASH) {
      bytes[to++] = bytes[i++];
      continue;
    }
    i++;
    if (i === end) break;
    const digits = hexDigits(bytes, i, end);
    if (digits > 0) {
      bytes[to++] = narrowCss(codeOf(bytes, i, digits));
      i += digits;
      if (i < end && SPACES[bytes[i]] !== 0) i++;
    } else if (bytes[i] === 0x0a) {
      i++;
    } else {
      bytes[to++] = bytes[i++];
    }
  }
  return to;
}

function hexDigits(bytes: Uint8Array, at: number, end: number): number {
  const last = Math.min(at + MOST_DIGITS, end);
  let i = at;
  while (i < last && HEX_VALUE[bytes[i]] >= 0) i++;
  return i - at;
}

function codeOf(bytes: Uint8Array, at: number, digits: number): number {
  let code = 0;
  for (let i = at; i < at + digits; i++) code = code * 16 + HEX_VALUE[bytes[i]];
  return code;
}

/** Full-width forms lie below U+10000: zeros may stand before them, nothing else. */
function narrowCss(code: number): number {
  return code > 0xffff ? code & 0xff : narrow(code);
}
