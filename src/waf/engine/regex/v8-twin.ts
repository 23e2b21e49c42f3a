import { type ByteSet, complement, countBytes, hasByte } from './byte-set.ts';
import type { Assertion, PatternNode } from './node.ts';

/**
 * The same pattern as source for V8's engine, without flags: for tests only, because it backtracks. Classes are written out byte by byte, so none of
 * V8's own rules of case, blanks or newlines apply. Groups under a quantifier are forgotten in each round by V8, and kept by PCRE.
 */
export function toV8Source(node: PatternNode): string {
  switch (node.kind) {
    case 'empty':
      return '(?:)';
    case 'set':
      return writeSet(node.set);
    case 'concat':
      return node.parts.map((part) => (part.kind === 'alternate' ? `(?:${toV8Source(part)})` : toV8Source(part))).join('');
    case 'alternate':
      return node.options.map(toV8Source).join('|');
    case 'repeat':
      return `(?:${toV8Source(node.body)}){${node.min},${node.max === Infinity ? '' : node.max}}${node.lazy ? '?' : ''}`;
    case 'capture':
      return `(${toV8Source(node.body)})`;
    case 'assert':
      return asserted[node.assertion];
  }
}

const asserted: Readonly<Record<Assertion, string>> = {
  begin: '(?<![^])',
  end: '(?![^])',
  'end-or-final-newline': '(?=\\n?(?![^]))',
  'line-begin': '(?:(?<![^])|(?<=\\n)(?=[^]))',
  'line-end': '(?=\\n|(?![^]))',
  'word-edge': '\\b',
  'no-word-edge': '\\B',
  'no-newline-next': '(?!\\n)',
};

function writeSet(set: ByteSet): string {
  const count = countBytes(set);
  if (count === 256) return '[^]';
  return count > 128 ? `[^${ranges(complement(set))}]` : `[${ranges(set)}]`;
}

function ranges(set: ByteSet): string {
  let text = '';
  for (let byte = 0; byte < 256; byte++) {
    if (!hasByte(set, byte)) continue;
    const from = byte;
    while (byte < 255 && hasByte(set, byte + 1)) byte++;
    text += from === byte ? hex(from) : `${hex(from)}-${hex(byte)}`;
  }
  return text;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
