import type { Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import { makeMethod } from './methods.ts';
import { type AuthenticateOptions, authenticateOptions } from './options.ts';

/** The room `authenticate`: who calls. Absent from open routes, which look at no credential. */
export const authenticateStage = {
  name: 'authenticate',
  options: authenticateOptions,
  async prepare(options: AuthenticateOptions, world: World, _route: Pick<RouteContext, 'path'>): Promise<Prepared | undefined> {
    if (options.length === 0) return undefined;
    await Promise.all(options.map(({ name, method }) => makeMethod(name, method, world)));
    return {};
  },
} satisfies Stage<AuthenticateOptions>;
