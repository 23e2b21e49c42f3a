import { isLoopback } from '../../config/units.ts';
import { isWritten } from '../place.ts';
import { type Audited } from '../audited.ts';
import { type Check, met, open, type Verdict } from '../model.ts';
import { eachRoute, section } from '../scopes.ts';

const ANY_ADDRESS = new Set(['0.0.0.0', '::']);
const TOKEN_CHARACTERS = 32;

/** Sections whose members something else has to name, with the names that are used. */
function usedNames({ options: { routes } }: Audited) {
  return {
    services: { kind: 'service', used: new Set(routes.map(({ service }) => service)) },
    authentication: { kind: 'authentication', used: new Set(routes.flatMap(({ authentication: names }) => names)) },
    limits: { kind: 'limit', used: new Set(routes.flatMap(({ limits }) => limits.filter((one) => typeof one === 'string'))) },
  } as const;
}

function* unused(audited: Audited): Iterable<Verdict> {
  for (const [section, { kind, used }] of Object.entries(usedNames(audited)))
    for (const name of Object.keys(audited.options[section as 'services' | 'authentication' | 'limits'])) {
      const subject = { kind, name, path: [section, name] };
      yield { ...((used as ReadonlySet<string>).has(name) ? met('in use') : open('no route uses it')), subject };
    }
}

export const admin: readonly Check[] = [
  {
    name: 'admin-access',
    title: 'The admin listener is for this machine, or guarded on one address',
    heading: 'admin',
    owasp: ['API8', 'API5'],
    why: 'It shows traffic, routes and failures. Off this machine it does not load without TLS and a token.',
    fix: 'admin: { address: 127.0.0.1:9443 }',
    applies: 'configurations with `admin`',
    judge: section('admin', ({ options }) => {
      if (options.admin === undefined) return undefined;
      const { host } = options.admin.address;
      if (isLoopback(host)) return met('on this machine only', 'address');
      return ANY_ADDRESS.has(host)
        ? open('on every address of the machine, those of clients too', ['address'])
        : met('TLS and a token', 'address');
    }),
  },
  {
    name: 'admin-token',
    title: 'The token of the admin listener cannot be guessed',
    heading: 'admin',
    owasp: ['API2'],
    why: 'Nothing but its length stands between a guess and the admin listener.',
    fix: 'admin: { token: secret:ADMIN_TOKEN } (32 characters by chance: `openssl rand -hex 32`)',
    applies: 'admin listeners with a token',
    judge: section('admin', ({ options: { admin: written } }) => {
      if (written?.token === undefined) return undefined;
      return written.token.length >= TOKEN_CHARACTERS && new Set(written.token).size >= 10
        ? met('long enough', 'token')
        : open(`is short, or has few different characters: at least ${TOKEN_CHARACTERS} by chance`, ['token']);
    }),
  },
  {
    name: 'catch-all-routes',
    title: 'Every API has routes of its own',
    heading: 'admin',
    owasp: ['API9'],
    why: '`/**` opens all that a service has, its debug pages and old versions too.',
    fix: 'path: /orders/**',
    applies: 'every route',
    judge: eachRoute(({ segments }) =>
      segments[0]?.kind === 'rest'
        ? open('everything of the service is reachable', ['path'])
        : met('a part of the service', 'path'),
    ),
  },
  {
    name: 'route-methods',
    title: 'Routes name their methods',
    heading: 'admin',
    owasp: ['API9', 'API5'],
    why: 'A route without `methods` serves seven, DELETE among them, also those that its service gets tomorrow.',
    fix: 'methods: [GET]',
    applies: 'every route',
    judge: eachRoute(({ subject }, { source }) =>
      isWritten(source, [...subject.path, 'methods']) ? met('named', 'methods') : open('serves seven methods', ['methods']),
    ),
  },
  {
    name: 'unused-definitions',
    title: 'Nothing is defined that no route uses',
    heading: 'admin',
    owasp: ['API9'],
    why: 'What nobody uses is looked after by nobody, and is one word away from being reachable.',
    fix: 'take it away',
    applies: 'services, methods of authentication and named limits',
    judge: unused,
  },
];
