import type { Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import type { EffectiveWaf } from './effective.ts';

/** The room `waf`: rules judge the whole of a request, and of its answer. Absent where the mode is `off`. */
export const wafStage = {
  name: 'waf',
  async prepare(
    options: EffectiveWaf,
    world: Pick<World, 'carry'>,
    route: Pick<RouteContext, 'bodyLimit'>,
  ): Promise<Prepared | undefined> {
    const [{ programOf }, { PreparedWaf }] = await Promise.all([import('./programs.ts'), import('./prepared.ts')]);
    return new PreparedWaf(options, programOf(options, world.carry), route.bodyLimit, world.carry);
  },
} satisfies Stage<EffectiveWaf>;
