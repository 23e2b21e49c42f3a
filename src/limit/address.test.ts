import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { clientOf, networksAround } from './address.ts';

describe('a client by its address', () => {
  const same: [string, string, number?][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['::FFFF:C000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0:ffff:ffff:ffff:ffff'],
    ['2001:db8::', '2001:DB8:0:0:1::'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
    ['2001:db8:1:aa00::1', '2001:db8:1:aaff::1', 56],
    ['2001:db8:1:8000::1', '2001:db8:1:9fff::1', 51],
    ['2001:db8::1', '2001:db8::1', 128],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201', 128],
  ];
  for (const [one, other, bits = 64] of same) {
    test(`${one} and ${other} are one by /${bits}`, () => assert.equal(clientOf(one, bits), clientOf(other, bits)));
  }

  const apart: [string, string, number?][] = [
    ['192.0.2.1', '192.0.2.2'],
    ['2001:db8::1', '2001:db8:0:1::1'],
    ['2001:db8:1::', '2001:db8:0:1::'],
    ['2001:db8:1:aa00::1', '2001:db8:1:ab00::1', 56],
    ['2001:db8::1', '2001:db8::2', 128],
    ['::1', '1::', 32],
    ['::c000:201', '192.0.2.1', 128],
    // A network and a network of other size around it.
    ['1:2::', '1:2:0:1::'],
  ];
  for (const [one, other, bits = 64] of apart) {
    test(`${one} and ${other} are two by /${bits}`, () => assert.notEqual(clientOf(one, bits), clientOf(other, bits)));
  }

  test('every spelling of every address gives the network that another library finds', () => {
    const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.integer({ min: 32, max: 128 }), (groups, bits) => {
        const address = new ipaddr.IPv6(groups);
        const spellings = [
          address.toString(),
          address.toRFC5952String(),
          address.toNormalizedString(),
          groups.map((one) => one.toString(16).padStart(4, '0')).join(':'),
        ];
        const network = ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/${bits}`);
        for (const spelling of spellings) {
          const client = clientOf(spelling.toUpperCase(), bits);
          assert.equal(client, clientOf(spelling, bits));
          if (address.isIPv4MappedAddress()) assert.equal(client, address.toIPv4Address().toString());
          else assert.deepEqual(partsOf(client, bits), network.parts);
        }
      }),
    );
  });
});

/** `1:2:3:4:/64` → its eight groups. */
function partsOf(client: string, bits: number): number[] {
  const [text, written] = client.split('/');
  assert.equal(Number(written), bits);
  const groups = text
    .split(':')
    .filter((part) => part !== '')
    .map((part) => Number.parseInt(part, 16));
  return [...groups, ...Array.from({ length: 8 - groups.length }, () => 0)];
}

describe('networks around a client', () => {
  test('are /24 and /16 of IPv4, also when it is mapped', () => {
    for (const address of ['198.51.100.7', '::ffff:198.51.100.7'])
      assert.deepEqual(networksAround(address, 64), ['198.51.100.0/24', '198.51.0.0/16']);
  });

  test('are /48 and /32 of IPv6, as far as they are coarser', () => {
    assert.deepEqual(networksAround('2001:db8:1:2::3', 64), ['2001:db8:1:/48', '2001:db8:/32']);
    assert.deepEqual(networksAround('2001:db8:1:2::3', 48), ['2001:db8:/32']);
    assert.deepEqual(networksAround('2001:db8:1:2::3', 32), []);
  });
});
