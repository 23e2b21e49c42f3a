import ipaddr from 'ipaddr.js';

/** Where clouds tell a machine its credentials. */
const METADATA = ['169.254.169.254', 'fd00:ec2::254'];
/** The largest network that is one organisation's: 10.0.0.0/8; of IPv6 what a registry gives to a large provider. */
const WIDEST = { ipv4: 8, ipv6: 24 };

/** What is wrong with trust in a network of this size; undefined: nothing. */
export function tooLarge(network: string): string | undefined {
  const { kind, bits } = parsed(network);
  return bits < WIDEST[kind] ? `${network} is much of the Internet` : undefined;
}

/** What is wrong with calls into this network; undefined: nothing. */
export function tooWide(network: string): string | undefined {
  const large = tooLarge(network);
  if (large !== undefined) return large;
  const { kind, base, bits } = parsed(network);
  const metadata = METADATA.map((text) => ipaddr.parse(text)).find(
    (address) => address.kind() === kind && address.match(base, bits),
  );
  return metadata === undefined
    ? undefined
    : `${network} holds ${metadata.toString()}, where clouds keep credentials of machines`;
}

function parsed(network: string) {
  const [host, bits] = network.split('/');
  const base = ipaddr.parse(host);
  const kind = base.kind();
  const length = bits === undefined ? (kind === 'ipv4' ? 32 : 128) : Number(bits);
  // Within ::ffff:0:0/96 stand the addresses of IPv4.
  if (kind === 'ipv6' && length >= 96 && (base as ipaddr.IPv6).isIPv4MappedAddress())
    return { base: (base as ipaddr.IPv6).toIPv4Address(), kind: 'ipv4' as const, bits: length - 96 };
  return { base, kind, bits: length };
}
