import type { KeyObject } from 'node:crypto';

/** One public key of an issuer, with all that it may be used for already settled. */
export interface VerificationKey {
  readonly kid: string | undefined;
  /**
   * The algorithms that this very key may verify: bound by its `kty` and `crv`, its own `alg`, `use` and `key_ops`, and at least 2048 bits
   * for RSA. Never taken from a token (RFC 8725 section 3.1).
   */
  readonly algorithms: readonly string[];
  /** Public. */
  readonly key: KeyObject;
}

/**
 * The keys that fit, at least one. `unknown`: the issuer has no such key. `unavailable`: nothing can be known now, because the keys were
 * never read or are older than they may be (503).
 */
export type KeyAnswer = readonly VerificationKey[] | 'unknown' | 'unavailable';

/** Where the keys of one issuer come from. Nothing that a token says ever decides where they are fetched from. */
export interface KeySource {
  /**
   * The keys for this `kid` and algorithm, at once when they are known. Without a `kid`: all that fit the algorithm. An unknown `kid` has
   * the keys fetched again, where that is due, and waits for it.
   */
  find(kid: string | undefined, algorithm: string): KeyAnswer | Promise<KeyAnswer>;
  /**
   * None of the keys for a token without `kid` has made its signature, so the issuer may have new ones: has them fetched again, where that is
   * due, and waits for it. `unknown`: it is not due. Absent: there is nothing to fetch.
   */
  renew?(algorithm: string): KeyAnswer | Promise<KeyAnswer>;
  /** Settles when the first attempt to get the keys is over, whatever came of it. Never rejects. */
  ready(): Promise<void>;
  /** Lets go of it. The keys themselves live as long as a configuration holds them. */
  close(): void;
  snapshot(): KeySourceSnapshot;
}

/** For status pages and metrics. */
export interface KeySourceSnapshot {
  /** Where the keys come from: a URL, a file, or the issuer that is asked. */
  readonly from: string;
  /** How many keys are known. */
  readonly keys: number;
  /** Milliseconds since the epoch when the keys were read last; undefined: never. */
  readonly read: number | undefined;
  /** Milliseconds since the epoch from which on the keys count as unknown unless they are read again. */
  readonly expires: number | undefined;
  /** Why the last attempt failed; undefined when it did not. */
  readonly failure: string | undefined;
}
