import { BlockList, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Which addresses our own calls may go to. What is not a public unicast address is refused, in every form in which an IPv4 address can
 * stand inside an IPv6 one, unless the configuration allows it (CWE-918).
 */

/** IANA's special-purpose registries (RFC 6890), and what clouds have put on addresses that look public. */
const SPECIAL: readonly [kind: string, ...networks: string[]][] = [
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['shared (carrier-grade NAT)', '100.64.0.0/10'],
  ['unspecified', '0.0.0.0/8', '::/128'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['metadata', '168.63.129.16/32'],
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  ['benchmarking', '198.18.0.0/15'],
  // 2001::/23 holds Teredo and ORCHID; 2002::/16 is 6to4, with an IPv4 address inside.
  ['reserved', '192.0.0.0/24', '192.88.99.0/24', '240.0.0.0/4', '2001::/23', '2002::/16'],
];

/** Everything public in IPv6 is in here (RFC 4291 section 2.4). */
const GLOBAL_UNICAST = listOf(['2000::/3']);

const special = SPECIAL.map(([kind, ...networks]) => ({ kind, list: listOf(networks) }));

/** A list to look addresses up in. Takes addresses and networks in CIDR form. */
export function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    list.addSubnet(address, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family);
  }
  return list;
}

/** `loopback`, `private`, …; `public` for one that anybody may be sent to. */
export function kindOf(address: string): string {
  const plain = unwrap(address);
  const family = familyOf(plain);
  for (const { kind, list } of special) if (list.check(plain, family)) return kind;
  return family === 'ipv4' || GLOBAL_UNICAST.check(plain, 'ipv6') ? 'public' : 'reserved';
}

/** Whether the list has this address, or the IPv4 address inside it. */
export function isIn(list: BlockList, address: string): boolean {
  const plain = unwrap(address);
  const [bare] = address.split('%');
  return list.check(plain, familyOf(plain)) || (isIPv6(bare) && list.check(bare, 'ipv6'));
}

const familyOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6');

/** IPv4-mapped addresses (RFC 4291) and those of NAT64 (RFC 6052) lead to the IPv4 address at their end, so that is what is judged. */
function unwrap(address: string): string {
  const [bare] = address.split('%');
  if (isIPv4(bare)) return bare;
  const bytes = ipaddr.IPv6.parse(bare).toByteArray();
  const prefix = Buffer.from(bytes.slice(0, 12)).toString('hex');
  return prefix === MAPPED || prefix === NAT64 ? bytes.slice(12).join('.') : bare;
}

const MAPPED = '00000000000000000000ffff';
const NAT64 = '0064ff9b0000000000000000';
