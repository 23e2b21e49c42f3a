import { isIP } from 'node:net';
import { TrustedProxies as AddressSet } from '../exchange/client-address.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Rule } from './rule.ts';

/** `addresses`: the client address, as the trusted proxies tell it, is in one of the networks. */
export class Addresses implements Rule {
  readonly #networks: AddressSet;
  readonly #refused: Refusal;

  constructor(networks: readonly string[]) {
    this.#networks = new AddressSet(networks);
    this.#refused = refuse('address-refused', 'the client address is in none of `addresses`');
  }

  check(x: Exchange): Refusal | undefined {
    const { clientAddress } = x;
    return isIP(clientAddress) !== 0 && this.#networks.has(clientAddress) ? undefined : this.#refused;
  }
}
