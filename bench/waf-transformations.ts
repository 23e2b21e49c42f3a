/**
 * `node --expose-gc bench/waf-transformations.ts`: what each transformation costs, in nanoseconds per byte of a long value and per short
 * value: on text that it leaves alone, and on what keeps it busy. A command line names those to measure.
 */
import { TRANSFORMATIONS } from '../src/waf/engine/transformations/index.ts';
import type { Transformation } from '../src/waf/engine/transformation.ts';

const LONG = 128 * 1024;
const ROUNDS = 7;
/** Long enough for a clock that ticks in microseconds, short enough for a machine with other work. */
const BYTES_A_ROUND = 4 * 1024 * 1024;

const PROSE = 'the quick brown fox jumps over the lazy dog and runs away ';
const WORD = 'order-20931';
const BUSY: Readonly<Record<string, string>> = {
  cmdLine: 'C^at "/etc/ (Passwd;,  x',
  compressWhitespace: 'a  b\t\n c',
  cssDecode: '\\3c script\\3e a\\b',
  escapeSeqDecode: '\\x41\\101\\nabc',
  htmlEntityDecode: '&lt;a&#x41;&#65;&amp',
  jsDecode: '\\u003cscript\\x3e\\101a',
  normalizePath: '/a/../b/./c//d/../../etc',
  normalizePathWin: '\\a\\..\\b\\.\\c\\\\d',
  removeComments: 'a/*b*/c<!--d-->',
  removeCommentsChar: 'a/*b*/c#d',
  removeNulls: 'a\0b',
  replaceComments: 'SELECT/*x*/1',
  replaceNulls: 'a\0b',
  sqlHexDecode: '0x414243,',
  urlDecode: '%3Cscript%3E+a',
  urlDecodeUni: '%3Cscript%u003E+a',
  utf8toUnicode: '\xc3\xa9t\xc3\xa9 \xe2\x80\x99',
};
const ANYTHING = 'QUJDREVGRw aZ\xe1 \0%';

function fill(piece: string, size: number): string {
  // Flat, as values are that a parser has cut: a rope would be measured instead.
  return Buffer.from(piece.repeat(Math.ceil(size / piece.length)).slice(0, size), 'latin1').toString('latin1');
}

/** Nanoseconds of CPU per run, so that other work on the machine counts little: the median of some rounds. */
function cost(transformation: Transformation, values: readonly string[]): number {
  const runs = Math.max(1, Math.ceil(BYTES_A_ROUND / (values[0].length + 100) / values.length));
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let length = 0;
    const before = process.cpuUsage();
    for (let run = 0; run < runs; run++) for (const value of values) length += transformation.apply(value).length;
    const { user, system } = process.cpuUsage(before);
    if (length < 0) throw new Error('Nothing was measured');
    rounds.push(((user + system) * 1000) / (runs * values.length));
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1];
}

/** Some values alike, so that nothing is learnt of one. */
function several(piece: string, size: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => fill(`${String.fromCharCode(97 + (i % 26))}${piece}`, size));
}

const wanted = process.argv.slice(2).map((name) => name.toLowerCase());
console.log(
  `${'transformation'.padEnd(20)}${'untouched'.padStart(12)}${'busy'.padStart(9)}${'word'.padStart(12)}${'busy 32 B'.padStart(12)}`,
);
console.log(`${''.padEnd(20)}${'ns/byte'.padStart(12)}${'ns/byte'.padStart(9)}${'ns'.padStart(12)}${'ns'.padStart(12)}`);
for (const transformation of new Set(TRANSFORMATIONS.values())) {
  const { name } = transformation;
  if (wanted.length > 0 && !wanted.includes(name.toLowerCase())) continue;
  const busy = BUSY[name] ?? ANYTHING;
  const figures = [
    (cost(transformation, several(PROSE, LONG, 4)) / LONG).toFixed(2).padStart(12),
    (cost(transformation, several(busy, LONG, 4)) / LONG).toFixed(2).padStart(9),
    cost(transformation, several(WORD, WORD.length, 64))
      .toFixed(0)
      .padStart(12),
    cost(transformation, several(busy, 32, 64))
      .toFixed(0)
      .padStart(12),
  ];
  console.log(name.padEnd(20) + figures.join(''));
}
