import type { Duplex } from 'node:stream';
import type { Refusal } from '../exchange/decision.ts';
import type { HeaderList } from '../exchange/headers.ts';

/** Who is told what becomes of the client while its answer is under way. */
export interface ClientWatcher {
  /** What was written has left: go on. */
  clientDrained(): void;
  /** The client went away before its answer was complete. */
  clientGone(): void;
  /**
   * The upgraded connection is to end.
   * @param politely - only where its ends can be told why, in the language that they speak
   */
  endTunnel(refusal: Refusal, politely: boolean): void;
}

/**
 * The client's side of one exchange, the same over HTTP/1 and HTTP/2: how the corridor answers. `listen` implements it.
 * Calls after the client has left are ignored.
 */
export interface ClientSide {
  /** A complete answer in one go. The body is left out for HEAD, 204 and 304, its length still told where it may be. */
  respond(status: number, headers: HeaderList, body: Buffer | string | undefined): void;
  /** The head of an answer whose body follows; `length` undefined when unknown. */
  start(status: number, headers: HeaderList, length: number | undefined): void;
  /** False: wait for `clientDrained`. */
  write(chunk: Buffer): boolean;
  end(trailers: HeaderList | undefined): void;
  /** The answer cannot be completed: the client must be able to tell (connection or stream reset). */
  abort(): void;
  /** Switches protocols (only HTTP/1): writes a 101 and hands the socket over, with the bytes read behind the head. */
  upgrade(headers: HeaderList): { socket: Duplex; rest: Buffer };
  /** Set by the corridor. */
  watcher: ClientWatcher | undefined;
}
