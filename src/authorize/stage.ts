import type { Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import { type AuthorizeOptions, authorizeOptions } from './options.ts';

/** The room `authorize`: what this caller may do here. Absent from routes that say nothing about it: there any caller passes. */
export const authorizeStage = {
  name: 'authorize',
  options: authorizeOptions,
  async prepare(_options: AuthorizeOptions, _world: World, route: Pick<RouteContext, 'path'>): Promise<Prepared | undefined> {
    throw new Error(`${route.path}: authorize is not there yet`);
  },
} satisfies Stage<AuthorizeOptions>;
