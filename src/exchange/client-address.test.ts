import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isAddressRange, normaliseAddress, readForwarded, resolveClient, TrustedProxies } from './client-address.ts';

const trusted = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', '2001:db8:1::/48', '::ffff:172.16.0.0/108']);
const LB = '10.0.0.1';

type Case = readonly [name: string, peer: string, headers: readonly string[], address: string, scheme?: string, host?: string];
const xff = (value: string) => ['x-forwarded-for', value];

const views: readonly Case[] = [
  ['nobody trusted', '203.0.113.7', xff('1.2.3.4'), '203.0.113.7'],
  [
    'nobody trusted, nothing of it is believed',
    '203.0.113.7',
    [...xff('1.2.3.4'), 'x-forwarded-proto', 'https', 'x-forwarded-host', 'evil', 'forwarded', 'for=1.2.3.4;proto=https'],
    '203.0.113.7',
  ],
  ['a trusted peer that says nothing', LB, [], LB],
  ['one hop', LB, xff('198.51.100.1'), '198.51.100.1'],
  ['the client wrote a list itself', LB, xff('1.1.1.1, 2.2.2.2, 198.51.100.1'), '198.51.100.1'],
  ['the client claims to be a trusted proxy', LB, xff('10.9.9.9, 198.51.100.1'), '198.51.100.1'],
  ['two trusted hops', LB, xff('1.1.1.1, 198.51.100.1, 10.0.0.2, 192.0.2.1'), '198.51.100.1'],
  ['all are trusted: the first', LB, xff('10.0.0.3, 10.0.0.2'), '10.0.0.3'],
  ['several fields are one list', LB, [...xff('1.1.1.1'), ...xff('198.51.100.1'), ...xff('10.0.0.2')], '198.51.100.1'],
  ['blanks and tabs', LB, xff('1.1.1.1 ,\t198.51.100.1'), '198.51.100.1'],
  ['a port', LB, xff('198.51.100.1:4711'), '198.51.100.1'],
  ['IPv6', LB, xff('2001:DB8:2:0::0:1'), '2001:db8:2::1'],
  ['IPv6 in brackets', LB, xff('[2001:db8:2::1]'), '2001:db8:2::1'],
  ['IPv6 with a port', LB, xff('[2001:db8:2::1]:443'), '2001:db8:2::1'],
  ['an IPv6 proxy', '2001:db8:1::9', xff('198.51.100.1'), '198.51.100.1'],
  ['mapped IPv4 is IPv4', LB, xff('::ffff:198.51.100.1'), '198.51.100.1'],
  ['mapped IPv4 in hexadecimal', LB, xff('::ffff:c633:6401'), '198.51.100.1'],
  ['a mapped trusted hop', LB, xff('198.51.100.1, ::ffff:10.0.0.2'), '198.51.100.1'],
  ['a range written mapped', '172.20.1.1', xff('198.51.100.1'), '198.51.100.1'],
  ...[
    'unknown',
    '_hidden',
    '',
    'localhost',
    '198.51.100.1.',
    '198.51.100',
    '198.51.100.01',
    '0xc6336401',
    '3325256705',
    '198.51.100.1/32',
    '198.51.100.1;x',
    '"198.51.100.1"',
    'fe80::1%eth0',
    '[198.51.100.1',
    '1.2.3.4 5.6.7.8',
    `1.2.3.4${' '.repeat(70)}`.padStart(200, 'x'),
  ].map((hop): Case => [`malformed: ${hop.slice(0, 20)}`, LB, xff(`1.1.1.1, ${hop}`), LB]),
  ['malformed behind a trusted hop: the last that was one', LB, xff('1.1.1.1, unknown, 10.0.0.2'), '10.0.0.2'],
  ['an empty list', LB, xff(''), LB],
  ['a comma at the end', LB, xff('198.51.100.1,'), LB],
  ['scheme', LB, [...xff('198.51.100.1'), 'x-forwarded-proto', 'HTTPS'], '198.51.100.1', 'https'],
  ['an odd scheme', LB, ['x-forwarded-proto', 'gopher'], LB],
  ['a list of schemes', LB, ['x-forwarded-proto', 'https, http'], LB],
  ['two schemes', LB, ['x-forwarded-proto', 'https', 'x-forwarded-proto', 'https'], LB],
  ['host', LB, ['x-forwarded-host', 'Shop.Example:8443'], LB, undefined, 'shop.example:8443'],
  ['a malformed host', LB, ['x-forwarded-host', 'a@b'], LB],
  ['two hosts', LB, ['x-forwarded-host', 'a', 'x-forwarded-host', 'b'], LB],
  ['Forwarded', LB, ['forwarded', 'for=198.51.100.1;proto=https;host=shop.example'], '198.51.100.1', 'https', 'shop.example'],
  [
    'Forwarded, names in any case, quoted',
    LB,
    ['forwarded', 'For="[2001:db8:2::1]:4711"; Proto="https"'],
    '2001:db8:2::1',
    'https',
  ],
  [
    'Forwarded, a list',
    LB,
    ['forwarded', 'for=1.1.1.1;proto=http, for=198.51.100.1;proto=https, for=10.0.0.2;proto=http'],
    '198.51.100.1',
    'https',
  ],
  ['Forwarded, hidden client', LB, ['forwarded', 'for=_secret, for=10.0.0.2'], '10.0.0.2'],
  ['Forwarded, unknown client', LB, ['forwarded', 'for=unknown'], LB],
  ['Forwarded without for', LB, ['forwarded', 'proto=https'], LB],
  [
    'both say the same',
    LB,
    [...xff('198.51.100.1'), 'forwarded', 'for=198.51.100.1;proto=https', 'x-forwarded-proto', 'https'],
    '198.51.100.1',
    'https',
  ],
];

