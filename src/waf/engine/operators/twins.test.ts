import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AddressSet } from './address-set.ts';
import { constantText, toNumber } from './argument.ts';
import { OPERATORS } from './index.ts';
import { PhraseAutomaton } from './phrase-automaton.ts';

const few = fc.string({ unit: fc.constantFrom(...'abcAB\0\xe9'), maxLength: 6 });
const long = fc.string({ unit: fc.constantFrom(...'abcAB\0\xe9'), maxLength: 40 });

function fold(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Where the first phrase ends, by looking for each of them; Infinity for none. */
function firstEnd(phrases: readonly string[], value: string): number {
  const ends = phrases.filter(Boolean).map((phrase) => {
    const at = fold(value).indexOf(fold(phrase));
    return at < 0 ? Number.POSITIVE_INFINITY : at + phrase.length;
  });
  return Math.min(Number.POSITIVE_INFINITY, ...ends);
}

test('the automaton finds what looking for each phrase finds', () => {
  const agree = (phrases: string[], value: string) => {
    const found = new PhraseAutomaton(phrases).find(value);
    const end = firstEnd(phrases, value);
    if (found < 0) return end === Number.POSITIVE_INFINITY;
    return fold(value).slice(0, end).endsWith(fold(phrases[found]));
  };
  fc.assert(fc.property(fc.array(few, { maxLength: 12 }), long, agree), { numRuns: 5000 });
});

test('a word is found where looking from each place finds it', () => {
  const operator = OPERATORS.get('containsword');
  const agree = (text: string, value: string) => {
    const found = operator
      ?.make({ text, parts: [text] }, { place: { file: '', line: 1, column: 1 }, readLines: () => [] })
      .judge(value, { capturing: false, groups: undefined, expand: () => '' });
    const isWord = (byte: string | undefined) => byte !== undefined && /\w/.test(byte);
    let naive = text === '';
    for (let i = 0; i + text.length <= value.length; i++) {
      if (value.startsWith(text, i) && !isWord(value[i - 1]) && !isWord(value[i + text.length])) naive = true;
    }
    return found === naive;
  };
  const words = fc.string({ unit: fc.constantFrom(...'ab -'), maxLength: 4 });
  const values = fc.string({ unit: fc.constantFrom(...'ab -'), maxLength: 24 });
  fc.assert(fc.property(words, values, agree), { numRuns: 5000 });
});

/** An address of few bits, so that networks and addresses meet often. */
const v6Bits = fc.tuple(fc.bigInt(0n, 15n), fc.bigInt(0n, 15n)).map(([high, low]) => (high << 124n) | (0x20n << 80n) | low);
const v4Bits = fc.tuple(fc.bigInt(0n, 3n), fc.bigInt(0n, 3n)).map(([high, low]) => (high << 30n) | low);
const addresses = fc.oneof(
  v4Bits.map((bits) => ({ bits, size: 32 })),
  v6Bits.map((bits) => ({ bits, size: 128 })),
);
const networks = fc
  .tuple(addresses, fc.nat(128))
  .map(([address, length]) => ({ ...address, length: length % (address.size + 1) }));

function spell(bits: bigint, size: number): string {
  const part = size === 32 ? 8n : 16n;
  const parts = Array.from(
    { length: size / Number(part) },
    (_, i) => (bits >> (BigInt(size) - part * BigInt(i + 1))) & ((1n << part) - 1n),
  );
  return size === 32 ? parts.join('.') : parts.map((group) => group.toString(16)).join(':');
}

test('a set of networks holds what comparing prefixes one by one says', () => {
  const agree = (all: { bits: bigint; size: number; length: number }[], { bits, size }: { bits: bigint; size: number }) => {
    const set = AddressSet.of(all.map((network) => `${spell(network.bits, network.size)}/${network.length}`));
    assert.ok(typeof set !== 'string');
    const naive = all.some((network) => {
      const shift = BigInt(size - network.length);
      return network.size === size && network.bits >> shift === bits >> shift;
    });
    return set.has(spell(bits, size)) === naive;
  };
  fc.assert(fc.property(fc.array(networks, { maxLength: 12 }), addresses, agree), { numRuns: 5000 });
});

test('`::` may stand for any run of zeros', () => {
  const agree = (bits: bigint) => {
    const groups = spell(bits, 128).split(':');
    const set = AddressSet.of([spell(bits, 128)]);
    assert.ok(typeof set !== 'string');
    for (let from = 0; from < 8; from++) {
      for (let to = from + 1; to <= 8 && groups[to - 1] === '0'; to++) {
        const short = `${groups.slice(0, from).join(':')}::${groups.slice(to).join(':')}`;
        if (!set.has(short)) return false;
      }
    }
    return true;
  };
  fc.assert(fc.property(v6Bits, agree), { numRuns: 500 });
});

test('a number is read as parseInt reads it', () => {
  const agree = (text: string) => toNumber(text) === (Number.parseInt(text, 10) || 0);
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...' \t+-019a.'), maxLength: 8 }), agree), { numRuns: 5000 });
});

test('a macro is constant when it holds no reference', () => {
  assert.equal(constantText({ text: '', parts: [] }), '');
  assert.equal(constantText({ text: 'ab', parts: ['a', 'b'] }), 'ab');
  assert.equal(constantText({ text: 'a%{tx.b}', parts: ['a', { variable: 'TX', name: 'b' }] }), undefined);
});

test('the cost of a value grows with its length and not with its square', () => {
  const size = 1 << 17;
  const world = { place: { file: '', line: 1, column: 1 }, readLines: () => [] };
  const text = 'a'.repeat(size / 2);
  const argument = { text: '%{args.a}', parts: [{ variable: 'ARGS', name: 'a' }] };
  const judged = [
    'a'.repeat(size),
    `${'ab'.repeat(size / 2)}`,
    '%'.repeat(size),
    '\xc3'.repeat(size),
    '1'.repeat(size),
    '::'.repeat(size / 2),
  ];
  for (const name of ['containsWord', 'contains', 'within', 'eq', 'beginsWith', 'endsWith', 'streq']) {
    for (const expanded of [text, `b${text}`, `${text}b`]) {
      const operator = OPERATORS.get(name.toLowerCase())?.make(argument, world);
      for (const value of judged) {
        const before = process.cpuUsage();
        operator?.judge(value, { capturing: false, groups: undefined, expand: () => expanded });
        const { user, system } = process.cpuUsage(before);
        assert.ok(user + system < 500_000, `${name}: ${user + system} µs`);
      }
    }
  }
  const numbers = OPERATORS.get('verifycc')?.make({ text: '(?:\\d[ -]?){13,19}', parts: ['(?:\\d[ -]?){13,19}'] }, world);
  const start = process.cpuUsage();
  numbers?.judge('1'.repeat(size / 16), { capturing: false, groups: undefined, expand: () => '' });
  const cost = process.cpuUsage(start);
  assert.ok(cost.user + cost.system < 500_000, `verifyCC: ${cost.user + cost.system} µs`);
  const automaton = new PhraseAutomaton(Array.from({ length: 500 }, (_, i) => `${'a'.repeat(i + 1)}b`));
  const before = process.cpuUsage();
  assert.equal(automaton.find('a'.repeat(size)), -1);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 500_000, `pm: ${user + system} µs`);
});
