// @ts-check
import { bar, Sparkline } from './chart.js';
import { byId, element, setText } from './dom.js';
import { count, latency, NOTHING, plural, rate, recent } from './format.js';
import { openConnections, rateNow, ratesOf } from './rates.js';
import { tableIn } from './tables.js';

/**
 * What one wants at a glance: figures with their lines, refusals, the last events.
 *
 * @import { Status } from '../../observe/status.ts'
 * @import { History, Point } from './rates.js'
 * @import { Tone, Section } from './tables.js'
 */

/** @returns {Section} */
export function tiles() {
  const place = byId('tiles');
  /** @param {(point: Point) => number | undefined} read */
  const seen = (read) => (/** @type {Status} */ _, /** @type {History} */ history) => history.points.map(read);
  /** @type {{ id: string, title: string, line: (status: Status, history: History) => (number | undefined)[], show: (status: Status, history: History) => [string, string, Tone | ''] }[]} */
  const kinds = [
    {
      id: 'requests',
      title: 'Requests / s',
      line: ({ recent }) => ratesOf(recent.requests),
      show: (status) => [rate(rateNow(status.recent.requests)), `${count(status.traffic.requests)} in all`, ''],
    },
    {
      id: 'refused',
      title: 'Refusals / s',
      line: ({ recent }) => ratesOf(recent.refused),
      show: (status) => [rate(rateNow(status.recent.refused)), `${count(status.traffic.refused)} in all`, ''],
    },
    {
      id: 'errors',
      title: 'Errors / s',
      line: ({ recent }) => ratesOf(recent.errors),
      show: (status) => {
        const now = rateNow(status.recent.errors);
        const { faults, errors } = status.traffic;
        const own = faults > 0 ? `, ${plural(faults, 'fault')} of the gateway` : '';
        return [rate(now), `${count(errors)} of services${own}`, now !== undefined && now > 0 ? 'bad' : ''];
      },
    },
    {
      id: 'latency',
      title: 'p50 · p99',
      line: seen((point) => point.slow),
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
      line: seen((point) => point.running),
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
      line: seen((point) => point.connections),
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
    for (const { value, note, spark, line, show } of made) {
      const [now, words, tone] = show(status, history);
      setText(value, now);
      value.dataset.tone = tone;
      setText(note, words);
      spark.draw(line(status, history));
    }
  };
}

/** @returns {Section} */
export function rooms() {
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
export function refusals() {
  const shown = tableIn('refusals', 'Refusals by room and code', [
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
export function events() {
  const shown = tableIn('events', 'Last security events', [
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
