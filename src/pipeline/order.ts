import { availableParallelism } from 'node:os';
import { authenticateStage } from '../authenticate/stage.ts';
import { authorizeStage } from '../authorize/stage.ts';
import type { GatewayOptions, GatewayRoute } from '../config/schema.ts';
import type { StageName } from '../exchange/decision.ts';
import { limitByAddress, limitByCaller, limitConcurrency } from '../limit/stage.ts';
import { routeStage } from '../route/stage.ts';
import { validateStage } from '../validate/stage.ts';
import { effectiveWaf } from '../waf/effective.ts';
import { wafStage } from '../waf/stage.ts';
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
  readonly prepare?: (
    route: GatewayRoute,
    world: World,
    context: RouteContext,
    file: GatewayOptions,
  ) => Promise<Prepared | undefined>;
}

/** What makes a route the same one after a reload. */
const identityOf = ({ host, path, methods, headers }: GatewayRoute) => JSON.stringify([host, path, methods, headers]);

/** The limits of a route with what they say: a name stands for a limit of the file. */
const limitsOf = (route: GatewayRoute, file: GatewayOptions) => ({
  limits: route.limits.map((one) => (typeof one === 'string' ? { name: one, limit: file.limits[one] } : { limit: one })),
  route: identityOf(route),
  methods: methodsOf(route, file).flatMap(({ method }) => Object.keys(method)),
});

const concurrencyOf = (route: GatewayRoute, file: GatewayOptions) => ({
  route: route.concurrency,
  service: file.services[route.service].concurrency,
  all: file.concurrency,
  identity: identityOf(route),
  workers: file.workers === 'auto' ? availableParallelism() : file.workers,
});

const methodsOf = (route: GatewayRoute, file: GatewayOptions) =>
  route.authentication === 'none' ? [] : route.authentication.map((name) => ({ name, method: file.authentication[name] }));

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
    hook: 'limit.byAddress',
    room: 'limit',
    why: 'Before identity: guessing credentials, and what a wrong one costs to verify, must cost the guesser.',
    prepare: (route, world, context, file) => limitByAddress.prepare(limitsOf(route, file), world, context),
  },
  {
    hook: 'authenticate',
    room: 'authenticate',
    why: 'Before permission, which is of somebody, and before anything that costs the reading of a body.',
    prepare: (route, world, context, file) => {
      const { csrf, origins, cors } = route;
      return authenticateStage.prepare({ methods: methodsOf(route, file), csrf, origins, cors }, world, context);
    },
  },
  {
    hook: 'authorize',
    room: 'authorize',
    why: 'As soon as the caller is known: who may not call learns nothing about limits, contracts or rules.',
    prepare: async (route, world, context) =>
      route.authorize === undefined ? undefined : await authorizeStage.prepare(route.authorize, world, context),
  },
  {
    hook: 'limit.byCaller',
    room: 'limit',
    why: 'Behind identity, whose buckets these are, and before the body, so that a request over its limit costs no reading.',
    prepare: (route, world, context, file) => limitByCaller.prepare(limitsOf(route, file), world, context),
  },
  {
    hook: 'limit.concurrency',
    room: 'limit',
    why: 'Behind all that refuses by the head: only what would go to the service holds a place, and no stranger takes one away.',
    prepare: (route, world, context, file) => limitConcurrency.prepare(concurrencyOf(route, file), world, context),
  },
  {
    hook: 'validate',
    room: 'validate',
    why: 'Behind everything that the head decides, since it reads the body, and before the WAF: exact, and cheaper.',
    prepare: async (route, world, context) =>
      route.validate === undefined ? undefined : await validateStage.prepare(route.validate, world, context),
  },
  {
    hook: 'waf',
    room: 'waf',
    why: 'Last of the checks: it costs the most, and judges only what is whom it says, within its limits and of the contract.',
    prepare: async (route, world, context, file) => {
      const waf = effectiveWaf(file.waf, route.waf);
      return waf && (await wafStage.prepare(waf, world, context));
    },
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
