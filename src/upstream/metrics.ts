import type { EndpointSnapshot } from './endpoints.ts';
import type { ServiceSnapshot } from './service.ts';
import type { MetricSource } from '../pipeline/stage.ts';

interface Value {
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** What can be measured of services and their targets. `snapshot` gives the ones of the configuration that serves now. */
export function upstreamSources(snapshot: () => readonly ServiceSnapshot[]): MetricSource[] {
  const ofServices = (value: (one: ServiceSnapshot) => number) => () =>
    snapshot().map((one) => ({ labels: { service: one.name }, value: value(one) }));
  const ofTargets =
    (value: (one: EndpointSnapshot) => number, join = add) =>
    () =>
      snapshot().flatMap(({ name, endpoints }) => targetValues(name, endpoints, value, join));
  return [
    {
      name: 'portcullis_target_up',
      help: '1 while this address is called; 0 while checks or failed calls have taken it out, in any worker.',
      type: 'gauge',
      merge: 'min',
      collect: ofTargets((one) => (one.state === 'up' ? 1 : 0), Math.min),
    },
    {
      name: 'portcullis_target_calls',
      help: 'Calls under way, WebSockets included.',
      type: 'gauge',
      collect: ofTargets((one) => one.active),
    },
    {
      name: 'portcullis_target_connections',
      help: 'Open connections, idle ones included.',
      type: 'gauge',
      collect: ofTargets((one) => one.connections),
    },
    {
      name: 'portcullis_target_failures_total',
      help: 'Tries that failed: no connection, closed, malformed, too slow, 502, 503, 504.',
      type: 'counter',
      collect: ofTargets((one) => one.failures),
    },
    {
      name: 'portcullis_upstream_calls',
      help: 'Calls that hold one of the places of `connections`.',
      type: 'gauge',
      collect: ofServices((one) => one.running),
    },
    {
      name: 'portcullis_upstream_queue',
      help: 'Calls that wait for a place.',
      type: 'gauge',
      collect: ofServices((one) => one.queued),
    },
    {
      name: 'portcullis_upstream_breaker_open',
      help: '1 while the breaker lets nothing through, or only its trial, in any worker.',
      type: 'gauge',
      merge: 'max',
      collect: ofServices((one) => (one.breaker === undefined || one.breaker === 'closed' ? 0 : 1)),
    },
    {
      name: 'portcullis_upstream_retries_total',
      help: 'Retries that the budget allowed and denied.',
      type: 'counter',
      collect: () => snapshot().flatMap(({ name, retries }) => retriesOf(name, retries)),
    },
  ];
}

const add = (a: number, b: number): number => a + b;

/** A target may be written twice, but Prometheus refuses a page on which a series stands twice. */
function targetValues(
  service: string,
  endpoints: readonly EndpointSnapshot[],
  value: (one: EndpointSnapshot) => number,
  join: (a: number, b: number) => number,
): Value[] {
  const values = new Map<string, Value>();
  for (const one of endpoints) {
    const key = `${one.target} ${one.address}`;
    const before = values.get(key);
    const labels = { service, target: one.target, address: one.address };
    values.set(key, { labels, value: before === undefined ? value(one) : join(before.value, value(one)) });
  }
  return [...values.values()];
}

function retriesOf(service: string, retries: ServiceSnapshot['retries']): Value[] {
  return [
    { labels: { service, outcome: 'allowed' }, value: retries.allowed },
    { labels: { service, outcome: 'denied' }, value: retries.denied },
  ];
}
