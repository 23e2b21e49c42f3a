import type { GatewayRoute } from '../config/schema.ts';
import type { StageName } from '../exchange/decision.ts';
import { routeStage } from '../route/stage.ts';
import type { Prepared, RouteContext, World } from './stage.ts';

/**
 * One place in the corridor. A room may stand in it more than once (`limit.byAddress`, `limit.byCaller`), so the hook has a name of
 * its own. Places without `prepare` are not rooms of a route: they are passed by every request.
 */
export interface Place {
  readonly hook: string;
  readonly room: StageName;
  /** Why it stands here and nowhere else. */
  readonly why: string;
  /** Prepares the room for one route; undefined = absent from this route. */
  readonly prepare?: (route: GatewayRoute, world: World, context: RouteContext) => Promise<Prepared | undefined>;
}

/**
 * The corridor, in the order in which a request walks it. This list is the only place that decides the order.
 */
export const order: readonly Place[] = [
  {
    hook: 'listen',
    room: 'listen',
    why: 'First: nothing can be decided about bytes that have no single reading.',
  },
  {
    hook: 'route',
    room: 'route',
    why: 'Before identity: a preflight carries no credentials, and whose rules hold is known only when the route is.',
    prepare: (route, world, context) => routeStage.prepare(route, world, context),
  },
  {
    hook: 'upstream',
    room: 'upstream',
    why: 'Last of the request: what reaches a service has passed every room.',
  },
  {
    hook: 'observe',
    room: 'observe',
    why: 'After everything, always: also a refusal, a fault and a client that left are counted and recorded.',
  },
];
