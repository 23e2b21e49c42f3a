/**
 * What the patterns of a rule set cost: nanoseconds per value and per byte over values as requests have them and over hostile ones, cold (no state of
 * the automata made yet) and warm, beside V8's backtracking engine; the time to compile them; and the memory that they take.
 *
 *     node --expose-gc bench/waf-patterns.ts
 */
import { PatternCache } from '../src/waf/engine/regex/compile.ts';
import { requiredOf } from '../src/waf/engine/regex/required.ts';
import { toV8Source } from '../src/waf/engine/regex/v8-twin.ts';
import { noRuleSet, readCrsPatterns, readCrsValues } from '../test/support/crs-patterns.ts';
import { Random } from '../test/support/random.ts';

if (noRuleSet !== false) throw new Error(noRuleSet);
const random = new Random(1);
const all = readCrsPatterns();
const texts = [...new Set(all.map((each) => each.pattern))];
const level1 = [...new Set(all.filter((each) => each.paranoia <= 1).map((each) => each.pattern))];

function sequence(bytes: number, next: () => string): string {
  let text = '';
  while (text.length < bytes) text += next();
  return Buffer.from(text.slice(0, bytes), 'latin1').toString('latin1');
}

const words = 'the quick brown fox orders 3 new lamps from Oslo and pays by card please deliver on Monday'.split(' ');
const attacks = readCrsValues().filter((value, at) => at % 131 === 0 && value.length > 10 && value.length < 300);
const from = (alphabet: string) => () => alphabet[random.below(alphabet.length)];
const size = 8192;
const values: readonly (readonly [string, readonly string[]])[] = [
  ['word, 5 bytes', ['hello', 'lamps', 'order', '12345', 'Oslo1']],
  ['three words, 20 bytes', Array.from({ length: 10 }, () => sequence(20, () => `${random.pick(words)} `))],
  ['prose, 100 bytes', Array.from({ length: 10 }, () => sequence(100, () => `${random.pick(words)} `))],
  ['attacks, 10 to 300 bytes', attacks],
  ['8 KiB of one letter', [sequence(size, () => 'a')]],
  ['8 KiB of prose', [sequence(size, () => `${random.pick(words)} `)]],
  ['8 KiB of random bytes', [sequence(size, () => String.fromCharCode(random.below(256)))]],
  ['8 KiB of shell characters', [sequence(size, from('"\'\\$^(){};|& <>=`!~*?-_/[]@,.abceghlnorstux01'))]],
  ['8 KiB of SQL characters', [sequence(size, from('\'"()-/*!;=<>| selctunionwhrandx01\n'))]],
  ['8 KiB of attacks', [sequence(size, () => random.pick(attacks))]],
  ['128 KiB of attacks', [sequence(16 * size, () => random.pick(attacks))]],
];

function milliseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const cold = new PatternCache();
console.log(`compile all ${texts.length} patterns: ${milliseconds(() => texts.map((text) => cold.compile(text))).toFixed(0)} ms`);
console.log(`what they require: ${milliseconds(() => texts.map((text) => requiredOf(cold.compile(text).node))).toFixed(0)} ms`);

const patterns = level1.map((text) => cold.compile(text));
const twins = patterns.map((pattern) => new RegExp(toV8Source(pattern.node), 's'));
console.log(`\n${patterns.length} patterns of paranoia level 1, all of them over each value; CPU time`);
console.log(`${'values'.padEnd(28)} cold µs/value  warm µs/value  ns/byte/pattern  as bytes  of V8 µs/value`);
for (const [name, list] of values) {
  const bytes = list.reduce((sum, value) => sum + value.length, 0);
  const rounds = Math.max(1, Math.ceil(60_000 / bytes));
  const first = milliseconds(() => list.forEach((value) => patterns.forEach((pattern) => pattern.test(value))));
  const warm = milliseconds(() => {
    for (let round = 0; round < rounds; round++) for (const value of list) for (const pattern of patterns) pattern.test(value);
  });
  const buffers = list.map((value) => Buffer.from(value, 'latin1'));
  const raw = milliseconds(() => {
    for (let round = 0; round < rounds; round++) {
      for (const buffer of buffers) for (const pattern of patterns) pattern.testBytes(buffer, 0, buffer.length);
    }
  });
  // V8 backtracks: on hostile values one round has to do.
  const some = bytes > size ? [] : list;
  const v8Rounds = bytes >= size ? 1 : rounds;
  const v8 = milliseconds(() => {
    for (let round = 0; round < v8Rounds; round++) for (const value of some) for (const twin of twins) twin.test(value);
  });
  const row = [
    ((first * 1000) / list.length).toFixed(1).padStart(13),
    ((warm * 1000) / rounds / list.length).toFixed(1).padStart(14),
    ((warm * 1e6) / rounds / bytes / patterns.length).toFixed(2).padStart(16),
    ((raw * 1e6) / rounds / bytes / patterns.length).toFixed(2).padStart(9),
    (some.length === 0 ? '—' : ((v8 * 1000) / v8Rounds / list.length).toFixed(1)).padStart(13),
  ];
  console.log(`${name.padEnd(28)} ${row.join(' ')}`);
}
console.log(`\nstates take ${(cold.stateMemory / 2 ** 20).toFixed(1)} MiB`);
