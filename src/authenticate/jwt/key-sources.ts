import type { Carry } from '../../pipeline/stage.ts';
import type { KeySource, KeySourceSnapshot } from './key-source.ts';

/** The keys of all issuers that any configuration holds, for who shows them. */
export class KeySources {
  readonly #issuers = new Map<KeySource, string>();

  add(issuer: string, source: KeySource): void {
    this.#issuers.set(source, issuer);
  }

  remove(source: KeySource): void {
    this.#issuers.delete(source);
  }

  snapshot(): (KeySourceSnapshot & { readonly issuer: string })[] {
    return [...this.#issuers].map(([source, issuer]) => ({ issuer, ...source.snapshot() }));
  }
}

/** One list for a process. */
export function keySources(carry: Carry): KeySources {
  return carry.take('key sources', () => new KeySources());
}
