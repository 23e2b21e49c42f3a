import type { Carry } from '../pipeline/stage.ts';

interface Held {
  readonly value: object;
  readonly dispose: ((value: never) => void) | undefined;
  holders: number;
}

/**
 * What outlives a reload: pools, health, counters, caches. Each configuration holds what it uses; the next takes the same object when
 * it asks for the same key; what nobody holds any more is disposed of. Keys carry the hash of the options they were made from.
 */
export class CarryStore {
  readonly #held = new Map<string, Held>();

  /** How many objects are held. */
  get size(): number {
    return this.#held.size;
  }

  /** The hold of one configuration: release it when that configuration has left. */
  open(): Carry & { release(): void } {
    const keys = new Set<string>();
    let released = false;
    return {
      take: <T extends object>(key: string, make: () => T, dispose?: (value: T) => void): T => {
        // Nobody would ever give it back.
        if (released) throw new Error(`${key} is asked for by a configuration that has been released`);
        const held = this.#held.get(key) ?? this.#add(key, { value: make(), dispose, holders: 0 });
        if (!keys.has(key)) held.holders++;
        keys.add(key);
        return held.value as T;
      },
      release: () => {
        released = true;
        const mine = [...keys];
        keys.clear();
        this.#letAll(mine);
      },
    };
  }

  #add(key: string, held: Held): Held {
    this.#held.set(key, held);
    return held;
  }

  /** One that cannot be disposed of does not keep the others. */
  #letAll(keys: readonly string[]): void {
    const errors: unknown[] = [];
    for (const key of keys) {
      try {
        this.#let(key);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  #let(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined || --held.holders > 0) return;
    this.#held.delete(key);
    held.dispose?.(held.value as never);
  }
}
