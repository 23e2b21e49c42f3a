// @ts-check
import { bar, Sparkline } from './chart.js';
import { byId, element, setText } from './dom.js';
import { count, date, latency, moment, NOTHING, plural, rate, recent, span } from './format.js';
import { errorsOf, openConnections } from './rates.js';
import { Table } from './tables.js';

/**
 * @import { Status, ServiceStatus, TargetStatus, RouteTraffic } from '../../observe/status.ts'
 * @import { History, Point } from './rates.js'
 * @import { Row, Tone, RichCell } from './tables.js'
 */

/** @typedef {(status: Status, history: History) => void} Section */

/** All parts of the page; each is shown anew with every look. @returns {Section[]} */
export function makeSections() {
  return [
    tiles(),
    rooms(),
    refusals(),
    events(),
    services(),
    routes(),
    limits(),
    places(),
    listeners(),
    issuers(),
    certificates(),
    reloads(),
  ];
}

/**
 * @param {string} id
 * @param {string} name
 * @param {ConstructorParameters<typeof Table>[2]} columns
 */
const table = (id, name, columns) => new Table(byId(id), name, columns);

/** @returns {Section} */
function tiles() {
  const place = byId('tiles');
  /** @type {{ id: string, title: string, read: (point: Point) => number | undefined, show: (status: Status, history: History) => [string, string, Tone | ''] }[]} */
  const kinds = [
    {
      id: 'requests',
      title: 'Requests / s',
      read: (point) => point.requests,
      show: (status, history) => [
        rate(history.rate((one) => one.traffic.requests)),
        `${count(status.traffic.requests)} in all`,
        '',
      ],
    },
    {
      id: 'refused',
      title: 'Refusals / s',
      read: (point) => point.refused,
      show: (status, history) => [
        rate(history.rate((one) => one.traffic.refused)),
        `${count(status.traffic.refused)} in all`,
        '',
      ],
    },
    {
      id: 'errors',
      title: 'Errors / s',
      read: (point) => point.errors,
      show: (status, history) => {
        const now = history.rate(errorsOf);
        const { faults, errors } = status.traffic;
        const own = faults > 0 ? `, ${plural(faults, 'fault')} of the gateway` : '';
        return [rate(now), `${count(errors)} of services${own}`, now !== undefined && now > 0 ? 'bad' : ''];
      },
    },
    {
      id: 'latency',
      title: 'p50 · p99',
      read: (point) => point.slow,
      show: (_, history) => {
        const [half, slow] = [0.5, 0.99].map((q) => history.quantile(q, (one) => one.traffic.buckets));
        return [
          half === undefined ? NOTHING : `${latency(half)} · ${latency(slow)}`,
          half === undefined ? 'no requests in the last minute' : 'last minute',
          '',
        ];
      },
    },
    {
      id: 'running',
      title: 'In flight',
      read: (point) => point.running,
      show: (status) => {
        const queued = status.services.reduce((sum, one) => sum + one.queued, 0);
        return [
          count(status.running),
          queued > 0 ? `${count(queued)} wait for a service` : 'none waits for a service',
          queued > 0 ? 'warn' : '',
        ];
      },
    },
    {
      id: 'connections',
      title: 'Connections',
      read: (point) => point.connections,
      show: (status) => [count(openConnections(status)), `on ${plural(status.listeners.length, 'listener')}`, ''],
    },
  ];
  const made = kinds.map((kind) => {
    const parts = {
      value: element('p', { class: 'value', id: `tile-${kind.id}` }, NOTHING),
      note: element('p', { class: 'note' }),
      spark: new Sparkline(),
    };
    place.append(
      element(
        'article',
        { class: 'card tile', 'data-kind': kind.id },
        element('h2', {}, kind.title),
        parts.value,
        parts.note,
        parts.spark.node,
      ),
    );
    return { ...kind, ...parts };
  });
  return (status, history) => {
    for (const { value, note, spark, read, show } of made) {
      const [now, words, tone] = show(status, history);
      setText(value, now);
      value.dataset.tone = tone;
      setText(note, words);
      spark.draw(history.points.map(read));
    }
  };
}

/** @returns {Section} */
function rooms() {
  const place = byId('rooms');
  place.className = 'rooms';
  /** @type {Map<string, { node: HTMLElement, words: HTMLElement, draw(share: number): void }>} */
  const known = new Map();
  return (status, history) => {
    const names = [...new Set(status.refusals.map((one) => one.room))].sort(
      (a, b) => roomCount(status, b) - roomCount(status, a),
    );
    const totals = names.map((room) => roomCount(status, room));
    names.forEach((room, i) => {
      let line = known.get(room);
      if (line === undefined) {
        const [words, { node, draw }] = [element('span', { class: 'number' }), bar()];
        line = {
          words,
          draw,
          node: element('p', { class: 'room', 'data-room': room }, element('span', {}, room || 'other'), node, words),
        };
        known.set(room, line);
      }
      if (place.children[i] !== line.node) place.insertBefore(line.node, place.children[i] ?? null);
      line.draw(totals[i] / Math.max(1, ...totals));
      setText(line.words, `${rate(history.rate((one) => roomCount(one, room)))} / s · ${count(totals[i])}`);
    });
    for (const [room, { node }] of known) if (!names.includes(room)) node.remove();
  };
}

/**
 * @param {Status} status
 * @param {string} room
 */
