import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import { compile } from './compile.ts';
import { describeRules } from './describe.ts';
import type { AuthorizeOptions } from './options.ts';
import type { Rule } from './rule.ts';

export { describeRules };

/** The room `authorize`: what this caller may do here. Absent from routes that say nothing about it: there any caller passes. */
export const authorizeStage = {
  name: 'authorize',
  async prepare(
    options: AuthorizeOptions,
    world: Pick<World, 'clock'>,
    route: Pick<RouteContext, 'path' | 'bodyLimit'>,
  ): Promise<Prepared | undefined> {
    const rule = compile(options, route.path, world.clock);
    return rule.needsBody === true ? new WithBody(rule, route.bodyLimit) : new PreparedAuthorize(rule);
  },
} satisfies Stage<AuthorizeOptions>;

/** The room on one route. Nothing waits here, and only the head is looked at: who may not call costs no reading of a body. */
class PreparedAuthorize implements Prepared {
  readonly #rule: Rule;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  onRequestHead(x: Exchange): Refusal | undefined {
    return this.#rule.check(x);
  }
}

/** The same where a rule has to look for its parameter in the body too. */
class WithBody extends PreparedAuthorize {
  readonly needs: NonNullable<Prepared['needs']>;

  constructor(rule: Rule, limit: number) {
    super(rule);
    this.needs = { request: { kind: 'whole', limit } };
  }

  onRequestBody(x: Exchange): Refusal | undefined {
    return this.onRequestHead(x);
  }
}
