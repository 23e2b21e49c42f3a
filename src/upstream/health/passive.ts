import type { ServiceOptions } from '../options.ts';
import type { Endpoint } from '../target.ts';

export type EjectionOptions = Exclude<ServiceOptions['ejection'], 'off'>;

/** True when the endpoint has failed so often in a row that it should be taken out (if others are left). */
export function shouldEject(endpoint: Endpoint, options: EjectionOptions): boolean {
  return endpoint.streak >= options.failures && endpoint.ejectedUntil === 0;
}

/** Takes the endpoint out: twice as long each time, from the beginning again after it has been well for long enough. */
export function eject(endpoint: Endpoint, options: EjectionOptions, now: number): number {
  if (endpoint.ejections > 0 && now - endpoint.returned > options['at-most']) endpoint.ejections = 0;
  const time = Math.min(options['at-most'], options.for * 2 ** Math.min(30, endpoint.ejections));
  endpoint.ejections++;
  endpoint.ejectedUntil = now + time;
  endpoint.streak = 0;
  return time;
}

export function readmit(endpoint: Endpoint, now: number): void {
  endpoint.ejectedUntil = 0;
  endpoint.returned = now;
}

/**
 * Who may be called: weight, up, and not taken out. When nobody is left but endpoints that were taken out, these are: a
 * guess from failed calls must never make a service unreachable. Endpoints that fail their active checks are down for
 * sure and are not called, even when all are: there is no panic mode, the answer is 503.
 */
export function callable(endpoints: readonly Endpoint[]): Endpoint[] {
  const up = endpoints.filter((one) => one.up && one.weight > 0);
  const ready = up.filter((one) => one.ejectedUntil === 0);
  return ready.length > 0 ? ready : up;
}

/** Statuses by which a target says that it cannot serve now; other 5xx are the answer of a working program. */
export function isGatewayError(status: number): boolean {
  return status >= 502 && status <= 504;
}
