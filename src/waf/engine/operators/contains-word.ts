import type { OperatorFactory } from '../operator.ts';
import { textOperator } from './argument.ts';

/** Whether the text is in the value with no letter, digit or underscore right before or behind it. */
export const containsWord: OperatorFactory = textOperator(holdsWord);

/** By Knuth, Morris and Pratt: a text of the client's own, told by a macro, could make looking again from each place quadratic. */
function holdsWord(value: string, text: string): boolean {
  const { length } = text;
  if (length === 0) return true;
  if (length > value.length) return false;
  const borders = bordersOf(text);
  let matched = 0;
  for (let i = 0; i < value.length; i++) {
    const byte = value.charCodeAt(i);
    while (matched > 0 && text.charCodeAt(matched) !== byte) matched = borders[matched - 1];
    if (text.charCodeAt(matched) === byte) matched++;
    if (matched < length) continue;
    if (!isWord(value.charCodeAt(i - length)) && !isWord(value.charCodeAt(i + 1))) return true;
    matched = borders[matched - 1];
  }
  return false;
}

/** For each prefix, how long its longest border is: what ends it and begins it as well. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length);
  let length = 0;
  for (let i = 1; i < text.length; i++) {
    while (length > 0 && text.charCodeAt(i) !== text.charCodeAt(length)) length = borders[length - 1];
    if (text.charCodeAt(i) === text.charCodeAt(length)) length++;
    borders[i] = length;
  }
  return borders;
}

/** False outside the value, where charCodeAt gives NaN. */
function isWord(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f;
}
