// @ts-check
import { count, date, moment, NOTHING, span } from './format.js';
import { tableIn } from './tables.js';

/**
 * What ages: keys of issuers, certificates, the configuration.
 *
 * @import { Status } from '../../observe/status.ts'
 * @import { RichCell, Section } from './tables.js'
 */

/** @returns {Section} */
export function issuers() {
  const shown = tableIn('issuers', 'Issuers of tokens and their keys', [
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
export function certificates() {
  const shown = tableIn('certificates', 'Certificates and the days that they last', [
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
function daysLeft(ms) {
  const days = Math.floor(ms / DAY_MS);
  if (ms <= 0) return { text: 'expired', tone: 'bad', badge: true };
  return { text: count(days), tone: days < 7 ? 'bad' : days < 30 ? 'warn' : 'good', badge: true };
}

/** @returns {Section} */
export function reloads() {
  const shown = tableIn('reloads', 'Last reloads of the configuration', [
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
