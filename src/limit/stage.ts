import type { Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import { type LimitStageOptions, limitStageOptions } from './options.ts';

/**
 * The room `limit` stands in the corridor twice: before `authenticate` for what the head alone tells (address, header, route), and
 * behind `authorize` for what needs the caller.
 */
export const limitByAddress = stage('head');
export const limitByCaller = stage('caller');

function stage(_part: 'head' | 'caller') {
  return {
    name: 'limit',
    options: limitStageOptions,
    async prepare(options: LimitStageOptions, _world: World, route: Pick<RouteContext, 'path'>): Promise<Prepared | undefined> {
      if (options.length === 0) return undefined;
      throw new Error(`${route.path}: limits are not there yet`);
    },
  } satisfies Stage<LimitStageOptions>;
}
