/** More than a good client sends in a handshake: where the chain cannot be seen this tells. */
export const HEAVY_BYTES = 24 * 1024;
const BLOCK_MS = 60_000;

/** Addresses that are remembered; of more, the oldest are forgotten. */
const MOST = 10_000;

/**
 * Addresses from which heavy handshakes came to nothing. To verify a chain of a hundred certificates takes OpenSSL up to 170 ms, whoever signed
 * them, and Node cannot tell it to follow fewer. So who was refused after a chain that no good client has gets no handshake for a while.
 */
export class HeavyClients {
  readonly #until = new Map<string, number>();

  /** A handshake came to nothing for the client's heavy chain. */
  add(address: string, now: number): void {
    this.#until.delete(address);
    this.#until.set(address, now + BLOCK_MS);
    for (const oldest of this.#until.keys()) {
      if (this.#until.size <= MOST) return;
      this.#until.delete(oldest);
    }
  }

  get any(): boolean {
    return this.#until.size > 0;
  }

  blocks(address: string, now: number): boolean {
    const until = this.#until.get(address);
    if (until === undefined) return false;
    if (now < until) return true;
    this.#until.delete(address);
    return false;
  }
}
