import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newRequestId, newSpanId, newTraceId, readTraceparent, traceOf, tracestateOf } from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('a traceparent that goes on', () => {
  for (const [flags, kept] of [
    ['00', '00'],
    ['01', '01'],
    ['03', '01'],
    ['02', '00'],
    ['ff', '01'],
    ['fe', '00'],
  ] as const) {
    test(`flags ${flags} → ${kept}`, () =>
      assert.deepEqual(readTraceparent(`00-${TRACE}-${SPAN}-${flags}`), { traceId: TRACE, flags: kept, continued: true }));
  }
});

describe('a traceparent that does not', () => {
  const bad = [
    '',
    '00',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-x`,
    `00-${TRACE}-${SPAN}-01 `,
    ` 00-${TRACE}-${SPAN}-01`,
    `01-${TRACE}-${SPAN}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}0-${SPAN}-01`,
    `00-${TRACE}-${SPAN.slice(1)}-01`,
    `00_${TRACE}_${SPAN}_01`,
    `00-${TRACE.slice(1)}g-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0g`,
    `00-${TRACE}-${SPAN}-01\n`,
  ];
  for (const value of bad) test(JSON.stringify(value), () => assert.equal(readTraceparent(value), undefined));

  test('two of them begin a new trace', () => {
    const trace = traceOf(['traceparent', `00-${TRACE}-${SPAN}-01`, 'traceparent', `00-${TRACE}-${SPAN}-01`]);
    assert.equal(trace.continued, false);
    assert.notEqual(trace.traceId, TRACE);
    assert.match(trace.traceId, /^[0-9a-f]{32}$/);
    assert.equal(trace.flags, '00');
  });
});

test('one that is valid is continued, none begins one', () => {
  assert.deepEqual(traceOf(['accept', '*/*', 'traceparent', `00-${TRACE}-${SPAN}-01`]), {
    traceId: TRACE,
    flags: '01',
    continued: true,
  });
  assert.equal(traceOf([]).continued, false);
});

test('tracestate is joined, and left out when it is long or odd', () => {
  assert.equal(tracestateOf([]), undefined);
  assert.equal(tracestateOf(['tracestate', 'a=1', 'x', 'y', 'tracestate', 'b=2']), 'a=1,b=2');
  assert.equal(tracestateOf(['tracestate', 'a'.repeat(513)]), undefined);
  assert.equal(tracestateOf(['tracestate', 'a=\xe9']), undefined);
  assert.equal(tracestateOf(['tracestate', '']), undefined);
});

test('identifiers have their form, and none comes twice', () => {
  const seen = new Set<string>();
  for (let i = 0; i < 10_000; i += 1) {
    const [request, trace, span] = [newRequestId(), newTraceId(), newSpanId()];
    assert.match(request, /^[0-9a-f]{32}$/);
    assert.match(trace, /^[0-9a-f]{32}$/);
    assert.match(span, /^[0-9a-f]{16}$/);
    seen.add(request).add(trace).add(span);
  }
  assert.equal(seen.size, 30_000);
});

test('identifiers overlap nowhere: each digit of the pool is used once', () => {
  const heads = new Set<string>();
  for (let i = 0; i < 20_000; i += 1) {
    const id = newRequestId();
    heads.add(id.slice(0, 16)).add(id.slice(16));
  }
  assert.equal(heads.size, 40_000);
});

test('every digit is as frequent as the others', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 5000; i += 1) for (const digit of newRequestId()) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  assert.equal(counts.size, 16);
  // 10,000 expected of each, standard deviation below 100: ten of them never happen by chance.
  for (const [digit, count] of counts) assert.ok(Math.abs(count - 10_000) < 1000, `${digit}: ${count}`);
});