function roomCount(status, room) {
  return status.refusals.filter((one) => one.room === room).reduce((sum, one) => sum + one.count, 0);
}

/** @returns {Section} */
function refusals() {
  const shown = table('refusals', 'Refusals by room and code', [
    { title: 'Code' },
    { title: 'Room' },
    { title: 'per s', number: true },
    { title: 'Count', number: true },
  ]);
  return (status, history) => {
    const rows = status.refusals.slice(0, 15).map(({ room, code, count: all }) => {
      const now = history.rate((one) => one.refusals.find((other) => other.code === code && other.room === room)?.count);
      return { key: `${room} ${code}`, cells: [code, room, rate(now), count(all)] };
    });
    shown.show(rows, 'Nothing has been refused since the start.');
  };
}

/** @returns {Section} */
function events() {
  const shown = table('events', 'Last security events', [
    { title: 'Time' },
    { title: 'Code' },
    { title: 'Room' },
    { title: 'Route' },
    { title: 'Client' },
    { title: 'Caller' },
  ]);
  return ({ events: list, time: now }) => {
    const rows = (list ?? []).slice(0, 20).map((one, i) => {
      const time = Date.parse(one.time);
      const cells = [
        { text: Number.isNaN(time) ? one.time : recent(time, now), title: one.request_id ?? '' },
        one.code,
        one.room,
        one.route ?? '',
        one.client ?? '',
        one.caller ?? '',
      ];
      return { key: `${one.request_id ?? ''} ${one.time} ${one.code} ${i}`, cells };
    });
    shown.show(
      rows,
      list === undefined ? 'This gateway keeps no security events.' : 'There was no security event since the start.',
    );
  };
}

/** @type {Record<TargetStatus['state'], [string, Tone]>} */
const STATES = { up: ['up', 'good'], down: ['down', 'bad'], ejected: ['ejected', 'warn'], drained: ['drained', 'quiet'] };

/** @returns {Section} */
function services() {
  const shown = table('services', 'Services and their targets', [
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
function routes() {
  const shown = table('routes', 'Routes with their traffic', [
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
function limits() {
  const shown = table('limits', 'Limits and their decisions', [
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
function places() {
  const place = byId('places');
  const shown = table('places', 'Bounds of concurrency', [
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
function listeners() {
  const shown = table('listeners', 'Listeners and their connections', [
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

/** @returns {Section} */
function issuers() {
  const shown = table('issuers', 'Issuers of tokens and their keys', [
    { title: 'Issuer' },
    { title: 'State' },
    { title: 'Keys', number: true },
    { title: 'Age', number: true },
    { title: 'From', wide: true },
  ]);
  return (status) => {
    const rows = status.issuers.map((one) => {
      const age = one.read === undefined ? NOTHING : span(status.time - one.read);
      return {
        key: `${one.issuer} ${one.from}`,
        cells: [
          one.issuer,
          issuerState(one, status.time),
          count(one.keys),
          age,
          one.failure === undefined ? one.from : `${one.from}\n${one.failure}`,
        ],
      };
    });
    shown.show(rows, 'No route asks for tokens of an issuer.');
  };
}

/**
 * @param {Status['issuers'][number]} one
 * @param {number} now
 * @returns {RichCell}
 */
function issuerState({ read, expires, failure, keys }, now) {
  if (read === undefined || keys === 0) return { text: 'no keys', tone: 'bad', badge: true };
  if (expires !== undefined && expires <= now) return { text: 'too old', tone: 'bad', badge: true };
  if (failure !== undefined) return { text: 'not read again', tone: 'warn', badge: true };
  return { text: 'fresh', tone: 'good', badge: true };
}

const DAY_MS = 86_400_000;

/** @returns {Section} */
function certificates() {
  const shown = table('certificates', 'Certificates and the days that they last', [
    { title: 'Names' },
    { title: 'Days left', number: true },
    { title: 'Until' },
    { title: 'Listener' },
    { title: 'Issuer', wide: true },
  ]);
  return (status) => {
    const rows = status.certificates.map((one) => ({
      key: `${one.listener} ${one.fingerprint}`,
      cells: [
        { text: one.names.join(', ') || 'no names', title: one.fingerprint },
        daysLeft(one.expires - status.time),
        date(one.expires),
        one.listener,
        one.issuer,
      ],
    }));
    shown.show(rows, 'No listener uses TLS.');
  };
}

/**
 * @param {number} ms
 * @returns {RichCell}
 */
export function daysLeft(ms) {
  const days = Math.floor(ms / DAY_MS);
  if (ms <= 0) return { text: 'expired', tone: 'bad', badge: true };
  return { text: count(days), tone: days < 7 ? 'bad' : days < 30 ? 'warn' : 'good', badge: true };
}

/** @returns {Section} */
function reloads() {
  const shown = table('reloads', 'Last reloads of the configuration', [
    { title: 'Time' },
    { title: 'Result' },
    { title: 'Why', wide: true },
  ]);
  return (status) => {
    const rows = status.reloads.map((one, i) => ({
      key: `${one.time} ${i}`,
      cells: [
        moment(one.time),
        /** @type {RichCell} */ ({ text: one.ok ? 'taken over' : 'not taken over', tone: one.ok ? 'good' : 'bad', badge: true }),
        one.reason ?? '',
      ],
    }));
    shown.show(rows, 'The configuration is the one of the start.');
  };
}
