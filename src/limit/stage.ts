import type { Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import { Concurrency } from './concurrency.ts';
import { LimitCounts } from './counts.ts';
import { Gate, type GateOptions } from './gate.ts';
import { describeLimit, isByCaller, Limit, type NamedLimit } from './limit.ts';
import { callerProblem } from './needs.ts';
import type { LimitStageOptions } from './options.ts';
import { RateLimits } from './rates.ts';
import { ShadowLimits } from './shadow.ts';
import { StoreHealth } from './store-health.ts';

export { describeLimit } from './limit.ts';
export type { LimitCounts } from './counts.ts';

/**
 * The room `limit` stands in the corridor three times: before `authenticate` for what the head alone tells (address, header, route),
 * behind `authorize` for what needs the caller, and last for how many requests there may be at once.
 */
export const limitByAddress = rates((limit) => !isByCaller(limit.limit));
export const limitByCaller = rates((limit) => isByCaller(limit.limit));

function rates(isHere: (limit: NamedLimit) => boolean) {
  return {
    name: 'limit',
    async prepare(options: LimitStageOptions, world: World, route: Pick<RouteContext, 'path'>): Promise<Prepared | undefined> {
      const here = withoutDoubles(options.limits.filter(isHere));
      if (here.length === 0) return undefined;
      const problem = here.map((one) => callerProblem(one.limit, options.methods)).find((found) => found !== undefined);
      if (problem !== undefined) throw new Error(`${route.path}: ${problem}`);
      return prepareRates(here, options.route, world, route.path);
    },
  } satisfies Stage<LimitStageOptions>;
}

function prepareRates(named: readonly NamedLimit[], route: string, world: World, path: string): RateLimits {
  const { stores } = world;
  const counts = limitCounts(world.carry);
  const health = world.carry.take('limit store health', () => new StoreHealth(world.log));
  const limits = named.map((one) => {
    const label = one.name ?? `${path} ${describeLimit(one)}`;
    return new Limit(one, { route, ipv6Prefix: one.limit['ipv6-prefix'] }, counts.of(label));
  });
  const [trial, real] = [limits.filter(({ options }) => options.shadow), limits.filter(({ options }) => !options.shadow)];
  return new RateLimits(real, trial.length === 0 ? undefined : new ShadowLimits(trial, stores.limits, health), stores, health);
}

/** Written twice on one route, a limit is still one. */
function withoutDoubles(named: readonly NamedLimit[]): NamedLimit[] {
  const seen = new Map(named.map((one) => [JSON.stringify([one.name, one.limit]), one]));
  return [...seen.values()];
}

/** The counters of this process, whatever configurations come and go. */
export function limitCounts(carry: World['carry']): LimitCounts {
  return carry.take('limit counts', () => new LimitCounts());
}

/** What a route is held to: its own bound, that of its service, that of all requests. */
export interface ConcurrencyStageOptions {
  readonly route?: GateOptions;
  readonly service?: GateOptions;
  readonly all?: GateOptions;
  /** What makes this route the same one after a reload. */
  readonly identity: string;
  /** Processes that share each bound. */
  readonly workers: number;
}

export const limitConcurrency = {
  name: 'limit',
  async prepare(
    options: ConcurrencyStageOptions,
    world: World,
    route: Pick<RouteContext, 'path' | 'service'>,
  ): Promise<Prepared | undefined> {
    const gates = [
      { name: `route ${route.path}`, key: options.identity, written: options.route },
      { name: `service ${route.service}`, key: route.service, written: options.service },
      { name: 'all requests', key: '', written: options.all },
    ].flatMap(({ name, key, written }) =>
      written === undefined ? [] : [{ name, gate: takeGate(name, key, shareOf(written, options.workers), world) }],
    );
    return gates.length === 0 ? undefined : new Concurrency(gates);
  },
} satisfies Stage<ConcurrencyStageOptions>;

/** Connections go round among the workers, so that each has its share. */
function shareOf({ max, queue, wait }: GateOptions, workers: number): GateOptions {
  return { max: Math.max(1, Math.floor(max / workers)), queue: Math.ceil(queue / workers), wait };
}

function takeGate(name: string, key: string, options: GateOptions, world: World): Gate {
  const { max, queue, wait } = options;
  const counts = limitCounts(world.carry);
  const taken = world.carry.take(
    `limit gate ${name} ${key} ${max} ${queue} ${wait}`,
    () => new Gate(options),
    (gone) => counts.removeGate(name, gone),
  );
  counts.addGate(name, taken);
  return taken;
}
