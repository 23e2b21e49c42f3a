// @ts-check
import { listeners, limits, places, routes, services } from './flow.js';
import { events, refusals, rooms, tiles } from './glance.js';
import { certificates, issuers, reloads } from './trust.js';

/** @import { Section } from './tables.js' */

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
