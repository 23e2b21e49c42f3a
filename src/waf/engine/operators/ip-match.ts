import { type OperatorFactory, type PreparedOperator, RuleError } from '../operator.ts';
import { AddressSet } from './address-set.ts';
import { fixedText } from './argument.ts';

/** Whether the value is an address of one of the networks, apart by commas. */
export const ipMatch: OperatorFactory = (argument) => new IpMatch(fixedText(argument).split(','));

/** The same with the networks in a file, one a line. */
export const ipMatchFromFile: OperatorFactory = (argument, world) => new IpMatch(world.readLines(fixedText(argument).trim()));

class IpMatch implements PreparedOperator {
  readonly #set: AddressSet;
  constructor(networks: readonly string[]) {
    const set = AddressSet.of(networks.map((network) => network.trim()).filter(Boolean));
    if (typeof set === 'string') {
      throw new RuleError(`'${set}' is no address and no network`, 'write one as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32');
    }
    this.#set = set;
  }
  judge(value: string): boolean {
    return this.#set.has(value);
  }
}
