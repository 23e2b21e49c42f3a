// @ts-check
import { byId, element, setText } from './dom.js';
import { count, latency, plural, rate } from './format.js';
import { tableIn } from './tables.js';

/**
 * Where traffic goes: services, routes, limits, listeners.
 *
 * @import { Status, ServiceStatus, TargetStatus, RouteTraffic } from '../../observe/status.ts'
 * @import { History } from './rates.js'
 * @import { Row, Tone, RichCell, Section } from './tables.js'
 */

/** @type {Record<TargetStatus['state'], [string, Tone]>} */
const STATES = { up: ['up', 'good'], down: ['down', 'bad'], ejected: ['ejected', 'warn'], drained: ['drained', 'quiet'] };

/** @returns {Section} */
export function services() {
  const shown = tableIn('services', 'Services and their targets', [
    { title: 'Service, target' },
    { title: 'Health' },
    { title: 'Breaker' },
    { title: 'Calls / s', number: true },
    { title: 'Calls', number: true },
    { title: 'Failed', number: true },
    { title: 'p50', number: true },
    { title: 'p99', number: true },
    { title: 'Now', number: true },
    { title: 'Connections', number: true },
    { title: 'Last trouble', wide: true },
  ]);
  return (status, history) => {
    const rows = status.services.flatMap((service) => [
      serviceRow(service, history),
      ...service.targets.map((target) => targetRow(service.name, target)),
    ]);
    shown.show(rows, 'No services.');
  };
}

/**
 * @param {Status['services'][number]} service
 * @param {History} history
 * @returns {Row}
 */
function serviceRow(service, history) {
  const up = service.targets.filter((one) => one.state === 'up').length;
  const all = service.targets.filter((one) => one.state !== 'drained').length;
  const find = (/** @type {Status} */ one) => one.services.find(({ name }) => name === service.name);
  /** @type {RichCell} */
  const health = { text: `${up} of ${all} up`, badge: true, tone: up === all ? 'good' : up > 0 ? 'warn' : 'bad' };
  return {
    key: `service ${service.name}`,
    cells: [
      service.name,
      health,
      breakerCell(service.breaker),
      rate(history.rate((one) => find(one)?.calls)),
      count(service.calls),
      { text: count(service.errors), tone: service.errors > 0 ? 'warn' : undefined },
      latency(history.quantile(0.5, (one) => find(one)?.buckets)),
      latency(history.quantile(0.99, (one) => find(one)?.buckets)),
      service.queued > 0
        ? { text: `${count(service.running)} + ${count(service.queued)} wait`, tone: 'warn' }
        : count(service.running),
      count(service.targets.reduce((sum, one) => sum + one.connections, 0)),
      '',
    ],
  };
}

/**
 * @param {ServiceStatus['breaker']} breaker
 * @returns {RichCell | string}
 */
function breakerCell(breaker) {
  if (breaker === undefined) return { text: 'none', tone: 'quiet' };
  return { text: breaker, badge: true, tone: breaker === 'closed' ? 'good' : breaker === 'open' ? 'bad' : 'warn' };
}

/**
 * @param {string} service
 * @param {TargetStatus} one
 * @returns {Row}
 */
function targetRow(service, one) {
  const [text, tone] = STATES[one.state] ?? [one.state, 'warn'];
  return {
    key: `target ${service} ${one.target} ${one.address}`,
    sub: true,
    cells: [
      { text: one.target, title: one.address },
      { text, tone, badge: true },
      '',
      '',
      count(one.requests),
      { text: count(one.failures), tone: one.failures > 0 ? 'warn' : undefined },
      '',
      '',
      count(one.active),
      count(one.connections),
      one.state === 'up' ? '' : one.reason,
    ],
  };
}

