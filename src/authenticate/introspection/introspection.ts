import { hash } from 'node:crypto';
import { type Refusal, refuse } from '../../exchange/decision.ts';
import type { Caller, Exchange } from '../../exchange/exchange.ts';
import { holderProblem } from '../holder.ts';
import { readPart, splitToken } from '../jwt/token.ts';
import { TokenCache } from '../jwt/token-cache.ts';
import type { MakeMethod, Method, MethodWorld } from '../method.ts';
import { AnswerCheck, inactive, MalformedAnswer } from './answer.ts';
import { type Introspections, introspections } from './introspections.ts';
import type { IntrospectionOptions } from './options.ts';
import { NoAnswer, NotItsToken, Server } from './server.ts';

/** What was said of a token, and until when that holds. */
interface Said {
  readonly found: Caller | Refusal;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly bytes: number;
}

/** For status pages and metrics. */
export interface IntrospectionSnapshot {
  readonly from: string;
  /** Questions under way. */
  readonly asking: number;
  readonly cached: number;
  /** Why the last question got no answer; undefined when it got one. */
  readonly failure: string | undefined;
}

const CACHE_BYTES = 16 * 1024 * 1024;
/** What an entry takes besides what the server said of the token. */
const ENTRY_BYTES = 800;

/** After so many questions in a row without an answer the server is left alone for a moment: it would only be kept from coming back. */
const FAILURES = 5;
const PAUSE_MS = 2000;

/**
 * `introspection`: opaque access tokens, which only the authorization server can tell something about (RFC 7662). It is asked once about
 * each token at a time, answers are remembered for a short while, and without an answer nothing is let in.
 */
