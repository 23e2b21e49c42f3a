import assert from 'node:assert/strict';
import { test } from 'node:test';
import ipaddr from 'ipaddr.js';
import { isIn, kindOf, listOf } from './addresses.ts';

const PUBLIC = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:81b::200e',
  '2001:4860:4860::8888',
  // The way to a public IPv4 address from a network that has only IPv6.
  '::ffff:1.1.1.1',
  '64:ff9b::101:101',
];

const REFUSED: [address: string, kind: string][] = [
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['fd00:ec2::254', 'private'],
  ['fc00::1', 'private'],
  ['fec0::1', 'private'],
  ['169.254.169.254', 'link-local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['febf::1', 'link-local'],
  ['100.64.0.1', 'shared (carrier-grade NAT)'],
  ['100.100.100.200', 'shared (carrier-grade NAT)'],
  ['100.127.255.255', 'shared (carrier-grade NAT)'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['::', 'unspecified'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['ff02::1', 'multicast'],
  ['168.63.129.16', 'metadata'],
  ['192.0.0.192', 'reserved'],
  ['198.18.0.1', 'benchmarking'],
  ['192.0.2.1', 'documentation'],
  ['198.51.100.1', 'documentation'],
  ['203.0.113.1', 'documentation'],
  ['2001:db8::1', 'documentation'],
  ['3fff::1', 'documentation'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'reserved'],
  // IPv4 inside IPv6.
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:169.254.169.254', 'link-local'],
  ['::ffff:0:127.0.0.1', 'reserved'],
  ['::127.0.0.1', 'loopback'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['64:ff9b::169.254.169.254', 'link-local'],
  ['64:ff9b:1::7f00:1', 'reserved'],
  ['2002:7f00:1::', 'reserved'],
  ['2002:a9fe:a9fe::1', 'reserved'],
  ['2001:0:7f00:1::', 'reserved'],
  // Outside of what is given out to anybody.
  ['100::1', 'reserved'],
  ['5f00::1', 'reserved'],
  ['4000::1', 'reserved'],
];

test('public addresses are public, in every form', () => {
  for (const address of PUBLIC) assert.equal(kindOf(address), 'public', address);
});

test('whatever else there is, is not', () => {
  for (const [address, kind] of REFUSED) assert.equal(kindOf(address), kind, address);
});

test('no address is public here that another list knows as special', () => {
  const random = (i: number) => Math.imul(i * 2 + 1, 0x9e3779b1) >>> 0;
  for (let i = 0; i < 20_000; i++) {
    const n = random(i);
    const v4 = [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.');
    if (kindOf(v4) !== 'public') continue;
    // Blocks that are given out to everybody though they have a name: AS112 and AMT (RFC 7534, 7535, 7450).
    assert.ok(['unicast', 'as112', 'amt'].includes(ipaddr.IPv4.parse(v4).range()), v4);
    const v6 = `${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}:${(random(i + 7) >>> 16).toString(16)}::1`;
    if (kindOf(v6) === 'public') assert.ok(['unicast', 'as112v6', 'amt'].includes(ipaddr.IPv6.parse(v6).range()), v6);
  }
});

test('a list has an address in each of its forms', () => {
  const list = listOf(['10.0.0.0/8', '192.168.7.7', 'fd00:1::/32', 'fe80::/10', '64:ff9b::/96']);
  for (const address of [
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '64:ff9b::10.1.2.3',
    '192.168.7.7',
    'fd00:1::5',
    'fe80::1%eth0',
    '64:ff9b::1.2.3.4',
  ]) {
    assert.ok(isIn(list, address), address);
  }
  for (const address of ['11.0.0.1', '192.168.7.8', '::ffff:11.0.0.1', 'fd00:2::5', '2002:a00:1::']) {
    assert.ok(!isIn(list, address), address);
  }
});
