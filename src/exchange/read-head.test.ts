import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { badHeads, framings, goodHeads, type HeadCase } from '../../test/cases/heads.ts';
import type { Refusal } from './decision.ts';
import type { RequestHead } from './exchange.ts';
import { readFraming, readRequestHead } from './read-head.ts';

function read(one: HeadCase): RequestHead | Refusal {
  const pseudo = one.pseudo && { authority: one.pseudo.authority, scheme: one.pseudo.scheme };
  return readRequestHead(
    one.method ?? 'GET',
    one.target ?? '/',
    one.version ?? '1.1',
    [...one.headers],
    one.secure ?? false,
    pseudo,
  );
}

describe('heads that must pass', () => {
  for (const one of goodHeads) {
    test(one.name, () => {
      const head = read(one);
      assert.ok(!('kind' in head), 'kind' in head ? head.reason : '');
      for (const [name, value] of Object.entries(one.expect)) assert.deepEqual(head[name as keyof RequestHead], value, name);
      assert.equal(head.rawTarget, one.target ?? '/');
    });
  }
});

describe('heads that must stop', () => {
  for (const one of badHeads) {
    test(one.name, () => {
      const refusal = read(one);
      assert.ok('kind' in refusal, 'it was read');
      assert.deepEqual([refusal.code, refusal.status], [one.code, one.status]);
      for (const value of one.headers.filter((text, i) => i % 2 === 1 && text.length > 3))
        assert.ok(!refusal.reason.includes(value), 'the reason tells a value');
    });
  }
});

describe('framing', () => {
  for (const { headers, version = '1.1', expect } of framings) {
    test(`${JSON.stringify(headers)} in HTTP/${version}`, () => {
      const framing = readFraming([...headers], version, 'POST');
      if (typeof expect === 'string') assert.equal(framing.kind === 'refusal' ? framing.code : framing, expect);
      else assert.deepEqual(framing, expect);
    });
  }

  test('no method changes the length', () => {
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']) {
      assert.deepEqual(readFraming(['content-length', '5'], '1.1', method), { kind: 'length', length: 5 });
    }
  });
});

test('whatever the order of fields, one reading comes out, and what is single is single in it', () => {
  const field = fc.constantFrom<[string, string]>(
    ['host', 'h'],
    ['content-type', 'a/b'],
    ['cookie', 'a=1'],
    ['cookie', 'b=2'],
    ['connection', 'x-a, authorization'],
    ['x-a', '1'],
    ['authorization', 'Bearer t'],
    ['origin', 'null'],
    ['accept', '*/*'],
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
      const before = fields.flat();
      const head = readRequestHead('GET', '/', '1.1', [...before], false);
      const count = (list: readonly string[], name: string) => list.filter((text, i) => i % 2 === 0 && text === name).length;
      const singles = ['host', 'content-type', 'authorization', 'origin'];
      const doubled = singles.some((name) => count(before, name) > 1) || count(before, 'host') === 0;
      assert.equal('kind' in head, doubled);
      if ('kind' in head) return;
      accepted += 1;
      assert.ok(count(head.headers, 'cookie') <= 1);
      assert.equal(count(head.headers, 'authorization'), count(before, 'authorization'));
      assert.equal(count(head.headers, 'x-a'), count(before, 'connection') > 0 ? 0 : count(before, 'x-a'));
      const cookies = fields.filter(([name]) => name === 'cookie').map(([, value]) => value);
      assert.equal(head.headers[head.headers.indexOf('cookie') + 1], cookies.length === 0 ? head.headers[0] : cookies.join('; '));
    }),
    { numRuns: 3000 },
  );
  assert.ok(accepted > 100, `only ${accepted} accepted`);
});
