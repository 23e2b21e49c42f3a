const SMALLEST = 16;
/** Beyond this share of places in use, searches become long. */
const FULL = 0.8;
/** Places for coarser keys, as a share of those for all others. */
const RESERVE = 1 / 16;
/** Milliseconds until a table that has hardly a free place is looked through again: a look costs as much as it has places. */
const LOOK_AGAIN = 100;

/**
 * A table of times by 64-bit hash: open addressing with linear probing in flat memory. What stands in it with a time that is past is
 * as good as absent: the next key that comes by takes its place. It grows up to a bound and shrinks again.
 */
export class Places {
  /** High and low half of the hash in turn; both 0: never used. */
  #hashes = new Uint32Array(2 * SMALLEST);
  /** The times by place; another array after every `place` and `sweep`, perhaps. */
  tats: Float64Array = new Float64Array(SMALLEST);
  #mask = SMALLEST - 1;
  #used = 0;
  readonly #most: number;
  readonly #mostWithReserve: number;
  #nextLook = 0;

  /** @param most The most keys that are kept; for coarser ones there is a little more. */
  constructor(most: number) {
    this.#most = most;
    this.#mostWithReserve = most + Math.ceil(most * RESERVE);
  }

  /** Places in use, past times among them. */
  get used(): number {
    return this.#used;
  }

  /** The place of this hash, a new one with time 0 where it has none; -1 when there is none left. */
  place(high: number, low: number, now: number, reserve: boolean): number {
    // The mark of an empty place is nobody's hash.
    const mark = high === 0 && low === 0 ? 1 : low;
    const at = this.#search(high, mark, now);
    if (at >= 0) return at;
    const most = reserve ? this.#mostWithReserve : this.#most;
    if (this.#used < most && this.#used < FULL * this.tats.length) return this.#fill(~at, high, mark);
    if (now < this.#nextLook) return -1;
    this.#rebuild(now);
    return this.#used < most ? this.#fill(~this.#search(high, mark, now), high, mark) : -1;
  }

  /** Makes free what is past, and gives memory back, where that is much. */
  sweep(now: number): void {
    const live = this.#live(now);
    if (this.#used > 2 * live + SMALLEST / 2) this.#rebuild(now);
  }

  #live(now: number): number {
    const tats = this.tats;
    let live = 0;
    for (let i = 0; i < tats.length; i++) if (tats[i] > now) live++;
    return live;
  }

  /** The place of the hash, or one that has become free, which it then gets; otherwise `~` the empty place behind. */
  #search(high: number, low: number, now: number): number {
    const hashes = this.#hashes;
    let free = -1;
    let at = low & this.#mask;
    for (; ; at = (at + 1) & this.#mask) {
      const h = hashes[2 * at];
      const l = hashes[2 * at + 1];
      if (h === high && l === low) return at;
      if (h === 0 && l === 0) break;
      if (free < 0 && this.tats[at] <= now) free = at;
    }
    if (free < 0) return ~at;
    this.#write(free, high, low, 0);
    return free;
  }

  #fill(at: number, high: number, low: number): number {
    this.#used++;
    this.#write(at, high, low, 0);
    return at;
  }

  #write(at: number, high: number, low: number, tat: number): void {
    this.#hashes[2 * at] = high;
    this.#hashes[2 * at + 1] = low;
    this.tats[at] = tat;
  }

  /** Copies what is not past into a table with room for as much again, as far as the bound allows. */
  #rebuild(now: number): void {
    const [hashes, tats] = [this.#hashes, this.tats];
    const live = this.#live(now);
    this.#resize(sizeFor(Math.min(2 * live, this.#mostWithReserve)));
    for (let i = 0; i < tats.length; i++) if (tats[i] > now) this.#copy(hashes[2 * i], hashes[2 * i + 1], tats[i]);
    this.#used = live;
    if (live > this.#most * (1 - RESERVE)) this.#nextLook = now + LOOK_AGAIN;
  }

  #resize(size: number): void {
    this.#hashes = new Uint32Array(2 * size);
    this.tats = new Float64Array(size);
    this.#mask = size - 1;
  }

  #copy(high: number, low: number, tat: number): void {
    const hashes = this.#hashes;
    let at = low & this.#mask;
    while (hashes[2 * at] !== 0 || hashes[2 * at + 1] !== 0) at = (at + 1) & this.#mask;
    this.#write(at, high, low, tat);
  }
}

/** The smallest power of two that holds as many. */
function sizeFor(count: number): number {
  let size = SMALLEST;
  while (size * FULL < count) size *= 2;
  return size;
}
