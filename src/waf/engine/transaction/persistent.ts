/** Collections that outlive a request (`initcol`): kept in memory, bounded in number, in size and in time. */

const MOST_RECORDS = 10_000;
const MOST_VARIABLES = 100;
const LONGEST_VALUE = 4096;
const DEFAULT_TIMEOUT_S = 3600;

class StoredRecord {
  readonly variables = new Map<string, { value: string; expires: number }>();
  expires = 0;
}

/** All records of a set of rules. What is longest unused leaves first when there are too many. */
export class PersistentCollections {
  readonly #records = new Map<string, StoredRecord>();
  readonly #timeout: number;

  /** @param timeout - seconds after which an unused record is forgotten (`SecCollectionTimeout`) */
  constructor(timeout = DEFAULT_TIMEOUT_S) {
    this.#timeout = timeout * 1000;
  }

  get size(): number {
    return this.#records.size;
  }

  record(collection: string, key: string, now: number): StoredRecord {
    const id = `${collection}\n${key}`;
    const found = this.#records.get(id);
    const record = found === undefined || found.expires <= now ? new StoredRecord() : found;
    record.expires = now + this.#timeout;
    // Deleted and set again, it is the youngest in the map's order.
    this.#records.delete(id);
    this.#records.set(id, record);
    if (this.#records.size > MOST_RECORDS) this.#dropOldest();
    return record;
  }

  #dropOldest(): void {
    for (const id of this.#records.keys()) {
      this.#records.delete(id);
      return;
    }
  }
}

/** The collections that rules opened for one transaction. */
export class OpenCollections {
  readonly #store: PersistentCollections;
  readonly #now: number;
  readonly #open = new Map<string, StoredRecord>();

  constructor(store: PersistentCollections, now: number) {
    this.#store = store;
    this.#now = now;
  }

  open(collection: string, key: string): void {
    if (!this.#open.has(collection)) this.#open.set(collection, this.#store.record(collection, key, this.#now));
  }

  get(collection: string, name: string): string | undefined {
    const found = this.#open.get(collection)?.variables.get(name);
    return found === undefined || found.expires <= this.#now ? undefined : found.value;
  }

  set(collection: string, name: string, value: string): void {
    const record = this.#open.get(collection);
    if (record === undefined) return;
    const known = record.variables.get(name);
    if (known === undefined && record.variables.size >= MOST_VARIABLES) return;
    record.variables.set(name, { value: value.slice(0, LONGEST_VALUE), expires: known?.expires ?? Number.POSITIVE_INFINITY });
  }

  delete(collection: string, name: string): void {
    this.#open.get(collection)?.variables.delete(name);
  }

  expire(collection: string, name: string, seconds: number): void {
    const found = this.#open.get(collection)?.variables.get(name);
    if (found !== undefined) found.expires = this.#now + seconds * 1000;
  }

  /** Names and values of an open collection. */
  entries(collection: string): { names: string[]; values: string[] } {
    const names: string[] = [];
    const values: string[] = [];
    for (const [name, { value, expires }] of this.#open.get(collection)?.variables ?? []) {
      if (expires <= this.#now) continue;
      names.push(name);
      values.push(value);
    }
    return { names, values };
  }
}
