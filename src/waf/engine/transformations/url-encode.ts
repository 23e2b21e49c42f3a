import type { Transformation } from '../transformation.ts';
import { byteTable, LOWER_HEX } from './bytes.ts';
import { scratch } from './rewrite.ts';

const KEPT = byteTable('*', [0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]);
const HEX_DIGITS = Buffer.from(LOWER_HEX, 'latin1');
const TO_ENCODE = /[^*0-9A-Za-z]/;

/** Letters, digits and `*` stay, a space becomes `+`, all else `%xx`. */
export const urlEncode: Transformation = {
  name: 'urlEncode',
  triggers: KEPT.map((kept) => 1 - kept),
  introduces: byteTable('+%', LOWER_HEX),
  apply: (value) => (TO_ENCODE.test(value) ? encode(value) : value),
};

function encode(value: string): string {
  const bytes = scratch(value.length * 3);
  let to = 0;
  for (let i = 0; i < value.length; i++) {
    const byte = value.charCodeAt(i);
    if (KEPT[byte] !== 0) {
      bytes[to++] = byte;
    } else if (byte === 0x20) {
      bytes[to++] = 0x2b;
    } else {
      bytes[to++] = 0x25;
      bytes[to++] = HEX_DIGITS[byte >> 4];
      bytes[to++] = HEX_DIGITS[byte & 15];
    }
  }
  const result = bytes.toString('latin1', 0, to);
  return to === value.length && result === value ? value : result;
}
