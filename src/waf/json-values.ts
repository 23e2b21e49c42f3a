import type { Json } from '../exchange/body/parsed.ts';
import { byteString } from './byte-string.ts';
import type { Values } from './engine/transaction/facts.ts';

/**
 * The values of a JSON body as arguments: `json.customer.name`, `json.items.sku`. An item of an array has the name of the array, so that an
 * exclusion for one holds for all.
 * Numbers, booleans and null count as their text. At most `most` of them.
 */
export function jsonValues(root: Json, most: number): Values {
  const walk = new Walk(most);
  walk.add('json', root);
  return walk;
}

class Walk implements Values {
  readonly names: string[] = [];
  readonly values: string[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(name: string, value: Json): void {
    if (this.names.length >= this.#most) return;
    if (typeof value === 'string') this.#keep(name, byteString(value));
    else if (value === null || typeof value !== 'object') this.#keep(name, value === null ? '' : String(value));
    else if (Array.isArray(value)) this.#array(name, value);
    else this.#object(name, value as { readonly [name: string]: Json });
  }

  #keep(name: string, value: string): void {
    this.names.push(name);
    this.values.push(value);
  }

  #array(name: string, items: readonly Json[]): void {
    for (const item of items) this.add(name, item);
  }

  #object(name: string, members: { readonly [name: string]: Json }): void {
    for (const key in members) this.add(`${name}.${byteString(key)}`, members[key]);
  }
}
