import type { Egress } from '../egress/egress.ts';
import { ForwardRules } from '../exchange/forward.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Service } from '../exchange/service.ts';
import { Generation } from '../pipeline/generation.ts';
import { order as standardOrder, type Place } from '../pipeline/order.ts';
import { closeRooms, makePlan, type RoutePlan } from '../pipeline/plan.ts';
import type { Carry, Clock, Log, Prepared, World } from '../pipeline/stage.ts';
import { answerMethod, DEFAULT_METHODS } from '../route/methods.ts';
import { redirectToHttps } from '../route/redirect.ts';
import { createRouter } from '../route/router.ts';
import { decorate, PreparedRoute } from '../route/stage.ts';
import type { Stores } from '../stores/limit-store.ts';
import type { MakeClient } from '../upstream/client/client.ts';
import { clientMaker } from '../upstream/client/client-maker.ts';
import type { ServiceOptions } from '../upstream/options.ts';
import { createUpstreams, type UpstreamsOfConfiguration } from '../upstream/upstreams.ts';
import type { GatewayOptions, GatewayRoute } from './schema.ts';

/** What a configuration is prepared with. */
export interface PrepareParts {
  readonly carry: Carry & { release(): void };
  readonly log: Log;
  readonly clock: Clock;
  readonly egress: Egress;
  readonly stores: Stores;
  record(x: Exchange): void;
  /** The corridor; tests put rooms of their own into it. */
  readonly order?: readonly Place[];
}

/** A configuration that is ready to serve. */
export interface PreparedConfiguration {
  readonly generation: Generation;
  readonly upstreams: UpstreamsOfConfiguration;
}

/**
 * Makes a checked configuration ready to serve: services, rooms and routes. Nothing of it is seen by requests before it is swapped in.
 * When anything fails, what was taken is given back, and the error says what.
 */
export async function prepare(options: GatewayOptions, parts: PrepareParts): Promise<PreparedConfiguration> {
  const rooms: Prepared[] = [];
  try {
    const upstreams = createUpstreams(options.services, parts.carry, parts.log, await makerFor(options));
    const { carry, egress, stores, clock, log } = parts;
    const world: World = { carry, upstreams, egress, stores, clock, log };
    const places = parts.order ?? standardOrder;
    const plans = await all(options.routes.map((route) => preparePlan(route, options, world, places, rooms)));
    return { generation: generationOf(options, plans, parts), upstreams };
  } catch (error) {
    await closeRooms(rooms).catch((fault) => parts.log.error('a room could not close', { error: fault }));
    parts.carry.release();
    throw error;
  }
}

/** Like `Promise.all`, but rejects only when all are over: what is still being prepared could not be given back. */
async function all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}

/** Loads undici only where a service asks for it. */
async function makerFor(options: GatewayOptions): Promise<MakeClient> {
  const asked = Object.values(options.services).some((service) => service.client === 'undici');
  if (asked) return (await import('../upstream/client/make-client.ts')).makeClient;
  return clientMaker(() => {
    throw new Error('undici is not loaded');
  });
}

/** Adds each room to `prepared` as soon as there is something to close. */
async function preparePlan(
  route: GatewayRoute,
  options: GatewayOptions,
  world: World,
  places: readonly Place[],
  prepared: Prepared[],
): Promise<RoutePlan> {
  const context = { path: route.path, methods: route.methods ?? DEFAULT_METHODS, service: route.service, bodyLimit: route.body };
  const rooms: Prepared[] = [];
  for (const place of places) {
    const room = await place.prepare?.(route, world, context, options);
    if (room === undefined) continue;
    rooms.push(room);
    prepared.push(room);
  }
  const own = rooms.find((room) => room instanceof PreparedRoute);
  const service = world.upstreams.service(route.service) as Service;
  const forward = forwardRules(options.services[route.service]);
  return await makePlan({ path: route.path, service, forward, bodyLimit: route.body, decorate: own?.decorate.bind(own) }, rooms);
}

function forwardRules(service: ServiceOptions): ForwardRules {
  const authority = new URL(service.targets[0].url).host;
  return new ForwardRules({
    authority,
    host: service.host,
    credentials: service.credentials,
    drop: service.headers.drop,
    keep: service.headers.keep,
  });
}

function generationOf(options: GatewayOptions, plans: readonly RoutePlan[], parts: PrepareParts): Generation {
  const entries = options.routes.map((route, i) => ({
    path: route.path,
    host: route.host,
    methods: route.methods,
    headers: route.headers,
    preflight: route.cors !== undefined,
    value: plans[i],
  }));
  return new Generation({
    router: createRouter(entries),
    plans,
    answerMethod,
    decorate,
    intercept: interceptOf(options),
    record: parts.record,
    log: parts.log,
    release: () => parts.carry.release(),
  });
}

/** Listeners that say so send every request to HTTPS; where none does, nothing is looked at. */
function interceptOf(options: GatewayOptions) {
  const targets = new Map(Object.entries(options.listeners).map(([name, listener]) => [name, listener['redirect-to-https']]));
  if ([...targets.values()].every((target) => target === false)) return () => undefined;
  return (x: Exchange) => {
    const target = targets.get(x.connection.listener);
    return target === undefined || target === false || x.clientScheme === 'https' ? undefined : redirectToHttps(x.head, target);
  };
}
