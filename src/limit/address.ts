/**
 * Addresses as limits see them. A client with IPv6 owns a whole network and may send every request from another address of it, so
 * the network is the client.
 */

/** The spelling that is counted: an IPv4 address as it is (IPv4-mapped ones too), of an IPv6 address the network of so many bits. */
export function clientOf(address: string, bits: number): string {
  if (!address.includes(':')) return address;
  const groups = groupsOf(address);
  return mappedOf(groups) ?? networkOf(groups, bits);
}

/** Networks around the client, the finest first, for a store that has no place for him alone. */
export function networksAround(address: string, bits: number): string[] {
  const groups = address.includes(':') ? groupsOf(address) : undefined;
  const four = groups === undefined ? address : mappedOf(groups);
  if (four !== undefined) return networksOfFour(four);
  return [48, 32].filter((coarse) => coarse < bits).map((coarse) => networkOf(groups as number[], coarse));
}

function networksOfFour(address: string): string[] {
  const third = address.lastIndexOf('.');
  const second = address.lastIndexOf('.', third - 1);
  return [`${address.slice(0, third)}.0/24`, `${address.slice(0, second)}.0.0/16`];
}

function networkOf(groups: readonly number[], bits: number): string {
  let text = '';
  for (let i = 0; i < 8 && 16 * i < bits; i++) {
    const kept = Math.min(16, bits - 16 * i);
    text += `${(groups[i] & (0xffff << (16 - kept))).toString(16)}:`;
  }
  return `${text}/${bits}`;
}

/** `::ffff:192.0.2.1`, in whichever spelling → `192.0.2.1`. */
function mappedOf(groups: readonly number[]): string | undefined {
  for (let i = 0; i < 5; i++) if (groups[i] !== 0) return undefined;
  if (groups[5] !== 0xffff) return undefined;
  return `${groups[6] >> 8}.${groups[6] & 255}.${groups[7] >> 8}.${groups[7] & 255}`;
}

/** The eight groups of an address that is known to be one; a zone (`%eth0`) is not part of it. */
function groupsOf(address: string): number[] {
  const groups = [0, 0, 0, 0, 0, 0, 0, 0];
  let filled = 0;
  let gap = -1;
  let group = 0;
  let digits = 0;
  for (let i = 0; i < address.length; i++) {
    const c = address.charCodeAt(i);
    if (c === DOT) return groupsOf(withHexTail(address));
    if (c === PERCENT) break;
    if (c !== COLON) {
      // 0-9, and in both cases a-f.
      group = 16 * group + (c < 0x3a ? c - 0x30 : (c | 0x20) - 0x57);
      digits++;
      continue;
    }
    if (digits > 0) groups[filled++] = group;
    else if (i > 0) gap = filled;
    group = digits = 0;
  }
  if (digits > 0) groups[filled++] = group;
  if (gap < 0) return groups;
  // What stands behind `::` belongs at the end.
  return groups.concat(groups.splice(gap, filled - gap));
}

const DOT = 0x2e;
const PERCENT = 0x25;
const COLON = 0x3a;

/** `::ffff:192.0.2.1` → `::ffff:c000:201`. */
function withHexTail(address: string): string {
  const start = address.lastIndexOf(':') + 1;
  const [a, b, c, d] = address
    .slice(start)
    .split('.', 4)
    .map((part) => Number.parseInt(part, 10));
  return `${address.slice(0, start)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
