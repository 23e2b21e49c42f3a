import type { AuthorizeOptions } from './options.ts';
import { DAYS, type WindowOptions } from './time.ts';

/** What a route asks of its callers, in short, for people: one text for each rule, all of which must hold. */
export function describeRules(options: AuthorizeOptions): string[] {
  const { callers, scopes, roles, claims, addresses, time, owner } = options;
  return [
    ...(callers ? [`caller ${callers.join(' or ')}`] : []),
    ...(scopes ? [`scope ${scopes.join(' and ')}`] : []),
    ...(options['any-scope'] ? [`scope ${options['any-scope'].join(' or ')}`] : []),
    ...(roles ? [`role ${roles.any.join(' or ')}${roles.claim === 'roles' ? '' : ` in ${roles.claim}`}`] : []),
    ...Object.entries(claims ?? {}).map(
      ([name, values]) =>
        `claim ${name}=${[values]
          .flat()
          .map((value) => JSON.stringify(value))
          .join(' or ')}`,
    ),
    ...(addresses ? [`from ${addresses.join(' or ')}`] : []),
    ...(time ? [time.map(describeWindow).join(' or ')] : []),
    ...(owner ? [`owner ${owner.parameter}=${owner.claim}`] : []),
    ...(options['all-of'] ?? []).flatMap(describeRules),
    ...(options['any-of'] ? [describeAny(options['any-of'])] : []),
  ];
}

function describeAny(list: readonly AuthorizeOptions[]): string {
  return `(${list.map((one) => describeRules(one).join(' and ')).join(' or else ')})`;
}

function describeWindow({ days, from, to, zone }: WindowOptions): string {
  const which = days.length === DAYS.length ? [] : days;
  const hours = from === 0 && to === 1440 ? [] : [`${clock(from)}–${clock(to)}`];
  return [...which, ...hours, zone].join(' ');
}

const clock = (minutes: number) => `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
const pad = (value: number) => String(value).padStart(2, '0');