/** @returns {Section} */
export function routes() {
  const shown = tableIn('routes', 'Routes with their traffic', [
    { title: 'Route' },
    { title: 'Service' },
    { title: 'Requests / s', number: true },
    { title: 'Refusals / s', number: true },
    { title: 'Errors / s', number: true },
    { title: 'Requests', number: true },
    { title: 'Refused', number: true },
    { title: 'Errors', number: true },
    { title: 'p50', number: true },
    { title: 'p99', number: true },
  ]);
  const more = element('p', { class: 'empty' });
  byId('routes').append(more);
  return (status, history) => {
    shown.show(
      status.routes.map((route) => routeRow(route, history)),
      'No request has come since the start.',
    );
    more.hidden = status.hiddenRoutes === 0;
    setText(more, `${plural(status.hiddenRoutes, 'route')} with less traffic not shown; /metrics has all.`);
  };
}

/**
 * @param {RouteTraffic} route
 * @param {History} history
 * @returns {Row}
 */
function routeRow(route, history) {
  const find = (/** @type {Status} */ one) =>
    one.routes.find((other) => other.route === route.route && other.service === route.service);
  const errors = history.rate((one) => find(one)?.errors);
  return {
    key: `${route.route}\0${route.service}`,
    cells: [
      route.route === '' ? { text: 'no route matched', tone: 'quiet' } : route.route,
      route.service,
      rate(history.rate((one) => find(one)?.requests)),
      rate(history.rate((one) => find(one)?.refused)),
      { text: rate(errors), tone: errors !== undefined && errors > 0 ? 'bad' : undefined },
      count(route.requests),
      count(route.refused),
      { text: count(route.errors), tone: route.errors > 0 ? 'warn' : undefined },
      latency(history.quantile(0.5, (one) => find(one)?.buckets)),
      latency(history.quantile(0.99, (one) => find(one)?.buckets)),
    ],
  };
}

/** @returns {Section} */
export function limits() {
  const shown = tableIn('limits', 'Limits and their decisions', [
    { title: 'Limit' },
    { title: 'Refused / s', number: true },
    { title: 'Passed', number: true },
    { title: 'Refused', number: true },
    { title: 'Shadow', number: true },
    { title: 'Without the store', number: true },
  ]);
  const store = element('p', { class: 'empty' });
  byId('limits').append(store);
  return (status, history) => {
    const rows = status.limits.map(
      ({ limit, verdicts: { passed = 0, refused = 0, shadow = 0, open = 0, closed = 0, local = 0 } }) => {
        const now = history.rate((one) => one.limits.find((other) => other.limit === limit)?.verdicts.refused);
        const away = open + closed + local;
        /** @type {RichCell} */
        const without = { text: count(away), tone: away > 0 ? 'warn' : undefined };
        return { key: limit, cells: [limit, rate(now), count(passed), count(refused), count(shadow), without] };
      },
    );
    shown.show(rows, 'No limit has decided anything since the start.');
    store.hidden = status.store === undefined;
    setText(
      store,
      status.store === undefined
        ? ''
        : `Counted in ${status.store.name}${status.store.up ? '.' : ', which is away at the moment.'}`,
    );
    store.dataset.tone = status.store?.up === false ? 'bad' : '';
  };
}

/** @returns {Section} */
export function places() {
  const place = byId('places');
  const shown = tableIn('places', 'Bounds of concurrency', [
    { title: 'Concurrency' },
    { title: 'Running', number: true },
    { title: 'Waiting', number: true },
    { title: 'Refused', number: true },
  ]);
  return (status) => {
    place.hidden = status.places.length === 0;
    shown.show(
      status.places.map((one) => ({
        key: one.concurrency,
        cells: [one.concurrency, count(one.running), count(one.queued), count(one.refused)],
      })),
      '',
    );
  };
}

/** @returns {Section} */
export function listeners() {
  const shown = tableIn('listeners', 'Listeners and their connections', [
    { title: 'Listener' },
    { title: 'Open', number: true },
    { title: 'Accepted', number: true },
    { title: 'Turned away', number: true },
  ]);
  return (status) => {
    const rows = status.listeners.map((one) => ({
      key: one.listener,
      cells: [one.listener, count(one.open), count(one.accepted), count(one.turnedAway)],
    }));
    shown.show(rows, 'No connection has come since the start.');
  };
}
