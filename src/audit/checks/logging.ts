import type { ObserveOptions } from '../../observe/options.ts';
import { type Check, met, open } from '../model.ts';
import { section } from '../scopes.ts';

/** Whether anything beside credentials is hidden. */
function hides(redact: ObserveOptions['redact']): boolean {
  return Object.values(redact).some((value) => (Array.isArray(value) ? value.length > 0 : value !== 'keep'));
}

export const logging: readonly Check[] = [
  {
    name: 'access-record',
    title: 'Every request leaves a record',
    heading: 'logging',
    owasp: ['API8'],
    why: 'Without it nobody knows that there was an attack, nor what it reached.',
    fix: 'observe: { access: logs/access.jsonl }',
    applies: 'always',
    judge: section('observe', ({ options: { observe } }) =>
      observe.access === 'off' ? open('no record is kept', ['access']) : met('a record is kept', 'access'),
    ),
  },
  {
    name: 'record-file',
    title: 'The record goes to a file of its own',
    heading: 'logging',
    owasp: ['API8'],
    why: 'Standard output is kept only where somebody else keeps it; in a container platform that does, accept this with its name.',
    fix: 'observe: { access: logs/access.jsonl }',
    applies: 'configurations that keep a record',
    judge: section('observe', ({ options: { observe } }) => {
      if (observe.access === 'off') return undefined;
      return observe.access === 'stdout' ? open('goes to standard output', ['access']) : met('goes to a file', 'access');
    }),
  },
  {
    name: 'record-rotation',
    title: 'Files of records are rotated before the disk is full',
    heading: 'logging',
    owasp: ['API8', 'API4'],
    why: 'A full disk ends the record at the moment of a flood, when it is needed most.',
    fix: 'observe: { rotate: { size: 100MiB, keep: 5 } }',
    applies: 'records in files',
    judge: section('observe', ({ options: { observe } }) => {
      if (![observe.access, observe.events].some((one) => one !== 'off' && one !== 'stdout')) return undefined;
      return observe.rotate === false ? open('grows without a bound', ['rotate']) : met('rotated by size', 'rotate');
    }),
  },
  {
    name: 'security-events',
    title: 'Security events have a stream of their own',
    heading: 'logging',
    owasp: ['API8'],
    why: 'Refusals that matter are few among many requests; who watches needs them apart.',
    fix: 'observe: { events: logs/events.jsonl }',
    applies: 'always',
    judge: section('observe', ({ options: { observe } }) =>
      observe.events === 'off' ? open('no stream of events', ['events']) : met('a stream of events', 'events'),
    ),
  },
  {
    name: 'personal-data',
    title: 'It is said what is personal',
    heading: 'logging',
    owasp: ['API8'],
    why: 'Credentials are always hidden; that a parameter is an e-mail address, or that addresses of clients are not to be kept, nobody can guess.',
    fix: 'observe: { redact: { parameters: [email], address: network } }',
    applies: 'configurations that keep a record',
    judge: section('observe', ({ options: { observe } }) => {
      if (observe.access === 'off' && observe.events === 'off') return undefined;
      return hides(observe.redact) ? met('some is hidden', 'redact') : open('only credentials are hidden', ['redact']);
    }),
  },
  {
    name: 'metrics',
    title: 'Metrics tell of refusals and failures',
    heading: 'logging',
    owasp: ['API8'],
    why: 'An alarm needs a number: refusals by room, failures of services, days of certificates.',
    fix: 'admin: { address: 127.0.0.1:9443 }',
    applies: 'always',
    judge: section('admin', ({ options: { admin } }) =>
      admin === undefined ? open('there is no admin listener, and so no /metrics') : met('on the admin listener'),
    ),
  },
];
