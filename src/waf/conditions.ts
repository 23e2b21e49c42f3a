import { BlockList, isIPv6 } from 'node:net';
import type { Exchange } from '../exchange/exchange.ts';
import { headerValues } from '../exchange/headers.ts';
import type { WafOptions } from './options.ts';

type Condition = WafOptions['deny'][number];

/** A simple condition that needs no rule: all of what it says must hold. */
export class WrittenCondition {
  readonly #addresses: BlockList | undefined;
  readonly #methods: ReadonlySet<string> | undefined;
  readonly #paths: readonly (readonly string[])[] | undefined;
  readonly #headers: readonly (readonly [name: string, value: RegExp])[];

  constructor(written: Condition) {
    this.#addresses = written.addresses && addressesOf(written.addresses);
    this.#methods = written.methods && new Set(written.methods.map((method) => method.toUpperCase()));
    this.#paths = written.paths?.map((path) => path.slice(1).split('/'));
    this.#headers = Object.entries(written.headers ?? {}).map(([name, value]) => [name.toLowerCase(), wildcard(value)]);
  }

  holds(x: Exchange): boolean {
    const { clientAddress: address, head } = x;
    if (this.#addresses?.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') === false) return false;
    if (this.#methods?.has(head.method) === false) return false;
    if (this.#paths?.some((path) => covers(path, head.path)) === false) return false;
    return this.#headers.every(([name, value]) => headerValues(head.headers, name).some((one) => value.test(one)));
  }
}

/** Any of them holds. */
export function anyHolds(conditions: readonly WrittenCondition[], x: Exchange): boolean {
  for (const condition of conditions) if (condition.holds(x)) return true;
  return false;
}

function addressesOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** `*` stands for anything; at most one pass over the value, since parts between stars are looked for one behind the other. */
function wildcard(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // Lazy and anchored, each part is found at its first place: there is nothing to go back for but the last one.
  return new RegExp(`^${parts.join('.*?')}$`, 'si');
}

/** `*` and `{name}` are one segment, `**` any rest, none included. */
function covers(pattern: readonly string[], path: string): boolean {
  const segments = path.slice(1).split('/');
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === '**') return true;
    if (i >= segments.length) return false;
    if (pattern[i] !== '*' && !pattern[i].startsWith('{') && pattern[i] !== segments[i]) return false;
  }
  return segments.length === pattern.length;
}
