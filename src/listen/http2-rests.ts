/** How long the rest of a request may take whose answer is out: as long as on a connection of HTTP/1. */
const GRACE_MS = 1000;

/** Beyond this, the oldest one has to do with less. */
const MOST = 64;

interface Rest {
  readonly until: number;
  /** How much the client may still send of it: nothing gives the window back. */
  window: number;
}

/**
 * Requests that were answered before they had come in whole. To reset their streams at once would be right by RFC 9113 section 8.1, but there are
 * clients (curl before 8) that have not sent their body when they read both, and then throw the answer away. So the rest is thrown away here,
 * and a stream is reset only when its end does not come: the time is over, or the client has used up its window.
 */
export class Http2Rests {
  readonly #reset: (id: number) => void;
  readonly #rests = new Map<number, Rest>();

  constructor(reset: (id: number) => void) {
    this.#reset = reset;
  }

  add(id: number, window: number): void {
    this.#rests.set(id, { until: performance.now() + GRACE_MS, window });
    if (this.#rests.size <= MOST) return;
    for (const oldest of this.#rests.keys()) {
      this.#give(oldest);
      return;
    }
  }

  /** A piece of a rest, or of something else, has come. */
  data(id: number, length: number, last: boolean): void {
    const rest = this.#rests.get(id);
    if (rest === undefined) return;
    rest.window -= length;
    if (last) this.#rests.delete(id);
    else if (rest.window <= 0) this.#give(id);
  }

  /** What has not come by now does not come. */
  giveUp(id: number): void {
    if (this.#rests.has(id)) this.#give(id);
  }

  /** The client has ended its side. */
  end(id: number): void {
    this.#rests.delete(id);
  }

  sweep(now: number): void {
    for (const [id, rest] of this.#rests) if (now >= rest.until) this.#give(id);
  }

  #give(id: number): void {
    this.#rests.delete(id);
    this.#reset(id);
  }
}
