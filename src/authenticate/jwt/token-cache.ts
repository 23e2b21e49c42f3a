/** Bounds of a cache: how many, and how many bytes all of them may take as their users estimate it. */
export interface CacheBounds {
  readonly entries: number;
  readonly bytes: number;
}

interface Sized {
  readonly bytes: number;
}

/**
 * What was found out about tokens, by the hash of the whole token. Bounded in number and bytes: entries live in two halves, and when
 * the younger is full, the elder goes, with all that was not asked for since the last time. So nothing is moved or sorted at a hit,
 * what is over goes by itself, and a flood of new tokens costs others at most one verification.
 */
export class TokenCache<E extends Sized> {
  readonly #half: CacheBounds;
  #young = new Map<string, E>();
  #old = new Map<string, E>();
  #youngBytes = 0;
  #oldBytes = 0;

  constructor(bounds: CacheBounds) {
    this.#half = { entries: Math.max(1, Math.floor(bounds.entries / 2)), bytes: bounds.bytes / 2 };
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  get(hash: string): E | undefined {
    const young = this.#young.get(hash);
    if (young !== undefined) return young;
    const old = this.#old.get(hash);
    if (old !== undefined) this.set(hash, old);
    return old;
  }

  set(hash: string, entry: E): void {
    this.delete(hash);
    if (entry.bytes > this.#half.bytes) return;
    if (this.#young.size >= this.#half.entries || this.#youngBytes + entry.bytes > this.#half.bytes) this.#turn();
    this.#young.set(hash, entry);
    this.#youngBytes += entry.bytes;
  }

  delete(hash: string): void {
    this.#youngBytes -= take(this.#young, hash);
    this.#oldBytes -= take(this.#old, hash);
  }

  #turn(): void {
    this.#old = this.#young;
    this.#oldBytes = this.#youngBytes;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}

/** Takes an entry out and says how large it was. */
function take<E extends Sized>(map: Map<string, E>, hash: string): number {
  const entry = map.get(hash);
  if (entry === undefined) return 0;
  map.delete(hash);
  return entry.bytes;
}
