import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { badHosts, badTargets, goodHosts, goodTargets } from '../../test/cases/targets.ts';
import { readHost, sameAuthority } from './host.ts';
import { readTarget } from './target.ts';

describe('targets that must pass', () => {
  for (const { method = 'GET', raw, path, query, authority } of goodTargets) {
    test(`${method} ${raw}`, () => {
      const target = readTarget(method, raw);
      assert.equal(target.kind, 'target');
      if (target.kind !== 'target') return;
      assert.deepEqual([target.path, target.query, target.authority?.authority], [path, query, authority]);
      assert.equal(target.scheme === undefined, authority === undefined);
    });
  }
});

describe('targets that must stop', () => {
  for (const { method = 'GET', raw, code, why } of badTargets) {
    test(`${method} ${JSON.stringify(raw)}: ${why}`, () => {
      const target = readTarget(method, raw);
      assert.equal(target.kind, 'refusal');
      if (target.kind !== 'refusal') return;
      assert.equal(target.code, code);
      assert.equal(target.status, code === 'method-unknown' ? 501 : 400);
    });
  }
});

describe('hosts', () => {
  for (const [value, host, authority] of goodHosts) {
    test(`${value} → ${authority}`, () => {
      const reading = readHost(value);
      assert.deepEqual([reading?.host, reading?.authority], [host, authority]);
      assert.deepEqual(readHost(authority), reading, 'the reading is its own reading');
    });
  }
  for (const value of badHosts) {
    test(`${JSON.stringify(value.slice(0, 60))} stops`, () => assert.equal(readHost(value), undefined));
  }

  test('lengths are bounded: 253 for a name, 255 in all', () => {
    const name = (length: number) => `${'a.'.repeat(127)}${'a'.repeat(60)}`.slice(-length);
    assert.equal(readHost(name(253).replace(/^\./, 'a'))?.host.length, 253);
    assert.equal(readHost(name(254).replace(/^\./, 'a')), undefined);
    assert.equal(readHost(`${name(249).replace(/^\./, 'a')}:65535`)?.port, 65535);
    assert.equal(readHost(`${name(250).replace(/^\./, 'a')}:65535`), undefined);
  });

  test('a missing port is the usual one of the scheme', () => {
    const [bare, plain, secure] = ['h', 'h:80', 'h:443'].map((value) => readHost(value) ?? assert.fail());
    assert.equal(sameAuthority(bare, plain, false), true);
    assert.equal(sameAuthority(bare, secure, true), true);
    assert.equal(sameAuthority(bare, secure, false), false);
    assert.equal(sameAuthority(plain, secure, true), false);
  });
});

const hostLike = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        'a',
        'B',
        '1',
        '0x',
        '-',
        '_',
        '.',
        '..',
        ':',
        '80',
        '[',
        ']',
        '::1',
        '@',
        '/',
        '%2e',
        ' ',
        'xn--a',
        '127',
        '\xfc',
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);

test('whatever the bytes: a host that is read means the same to the WHATWG URL parser', () => {
  let accepted = 0;
  fc.assert(
    fc.property(hostLike, (value) => {
      const reading = readHost(value);
      // A label in punycode may decode to something that IDNA forbids; the gateway compares names, it does not display them.
      if (reading === undefined || reading.host.includes('xn--')) return;
      accepted += 1;
      const url = new URL(`http://${value}/`);
      assert.equal(url.hostname.replace(/\.$/, ''), reading.host);
      assert.equal(url.port, reading.port === undefined || reading.port === 80 ? '' : String(reading.port));
      assert.equal(url.username, '');
    }),
    { numRuns: 10_000 },
  );
  assert.ok(accepted > 1000, `only ${accepted} accepted`);
});

test('whatever the bytes: path and query are what the WHATWG URL parser finds in what is sent on', () => {
  const target = fc.array(
    fc.constantFrom('/', 'a', '?', '%61', '%20', '|', '"', '&', '=', '..', '//', '#', '\\', '@', ':', "'", '<', '%c3%a9'),
    { maxLength: 12 },
  );
  let accepted = 0;
  fc.assert(
    fc.property(target, (parts) => {
      const read = readTarget('GET', `/${parts.join('')}`);
      if (read.kind === 'refusal') return;
      accepted += 1;
      const sent = read.query === undefined ? read.path : `${read.path}?${read.query}`;
      const url = new URL(sent, 'http://h');
      assert.equal(url.host, 'h');
      assert.equal(url.pathname, read.path);
      assert.equal(sent.indexOf('?') < 0 ? undefined : sent.slice(sent.indexOf('?') + 1), read.query);
      const again = readTarget('GET', sent);
      assert.deepEqual(again, read);
    }),
    { numRuns: 10_000 },
  );
  assert.ok(accepted > 1000, `only ${accepted} accepted`);
});
