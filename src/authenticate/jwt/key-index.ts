import type { VerificationKey } from './key-source.ts';

interface Fitting {
  readonly all: VerificationKey[];
  readonly byKid: Map<string, VerificationKey[]>;
}

/** The keys of an issuer by algorithm and `kid`: looked up for each token, made once for each set of keys. */
export class KeyIndex {
  readonly size: number;
  readonly #byAlgorithm = new Map<string, Fitting>();

  constructor(keys: readonly VerificationKey[]) {
    this.size = keys.length;
    for (const key of keys) for (const algorithm of key.algorithms) this.#add(algorithm, key);
  }

  /** Those that fit, at least one; undefined: there is none. A key without `kid` is not the key of a token that names one. */
  find(kid: string | undefined, algorithm: string): readonly VerificationKey[] | undefined {
    const fitting = this.#byAlgorithm.get(algorithm);
    return kid === undefined ? fitting?.all : fitting?.byKid.get(kid);
  }

  #add(algorithm: string, key: VerificationKey): void {
    const fitting = this.#byAlgorithm.get(algorithm) ?? { all: [], byKid: new Map<string, VerificationKey[]>() };
    this.#byAlgorithm.set(algorithm, fitting);
    fitting.all.push(key);
    if (key.kid === undefined) return;
    const named = fitting.byKid.get(key.kid);
    if (named === undefined) fitting.byKid.set(key.kid, [key]);
    else named.push(key);
  }
}
