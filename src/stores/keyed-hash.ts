/**
 * HalfSipHash-1-3 with 64 bits of result, over the UTF-16 code units of strings: a hash that nobody can steer who does not know the
 * key. Without one, an attacker could choose keys that all fall on the same place of a table (hash flooding) or on somebody else's.
 */
export class KeyedHash {
  /** The result of the last `of`. */
  high = 0;
  low = 0;

  /** Takes up `key` behind a prefix. */
  of(prefix: HashState, key: string): void {
    let { v0, v1, v2, v3 } = prefix;
    const length = key.length;
    const words = (length + 1) >> 1;
    // The length, then three rounds for each half of the result.
    for (let i = 0; i < words + 7; i++) {
      let m = 0;
      if (i < words) m = wordAt(key, 2 * i, length);
      else if (i === words) m = length;
      else if (i === words + 1) v2 ^= 0xee;
      else if (i === words + 4) {
        this.high = (v1 ^ v3) >>> 0;
        v1 ^= 0xdd;
      }
      v3 ^= m;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= m;
    }
    this.low = (v1 ^ v3) >>> 0;
  }
}

/** The inner state behind a prefix. */
export interface HashState {
  readonly v0: number;
  readonly v1: number;
  readonly v2: number;
  readonly v3: number;
}

function wordAt(text: string, at: number, length: number): number {
  return at + 1 < length ? text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16) : text.charCodeAt(at);
}

/** The state in which a table of its own begins for each prefix: the key of the hash is a hash of the prefix. */
export function stateFor(seed: readonly [number, number], prefix: string): HashState {
  const start = keyed(seed[0], seed[1]);
  const hash = new KeyedHash();
  hash.of(start, prefix);
  return keyed(hash.high, hash.low);
}

function keyed(k0: number, k1: number): HashState {
  return { v0: k0 | 0, v1: k1 | 0, v2: (0x6c796765 ^ k0) | 0, v3: (0x74656462 ^ k1) | 0 };
}
