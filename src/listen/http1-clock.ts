const NEVER = Number.POSITIVE_INFINITY;

/**
 * The times that run while one request is served, all in `performance.now()`. The body's stands still while the client is made to wait by
 * a room or by the service: then the client is not the slow one. The request's never stands still.
 */
export class RequestClock {
  /** When the next of them is over. */
  due = NEVER;
  #body = NEVER;
  #request = NEVER;
  #answer = NEVER;
  #heldSince = 0;

  /** No time runs. */
  clear(): void {
    this.#body = NEVER;
    this.#request = NEVER;
    this.#answer = NEVER;
    this.#heldSince = 0;
    this.due = NEVER;
  }

  /** A body is on its way: it, and the request that it belongs to, have to be there by then. */
  receive(body: number, request: number): void {
    this.#body = body;
    this.#request = request;
    this.#update();
  }

  /** The body is complete, or given up. */
  received(): void {
    this.#body = NEVER;
    this.#request = NEVER;
    this.#update();
  }

  /** Nothing more is read of the body for the time being. */
  hold(now: number): void {
    if (this.#body === NEVER || this.#heldSince !== 0) return;
    this.#heldSince = now;
    this.#update();
  }

  /** The body is read on. */
  flow(now: number): void {
    if (this.#heldSince === 0) return;
    this.#body += now - this.#heldSince;
    this.#heldSince = 0;
    this.#update();
  }

  /** By then, something of the answer has to go out. */
  answer(by: number): void {
    this.#answer = by;
    this.#update();
  }

  /** What of the receiving is over; undefined: it is something else, or nothing. */
  overdue(now: number): 'body-timeout' | 'request-timeout' | undefined {
    if (now >= this.#request) return 'request-timeout';
    return this.#heldSince === 0 && now >= this.#body ? 'body-timeout' : undefined;
  }

  #update(): void {
    const body = this.#heldSince === 0 ? this.#body : NEVER;
    this.due = Math.min(body, this.#request, this.#answer);
  }
}
