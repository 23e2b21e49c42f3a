import { addAll, addByte, addRange, type ByteSet, complement, emptySet, foldCase, posixClasses } from './byte-set.ts';
import { readEscape } from './escape.ts';
import type { Reader } from './reader.ts';

/** Reads a class; the reader stands behind its `[`. */
export function readClass(reader: Reader, ignoreCase: boolean): ByteSet {
  const start = reader.at - 1;
  const negated = reader.skip('^');
  const set = emptySet();
  let first = true;
  let quoting = false;
  for (;;) {
    if (reader.done) reader.fail('A class without its ]', start, 'Close it, or write \\[ for a bracket.');
    if (reader.skip('\\E')) quoting = false;
    else if (!quoting && reader.skip('\\Q')) quoting = true;
    else if (!quoting && !first && reader.skip(']')) break;
    else {
      readItem(reader, set, quoting);
      first = false;
    }
  }
  if (ignoreCase) foldCase(set);
  return negated ? complement(set) : set;
}

/** One byte, range, escape or `[:name:]`. */
function readItem(reader: Reader, set: ByteSet, quoting: boolean): void {
  const start = reader.at;
  if (!quoting && readPosix(reader, set)) return;
  const from = readMember(reader, quoting);
  if (typeof from !== 'number') return addAll(set, from);
  if (quoting || reader.peek() !== '-' || reader.peek(1) === ']' || reader.peek(1) === '') return addByte(set, from);
  reader.take();
  // A hyphen before a set is itself: `[a-\d]`, as PCRE has it.
  const to = reader.sees('[:') ? emptySet() : readMember(reader, false);
  if (typeof to !== 'number') {
    addByte(set, from);
    addByte(set, 0x2d);
    return addAll(set, to);
  }
  if (to < from) reader.fail('A range that runs backwards', start, 'Write the lower end first, or \\- for a hyphen.');
  addRange(set, from, to);
}

function readMember(reader: Reader, quoting: boolean): number | ByteSet {
  const start = reader.at;
  const char = reader.take();
  if (char !== '\\' || quoting) return char.charCodeAt(0);
  const escape = readEscape(reader, true, 0);
  if (escape.kind === 'byte') return escape.byte;
  if (escape.kind === 'set') return escape.set;
  return reader.fail('An escape that means nothing in a class', start);
}

function readPosix(reader: Reader, set: ByteSet): boolean {
  const start = reader.at;
  const found = reader.match(/\[([:.=])(\^?)([^\]\\]*?)\1\]/y);
  if (found === undefined) return false;
  if (found[1] !== ':') reader.fail('Collating elements are not supported', start);
  const named = posixClasses.get(found[3]);
  if (named === undefined)
    return reader.fail(`There is no class [:${found[3]}:]`, start, `There are ${[...posixClasses.keys()].join(', ')}.`);
  addAll(set, found[2] === '^' ? complement(named) : named);
  return true;
}
