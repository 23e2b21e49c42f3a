import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Service, Upstreams } from '../exchange/service.ts';
import type { Carry, Log } from '../pipeline/stage.ts';
import type { MakeClient, UpstreamTls } from './client/client.ts';
import type { ServiceOptions } from './options.ts';
import { type Accepts, type Lookup, systemAccepts, systemLookup } from './resolve.ts';
import { type ServiceParts, type ServiceSnapshot, UpstreamService } from './service.ts';
import { realTiming, Sweeper, type Timing } from './timing.ts';

export type { ServiceSnapshot };

/** All services of one configuration. */
export interface UpstreamsOfConfiguration extends Upstreams {
  /**
   * Resolves when every name was resolved once and every address checked once, well or badly: before that, a new service
   * may answer 503. At most a few seconds.
   */
  ready(): Promise<void>;
  snapshot(): ServiceSnapshot[];
}

/** What tests put in the place of the real thing. */
export interface UpstreamsParts {
  readonly timing?: Timing;
  readonly random?: () => number;
  readonly lookup?: Lookup;
  readonly accepts?: Accepts;
}

/** A resolver of the system can take much longer; a start should not wait for it. */
const READY_MS = 10_000;

function read(path: string | undefined): string | undefined {
  return path === undefined ? undefined : readFileSync(path, 'latin1');
}

function readTls(tls: ServiceOptions['tls']): UpstreamTls {
  return {
    serverName: tls['server-name'],
    ca: read(tls.ca),
    certificate: read(tls.certificate),
    key: read(tls.key),
    verify: tls.verify,
    pins: tls.pins,
  };
}

/** Files count by what is in them: a renewed client certificate makes new connections. */
function keyOf(name: string, options: ServiceOptions, tls: UpstreamTls): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([options, tls]))
    .digest('hex');
  return `service:${name}:${hash}`;
}

function warnUnverified(name: string, options: ServiceOptions, log: Log): void {
  if (options.tls.verify || !options.targets.some((one) => /^https:/i.test(one.url))) return;
  log.warn('certificates of the service are not verified', { service: name });
}

/**
 * Makes the services of a configuration. What did not change since the configuration before keeps its pools, its health
 * and its breaker, because both hold it under the same key of `carry`. Throws when a TLS file cannot be read.
 */
export function createUpstreams(
  options: Record<string, ServiceOptions>,
  carry: Carry,
  log: Log,
  makeClient: MakeClient,
  parts: UpstreamsParts = {},
): UpstreamsOfConfiguration {
  const timing = parts.timing ?? realTiming;
  // Files first: when one is missing nothing has been taken yet.
  const prepared = Object.entries(options).map(([name, one]) => ({ name, options: one, tls: readTls(one.tls) }));
  // Never put to sleep by a configuration that leaves: calls may still run, and it stops by itself.
  const sweeper = carry.take('upstream:sweeper', () => new Sweeper(timing));
  const services = new Map<string, UpstreamService>();
  for (const { name, options: one, tls } of prepared) {
    const make = () => {
      warnUnverified(name, one, log);
      const all: ServiceParts = {
        client: { make: makeClient, options: one, tls },
        log,
        timing,
        sweeper,
        random: parts.random ?? Math.random,
        lookup: parts.lookup ?? systemLookup,
        accepts: parts.accepts ?? systemAccepts,
      };
      return new UpstreamService(name, one, all);
    };
    services.set(
      name,
      carry.take(keyOf(name, one, tls), make, (old) => old.close()),
    );
  }
  return new Configured(services, timing);
}

class Configured implements UpstreamsOfConfiguration {
  readonly #services: ReadonlyMap<string, UpstreamService>;
  readonly #timing: Timing;

  constructor(services: ReadonlyMap<string, UpstreamService>, timing: Timing) {
    this.#services = services;
    this.#timing = timing;
  }

  service(name: string): Service | undefined {
    return this.#services.get(name);
  }

  async ready(): Promise<void> {
    let stop: (() => void) | undefined;
    const enough = new Promise<void>((resolve) => {
      stop = this.#timing.after(READY_MS, resolve);
    });
    try {
      await Promise.race([Promise.all([...this.#services.values()].map((one) => one.endpoints.settled)), enough]);
    } finally {
      stop?.();
    }
  }

  snapshot(): ServiceSnapshot[] {
    return [...this.#services.values()].map((one) => one.snapshot());
  }
}
