import type { Transformation } from '../transformation.ts';
import { byteTable } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const DROPPED = byteTable('"\'\\^');
const SPACES = byteTable(' ,;\t\r\n');
const JOINING = byteTable('/(');

/**
 * Undoes what hides a command from a filter and not from a shell: quotes, backslashes and carets go, white space, commas and semicolons
 * become one space, none before `/` and `(`, letters become small.
 */
export const cmdLine: Transformation = new RewriteTransformation({
  name: 'cmdLine',
  triggers: byteTable('"\'\\^ ,;\t\r\n', [0x41, 0x5a]),
  introduces: byteTable(' ', [0x61, 0x7a]),
  changes: /["'\\^,;\t\r\nA-Z]| [ /(]/,
  rewrite: simplify,
});

function simplify(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let afterSpace = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (DROPPED[byte] !== 0) continue;
    if (SPACES[byte] !== 0) {
      if (!afterSpace) bytes[to++] = 0x20;
      afterSpace = true;
      continue;
    }
    if (afterSpace && JOINING[byte] !== 0) to--;
    afterSpace = false;
    bytes[to++] = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
  }
  return to;
}
