import type { ByteClasses, Word } from './byte-classes.ts';

/** By character: its six bits; 64 for what is no digit. */
const DIGITS = new Uint8Array(256).fill(64);
Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').forEach((digit, i) => {
  DIGITS[digit.charCodeAt(0)] = i;
});

/** The classes of the bytes that `base64Decode` makes of a value, without making them. */
export function wordOfBase64(value: string, { low: lows, high: highs }: ByteClasses): Word {
  let low = 0;
  let high = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = DIGITS[value.charCodeAt(i)];
    if (digit === 64) break;
    bits = (bits << 6) | digit;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    const byte = (bits >> held) & 0xff;
    low |= lows[byte];
    high |= highs[byte];
  }
  return { low, high };
}
