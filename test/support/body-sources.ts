import type { BodySink, BodySource } from '../../src/exchange/body-source.ts';
import { type Refusal, refuse } from '../../src/exchange/decision.ts';

/** A request body made of pieces, which notes what is asked of it. Pieces come one per turn of the loop while it flows. */
export class PieceSource implements BodySource {
  readonly length: number | undefined;
  received = 0;
  broken: Refusal | undefined = undefined;
  limit = Number.POSITIVE_INFINITY;
  started = false;
  /** How often it was asked to pause, and pieces that were given. */
  pauses = 0;
  given = 0;
  #flowing = true;
  #sink: BodySink | undefined;
  #scheduled = false;
  readonly #pieces: readonly Buffer[];
  readonly #end: 'end' | 'broken' | 'open';

  /** `length` undefined: unknown; `end`: how it is over behind the last piece. */
  constructor(pieces: readonly (string | Buffer)[], length?: number, end: 'end' | 'broken' | 'open' = 'end') {
    this.#pieces = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece));
    this.length = length;
    this.#end = end;
  }

  start(sink: BodySink): void {
    if (this.started) throw new Error('started twice');
    this.started = true;
    this.#sink = sink;
    this.#schedule();
  }

  pause(): void {
    this.pauses++;
    this.#flowing = false;
  }

  resume(): void {
    this.#flowing = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || !this.started) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#flowing) this.#next();
    });
  }

  #next(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    if (this.given < this.#pieces.length) {
      const piece = this.#pieces[this.given++];
      this.received += piece.length;
      sink.onData(piece);
      return this.#schedule();
    }
    this.#sink = undefined;
    if (this.#end === 'end') sink.onEnd(undefined);
    if (this.#end === 'broken') this.#break(sink);
  }

  #break(sink: BodySink): void {
    const refusal = refuse('body-malformed', 'a test');
    this.broken = refusal;
    sink.onBroken(refusal);
  }
}
