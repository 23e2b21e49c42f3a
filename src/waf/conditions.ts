import type { Exchange } from '../exchange/exchange.ts';
import { headerValues } from '../exchange/headers.ts';
import { byteString } from './byte-string.ts';
import { AddressSet } from './engine/operators/address-set.ts';
import type { WafOptions } from './options.ts';
import { Wildcard } from './wildcard.ts';

type Condition = WafOptions['deny'][number];

/** A simple condition that needs no rule: all of what it says must hold. */
export class WrittenCondition {
  readonly #addresses: AddressSet | undefined;
  readonly #methods: ReadonlySet<string> | undefined;
  readonly #paths: readonly (readonly string[])[] | undefined;
  readonly #headers: readonly (readonly [name: string, value: Wildcard])[];

  constructor(written: Condition) {
    this.#addresses = written.addresses && addressesOf(written.addresses);
    this.#methods = written.methods && new Set(written.methods.map((method) => method.toUpperCase()));
    this.#paths = written.paths?.map((path) => path.slice(1).split('/'));
    this.#headers = Object.entries(written.headers ?? {}).map(([name, value]) => [
      name.toLowerCase(),
      new Wildcard(byteString(value)),
    ]);
  }

  holds(x: Exchange): boolean {
    const { clientAddress, head } = x;
    if (this.#addresses?.has(clientAddress) === false) return false;
    if (this.#methods?.has(head.method) === false) return false;
    if (this.#paths?.some((path) => covers(path, head.path)) === false) return false;
    return this.#headers.every(([name, value]) => headerValues(head.headers, name).some((one) => value.matches(one)));
  }
}

/** Any of them holds. */
export function anyHolds(conditions: readonly WrittenCondition[], x: Exchange): boolean {
  for (const condition of conditions) if (condition.holds(x)) return true;
  return false;
}

function addressesOf(networks: readonly string[]): AddressSet {
  const set = AddressSet.of(networks);
  // The options hold every one of them to be a network.
  if (typeof set === 'string') throw new Error(`${set} is no address or network`);
  return set;
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
