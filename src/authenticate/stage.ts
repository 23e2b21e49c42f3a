import type { Outcome, Refusal, Step } from '../exchange/decision.ts';
import type { Caller, Exchange } from '../exchange/exchange.ts';
import type { Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import { type BearerError, Challenges } from './challenges.ts';
import { type CsrfCheck, prepareCsrf } from './csrf/csrf.ts';
import { Finder, type Found } from './finder.ts';
import type { Method } from './method.ts';
import { takeMethod } from './methods.ts';
import type { AuthenticateOptions } from './options.ts';

/** The room `authenticate`: who calls. An open route looks at no credential; of cookies that a browser adds it asks who made it do so. */
export const authenticateStage = {
  name: 'authenticate',
  async prepare(options: AuthenticateOptions, world: World, _route: Pick<RouteContext, 'path'>): Promise<Prepared | undefined> {
    const csrf = prepareCsrf(options.csrf, options);
    if (options.methods.length === 0) return csrf === undefined ? undefined : { onRequestHead: csrf };
    const methods = await Promise.all(options.methods.map(({ name, method }) => takeMethod(name, method, world)));
    await Promise.all(methods.map(async (method) => method.ready?.()));
    return new Authentication(methods, csrf);
  },
} satisfies Stage<AuthenticateOptions>;

/** The room on one route: any of its methods. */
export class Authentication implements Prepared {
  readonly #finder: Finder;
  readonly #challenges: Challenges;
  readonly #csrf: CsrfCheck | undefined;

  constructor(methods: readonly Method[], csrf?: CsrfCheck) {
    this.#finder = new Finder(methods);
    this.#challenges = new Challenges(methods);
    this.#csrf = csrf;
  }

  onRequestHead(x: Exchange): Step {
    const found = this.#finder.find(x);
    if ('refusal' in found) return this.#challenges.addTo(found.refusal, found.error);
    const answer = found.methods.length === 1 ? found.methods[0].verify(x, found.credential) : askAll(x, found);
    const error = found.kind === 'bearer' ? 'invalid_token' : undefined;
    return answer instanceof Promise ? answer.then((later) => this.#settle(x, later, error)) : this.#settle(x, answer, error);
  }

  #settle(x: Exchange, answer: Caller | Refusal, error: BearerError): Outcome {
    if ('kind' in answer) return this.#challenges.addTo(answer, error);
    x.caller = answer;
    return this.#csrf?.(x);
  }
}

/** Asks one method after the other, those first that know the credential for theirs; the first caller counts. */
function askAll(x: Exchange, { methods, credential }: Found): Caller | Refusal | Promise<Caller | Refusal> {
  const fitting = methods.filter((method) => method.accepts?.(credential) ?? true);
  // Where it is for none, the first says what is wrong with it.
  return askFrom(x, credential, fitting.length === 0 ? methods.slice(0, 1) : fitting, 0, undefined);
}

function askFrom(
  x: Exchange,
  credential: string,
  methods: readonly Method[],
  from: number,
  told: Refusal | undefined,
): Caller | Refusal | Promise<Caller | Refusal> {
  let best = told;
  for (let i = from; i < methods.length; i++) {
    const answer = methods[i].verify(x, credential);
    if (answer instanceof Promise) return answer.then((later) => next(x, credential, methods, i + 1, best, later));
    if (!('kind' in answer)) return answer;
    best = better(best, answer);
  }
  return best as Refusal;
}

function next(
  x: Exchange,
  credential: string,
  methods: readonly Method[],
  from: number,
  told: Refusal | undefined,
  answer: Caller | Refusal,
): Caller | Refusal | Promise<Caller | Refusal> {
  return 'kind' in answer ? askFrom(x, credential, methods, from, better(told, answer)) : answer;
}

/** Where a method cannot know, the caller may be right: that counts more than another method's no. Else the first word counts. */
function better(told: Refusal | undefined, answer: Refusal): Refusal {
  return told === undefined || (told.status !== 503 && answer.status === 503) ? answer : told;
}
