import type { Carry } from '../../pipeline/stage.ts';
import type { IntrospectionSnapshot } from './introspection.ts';

interface Shown {
  readonly name: string;
  snapshot(): IntrospectionSnapshot;
}

/** The methods of this kind that any configuration holds, for who shows them. */
export class Introspections {
  readonly #all = new Set<Shown>();

  add(method: Shown): void {
    this.#all.add(method);
  }

  remove(method: Shown): void {
    this.#all.delete(method);
  }

  /** Where a reload has made one anew, the one that it replaces is told no more. */
  snapshot(): (IntrospectionSnapshot & { readonly method: string })[] {
    const byName = new Map([...this.#all].map((one) => [one.name, one]));
    return [...byName].map(([method, one]) => ({ method, ...one.snapshot() }));
  }
}

/** One list for a process. */
export function introspections(carry: Carry): Introspections {
  return carry.take('introspections', () => new Introspections());
}
