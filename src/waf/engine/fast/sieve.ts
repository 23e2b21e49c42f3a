import type { Check, Hits, Item, SieveNode, SieveWorld } from './sieve-node.ts';

/**
 * Finds the checks that a value matches, out of many, without judging most of them: by the classes of bytes that occur in it, then by
 * the literals that do. Exact: what it says matched did, and what it does not say did not.
 */
export class Sieve {
  readonly #world: SieveWorld;
  readonly #plain: SieveNode;
  /** The checks of `multiMatch` behind the first step; undefined: there is none. */
  readonly #repeating: SieveNode | undefined;

  constructor(checks: readonly Check[], world: SieveWorld) {
    const items = itemsOf(checks);
    const repeating = items.filter(({ repeats }) => repeats);
    this.#world = world;
    this.#plain = world.nodeFor(items.filter(({ repeats }) => !repeats));
    this.#repeating = repeating.length === 0 ? undefined : world.nodeFor(repeating);
  }

  judge(value: string, hits: Hits): void {
    const { low: lows, high: highs } = this.#world.classes;
    let low = 0;
    let high = 0;
    for (let i = 0; i < value.length; i++) {
      const byte = value.charCodeAt(i);
      low |= lows[byte];
      high |= highs[byte];
    }
    this.#plain.judge(value, low, high, true, hits);
    this.#repeating?.judge(value, low, high, false, hits);
  }
}

/** Checks with the same chain are one item. */
function itemsOf(checks: readonly Check[]): Item[] {
  const byChain = Map.groupBy(
    checks,
    ({ steps, repeats }) => `${repeats} ${steps.map(({ transformation }) => transformation.name).join()}`,
  );
  return [...byChain.values()].map((list) => ({
    id: list.map(({ id }) => id).join('+'),
    steps: list[0].steps,
    from: 0,
    checks: list,
    repeats: list[0].repeats,
  }));
}