describe('who the client is', () => {
  for (const [name, peer, headers, address, scheme, host] of views) {
    test(name, () => assert.deepEqual(resolveClient(peer, [...headers], trusted), { kind: 'client', address, scheme, host }));
  }
});

describe('what a trusted proxy cannot have written', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['two clients', [...xff('198.51.100.1'), 'forwarded', 'for=198.51.100.2']],
    ['two schemes', [...xff('198.51.100.1'), 'x-forwarded-proto', 'http', 'forwarded', 'for=198.51.100.1;proto=https']],
    ['two hosts', ['x-forwarded-host', 'a', 'forwarded', 'host=b;for=10.0.0.2']],
    ['a forged Forwarded beside an honest list', [...xff('198.51.100.1'), 'forwarded', 'for=1.1.1.1']],
    ['a forged list beside an honest Forwarded', [...xff('1.1.1.1'), 'forwarded', 'for=198.51.100.1']],
    ...[
      'for',
      'for=',
      '=1.1.1.1',
      'for=1.1.1.1 x',
      'for=1.1.1.1;for=2.2.2.2',
      'for="1.1.1.1',
      'for=1.1.1.1;',
      'for=1.1.1.1,',
      'for=::1',
      'for=1.1.1.1:80',
      'for =1.1.1.1',
      ';',
      ',',
    ].map((value): [string, string[]] => [`malformed: ${value}`, ['forwarded', value]]),
  ];
  for (const [name, headers] of cases) {
    test(name, () => {
      const refusal = resolveClient(LB, [...headers], trusted);
      assert.deepEqual([refusal.kind, refusal.kind === 'refusal' && refusal.status], ['refusal', 400]);
    });
    test(`${name}: of no interest from a stranger`, () => {
      assert.equal(resolveClient('203.0.113.7', [...headers], trusted).kind, 'client');
    });
  }
});

describe('addresses and ranges', () => {
  const good = ['10.0.0.0/8', '192.0.2.1', '0.0.0.0/0', '2001:db8::/32', '::1', '::/0', '2001:DB8::1/128', '::ffff:10.0.0.0/104'];
  const bad = [
    '',
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0/8',
    '10.0.0.256',
    '2001:db8::/129',
    'fe80::1%eth0',
    '10.0.0.0/8 ',
    '10.0.0.0/-1',
    '10.0.0.0-10.0.0.9',
    '::ffff:10.0.0.0/8',
    '1/8',
    '/8',
  ];
  for (const text of good) {
    test(`${text} is one`, () => {
      assert.equal(isAddressRange(text), true);
      new TrustedProxies([text]);
    });
  }
  for (const text of bad) test(`${JSON.stringify(text)} is none`, () => assert.equal(isAddressRange(text), false));

  test('whatever the address: one spelling, its own spelling', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const one = normaliseAddress(text);
        assert.ok(one !== undefined);
        assert.equal(normaliseAddress(one), one);
        assert.equal(normaliseAddress(text.toUpperCase()), one);
      }),
    );
  });
});

test('whatever a client writes to the left of what the proxies wrote changes nothing', () => {
  const junk = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('10.1.1.1', 'unknown', '', ' ', '"', ';', '::ffff:10.0.0.9'),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  fc.assert(
    fc.property(
      fc.array(junk, { maxLength: 50 }),
      fc.array(fc.constantFrom('10.0.0.2', '192.0.2.1', '2001:db8:1::5'), { maxLength: 5 }),
      (written, proxies) => {
        const view = resolveClient(LB, xff([...written, '198.51.100.1', ...proxies].join(', ')), trusted);
        assert.equal(view.kind === 'client' && view.address, '198.51.100.1');
      },
    ),
  );
});

test('a list of trusted addresses without end costs a bounded walk', () => {
  const chain = Array.from({ length: 40 }, (_, i) => `10.2.0.${i}`);
  const view = resolveClient(LB, xff(`198.51.100.1, ${chain.join(', ')}`), trusted);
  assert.equal(view.kind === 'client' && view.address, '10.2.0.8', '32 hops from the right');
  const began = performance.now();
  resolveClient(LB, xff('10.1.1.1,'.repeat(2000)), trusted);
  resolveClient(LB, xff(`${'10.1.1.1,'.repeat(2000)}10.1.1.1`), trusted);
  resolveClient(LB, ['forwarded', `for=${'"'.repeat(16_000)}`], trusted);
  resolveClient(LB, ['forwarded', `for="${'\\a'.repeat(8000)}`], trusted);
  assert.ok(performance.now() - began < 100);
});

test('whatever the bytes: a Forwarded is read into lower-case names with values, or not at all', () => {
  const text = fc
    .array(fc.constantFrom('for', '=', ';', ',', '"', '\\', ' ', '\t', '1.1.1.1', 'proto', 'a', '\xff'), { maxLength: 20 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (value) => {
      for (const element of readForwarded(value) ?? []) {
        for (const name of element.keys()) assert.match(name, /^[!#$%&'*+\-.^_`|~0-9a-z]+$/);
      }
    }),
    { numRuns: 2000 },
  );
});
