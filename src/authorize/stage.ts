import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import { compile } from './compile.ts';
import { describeRules } from './describe.ts';
import { type AuthorizeOptions, authorizeOptions } from './options.ts';
import type { Rule } from './rule.ts';

export { describeRules };

/** The room `authorize`: what this caller may do here. Absent from routes that say nothing about it: there any caller passes. */
export const authorizeStage = {
  name: 'authorize',
  options: authorizeOptions,
  async prepare(
    options: AuthorizeOptions,
    world: Pick<World, 'clock'>,
    route: Pick<RouteContext, 'path'>,
  ): Promise<Prepared | undefined> {
    return new PreparedAuthorize(compile(options, route.path, world.clock));
  },
} satisfies Stage<AuthorizeOptions>;

/** The room on one route. Nothing waits here, and only the head is looked at. */
class PreparedAuthorize implements Prepared {
  readonly #rule: Rule;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  onRequestHead(x: Exchange): Refusal | undefined {
    return this.#rule.check(x);
  }
}
