import { problemBody, problemHeaders } from '../errors/problem.ts';
import { type Answer, type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import type { ClientSide } from './client.ts';
import type { RoutePlan } from './plan.ts';
import type { Log } from './stage.ts';
import { Walk, type WalkOwner } from './walk.ts';

/** What the router says to a request. */
export interface RouteFinder {
  find(host: string, path: string, method: string, headers: HeaderList): Found | Miss | undefined;
}
interface Found {
  readonly match: RoutePlan;
  readonly params: Record<string, string> | undefined;
}
interface Miss {
  readonly match: undefined;
  readonly allow: readonly string[];
}

/** What a configuration becomes when it is ready to serve. */
export interface GenerationParts {
  readonly router: RouteFinder;
  readonly plans: readonly RoutePlan[];
  /** What a request gets whose path exists, but not with its method. */
  answerMethod(method: string, allow: readonly string[]): Answer | Refusal;
  /** An answer that a listener gives to every request, such as a redirect to HTTPS. */
  intercept(x: Exchange): Answer | Refusal | undefined;
  /** Response fields for answers that belong to no route. */
  decorate(x: Exchange, headers: HeaderList): void;
  record(x: Exchange): void;
  readonly log: Log;
  /** Runs when the configuration has left and its last request has ended. */
  release(): void;
}

/**
 * One loaded configuration at work. Requests keep the one that they began with, so it lives until it has been replaced and its last
 * exchange, WebSockets among them, has ended.
 */
export class Generation implements WalkOwner {
  readonly #parts: GenerationParts;
  readonly #gone = Promise.withResolvers<void>();
  #running = 0;
  #retired = false;
  #released = false;

  constructor(parts: GenerationParts) {
    this.#parts = parts;
  }

  /** Exchanges under way. */
  get running(): number {
    return this.#running;
  }

  handle(x: Exchange, client: ClientSide): void {
    this.#running++;
    try {
      this.#route(x, client);
    } catch (fault) {
      this.#broken(x, fault);
      this.#answer(x, client, refuse('internal', 'an exception before a route was found'));
    }
  }

  refuse(x: Exchange, client: ClientSide, refusal: Refusal): void {
    this.#running++;
    this.#answer(x, client, refusal);
  }

  #route(x: Exchange, client: ClientSide): void {
    const { head } = x;
    const early = this.#parts.intercept(x);
    if (early !== undefined) {
      this.#answer(x, client, early);
      return;
    }
    const found = this.#parts.router.find(head.host, head.path, head.method, head.headers);
    if (found === undefined) this.#answer(x, client, refuse('route-not-found', 'no route for this host and path'));
    else if (found.match === undefined) this.#answer(x, client, this.#parts.answerMethod(head.method, found.allow));
    else this.#walk(x, client, found as Found);
  }

  #walk(x: Exchange, client: ClientSide, found: Found): void {
    x.route = found.match.path;
    x.service = found.match.service.name;
    x.params = found.params;
    new Walk(x, client, found.match, this).begin();
  }

  /** Never throws: what cannot be answered is cut off, and recorded all the same. */
  #answer(x: Exchange, client: ClientSide, outcome: Answer | Refusal): void {
    try {
      this.#respond(x, client, outcome);
    } catch (fault) {
      this.#broken(x, fault);
      x.decision = refuse('internal', 'an exception while an answer was written');
      client.abort();
    }
    this.ended(x);
  }

  #respond(x: Exchange, client: ClientSide, outcome: Answer | Refusal): void {
    const refused = outcome.kind === 'refusal';
    if (refused) x.decision = outcome;
    const headers = refused ? problemHeaders(outcome, x.id) : [...outcome.headers, 'x-request-id', x.id];
    this.#parts.decorate(x, headers);
    client.respond(outcome.status, headers, refused ? problemBody(outcome, x.id) : outcome.body);
  }

  ended(x: Exchange): void {
    this.#parts.record(x);
    this.#running--;
    this.#maybeRelease();
  }

  broke(x: Exchange, fault: unknown): void {
    this.#parts.log.error('a request met a defect', { request_id: x.id, error: fault });
  }

  #broken(x: Exchange, fault: unknown): void {
    x.fault = fault;
    this.broke(x, fault);
  }

  /** Another configuration has taken over. Resolves when nothing of this one is left. */
  retire(): Promise<void> {
    this.#retired = true;
    this.#maybeRelease();
    return this.#gone.promise;
  }

  #maybeRelease(): void {
    if (!this.#retired || this.#running > 0 || this.#released) return;
    this.#released = true;
    void this.#release();
  }

  /** Rooms first: what they close with may need what the configuration holds. */
  async #release(): Promise<void> {
    const { plans, log, release } = this.#parts;
    await Promise.all(plans.map((plan) => plan.close().catch((error) => log.error('a room could not close', { error }))));
    try {
      release();
    } catch (error) {
      log.error('what a configuration held could not be released', { error });
    }
    this.#gone.resolve();
  }
}