export class IntrospectionMethod implements Method {
  readonly name: string;
  readonly place = { kind: 'bearer' } as const;
  readonly challenge = 'Bearer';
  readonly #options: IntrospectionOptions;
  readonly #world: Pick<MethodWorld, 'clock' | 'log'>;
  readonly #server: Server;
  readonly #check: AnswerCheck;
  // Two, so that a flood of tokens that are none evicts no good one.
  readonly #active: TokenCache<Said>;
  readonly #inactive: TokenCache<Said>;
  readonly #asking = new Map<string, Promise<Caller | Refusal>>();
  readonly #busy: Refusal;
  readonly #unavailable: Refusal;
  readonly #list: Introspections | undefined;
  #failures = 0;
  #failure: string | undefined;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(
    name: string,
    options: IntrospectionOptions,
    server: Server,
    world: Pick<MethodWorld, 'clock' | 'log'>,
    list?: Introspections,
  ) {
    this.name = name;
    this.#list = list;
    this.#options = options;
    this.#server = server;
    this.#world = world;
    this.#check = new AnswerCheck(name, options);
    const bounds = { entries: options.cache.entries, bytes: CACHE_BYTES };
    this.#active = new TokenCache(bounds);
    this.#inactive = new TokenCache(bounds);
    this.#busy = refuse('introspection-busy', 'too many questions are under way', { headers: ['retry-after', '1'] });
    this.#unavailable = refuse('introspection-unavailable', 'the authorization server gave no answer about the token', {
      headers: ['retry-after', String(PAUSE_MS / 1000)],
    });
  }

  close(): void {
    this.#list?.remove(this);
  }

  /** The endpoint is found before the first request needs it. */
  async ready(): Promise<void> {
    await this.#server.find().catch((error: unknown) => this.#noAnswer(error));
  }

  snapshot(): IntrospectionSnapshot {
    const cached = this.#active.size + this.#inactive.size;
    return { from: this.#server.from, asking: this.#asking.size, cached, failure: this.#failure };
  }

  /** A token that says of itself that it is of another issuer is nothing to show to this one: it could use it. */
  accepts(token: string): boolean {
    const { issuer } = this.#options;
    const parts = issuer === undefined ? undefined : splitToken(token);
    const claims = parts === undefined ? undefined : readPart(parts.payload);
    return claims?.iss === undefined || claims.iss === issuer;
  }

  verify(x: Exchange, token: string): Caller | Refusal | Promise<Caller | Refusal> {
    // Of the whole token: two that differ in one character are two.
    const name = hash('sha256', token, 'hex');
    const now = this.#world.clock.now();
    const said = this.#active.get(name) ?? this.#inactive.get(name);
    if (said !== undefined && now < said.until) return bound(x, said.found);
    const asking = this.#asking.get(name) ?? this.#begin(name, token, now);
    return asking instanceof Promise ? asking.then((found) => bound(x, found)) : asking;
  }

  #begin(name: string, token: string, now: number): Refusal | Promise<Caller | Refusal> {
    if (this.#asking.size >= this.#options.concurrency) return this.#busy;
    if (this.#isPaused(now)) return this.#unavailable;
    const asking = this.#ask(name, token).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  /** While the server is left alone, one question after each pause finds out whether it is back. */
  #isPaused(now: number): boolean {
    if (this.#failures < FAILURES) return false;
    const left = this.#pausedUntil - now;
    // A clock that was set back must not make the pause longer.
    if (left > 0 && left <= PAUSE_MS) return true;
    this.#pausedUntil = now + PAUSE_MS;
    return false;
  }

  async #ask(name: string, token: string): Promise<Caller | Refusal> {
    try {
      const answer = await this.#server.ask(token);
      const now = this.#world.clock.now();
      const found = this.#check.read(answer, now);
      this.#answered();
      this.#remember(name, found, now, JSON.stringify(answer).length);
      return found;
    } catch (error) {
      return this.#withoutAnswer(name, error);
    }
  }

  #withoutAnswer(name: string, error: unknown): Refusal {
    if (error instanceof NotItsToken) {
      this.#answered();
      this.#remember(name, inactive, this.#world.clock.now(), 0);
      return inactive;
    }
    this.#noAnswer(error);
    return this.#unavailable;
  }

  /** Told once for each change of state. What is thrown here is a defect. */
  #noAnswer(error: unknown): void {
    if (!(error instanceof NoAnswer) && !(error instanceof MalformedAnswer)) throw error;
    const { log, clock } = this.#world;
    if (error instanceof NoAnswer && error.down) {
      this.#failures++;
      this.#pausedUntil = clock.now() + PAUSE_MS;
    }
    if (this.#failure === undefined)
      log.warn('introspection gets no answer, tokens get 503', {
        event: 'introspection-lost',
        method: this.name,
        from: this.#server.from,
        reason: error.message,
      });
    this.#failure = error.message;
  }

  #answered(): void {
    if (this.#failure !== undefined)
      this.#world.log.info('introspection gets answers again', {
        event: 'introspection-back',
        method: this.name,
        from: this.#server.from,
      });
    this.#failures = 0;
    this.#failure = undefined;
  }

  #remember(name: string, found: Caller | Refusal, now: number, length: number): void {
    const { active, inactive: short } = this.#options.cache;
    const refused = 'kind' in found;
    const until = Math.min(now + (refused ? short : active), (refused ? undefined : found.expires) ?? Number.POSITIVE_INFINITY);
    if (until <= now) return;
    const [cache, other] = refused ? [this.#inactive, this.#active] : [this.#active, this.#inactive];
    other.delete(name);
    cache.set(name, { found, until, bytes: ENTRY_BYTES + length * 4 });
  }
}

function bound(x: Exchange, found: Caller | Refusal): Caller | Refusal {
  return 'kind' in found ? found : (holderProblem(x, found.claims) ?? found);
}

/** Makes the method. Rejects when the private key cannot be used. */
export const makeIntrospection: MakeMethod<IntrospectionOptions> = async (name, options, world) => {
  const list = introspections(world.carry);
  const method = new IntrospectionMethod(name, options, new Server(options, world.egress, world.clock), world, list);
  list.add(method);
  return method;
};
