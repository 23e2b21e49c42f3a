import type { FastRunner } from './fast/run-fast.ts';
import type { Program } from './program/program.ts';
import type { BodyFacts, BodyProcessor, RequestFacts, ResponseFacts } from './transaction/facts.ts';
import { OpenCollections, type PersistentCollections } from './transaction/persistent.ts';
import { runPhase } from './transaction/run.ts';
import { type EngineMode, type Interruption, Transaction } from './transaction/transaction.ts';

/**
 * The engine's door: rules judge one request in five phases. Call them in their order, each at most once; phase 5 runs always. Each
 * gives what a rule wants done, or undefined.
 */
export class Engine {
  readonly #program: Program;
  readonly #collections: PersistentCollections;
  readonly #mode: EngineMode;
  readonly #fast: FastRunner | undefined;

  /** @param fast - what is known of the program beforehand; undefined: every rule is run */
  constructor(program: Program, collections: PersistentCollections, mode: EngineMode, fast: FastRunner | undefined) {
    this.#program = program;
    this.#collections = collections;
    this.#mode = mode;
    this.#fast = fast;
  }

  /** Phase 1: the request's head. `processor` is what its type says; rules may choose another one. */
  begin(request: RequestFacts, processor: BodyProcessor | undefined): Transaction {
    const collections = new OpenCollections(this.#collections, request.time);
    const t = new Transaction(this.#program, request, collections, this.#mode, this.#fast?.program.base);
    t.processor = processor;
    runPhase(t, 1, this.#fast);
    return t;
  }

  /** Phase 2: the request with its body; also where it has none. */
  judgeRequestBody(t: Transaction, body: BodyFacts): Interruption | undefined {
    t.body = body;
    if (t.processor !== undefined && t.requestBodyAccess && t.mode !== 'Off') t.reading = body.read(t.processor);
    runPhase(t, 2, this.#fast);
    return t.interruption;
  }

  /** Phase 3: the head of the answer. */
  judgeResponseHead(t: Transaction, response: ResponseFacts): Interruption | undefined {
    t.response = response;
    runPhase(t, 3, this.#fast);
    return t.interruption;
  }

  /** Phase 4: the body of the answer as a byte string; undefined where it is not looked at. */
  judgeResponseBody(t: Transaction, body: string | undefined): Interruption | undefined {
    t.responseBody = body;
    runPhase(t, 4, this.#fast);
    return t.interruption;
  }

  /** Phase 5: logging. */
  finish(t: Transaction): void {
    runPhase(t, 5, this.#fast);
  }
}
