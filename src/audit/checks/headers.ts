import { type Check, type Judgement, met, open } from '../model.ts';
import { tooLarge } from '../networks.ts';
import { eachRoute, eachService, section } from '../scopes.ts';
import { someOf } from '../words.ts';

type Headers = Readonly<Record<string, string>> | undefined;

const SAFETY = [
  'x-content-type-options',
  'content-security-policy',
  'x-frame-options',
  'referrer-policy',
  'cross-origin-resource-policy',
  'strict-transport-security',
];
const TELLING = ['server', 'x-powered-by', 'x-aspnet-version', 'x-aspnetmvc-version'];

/** The first of these fields that the route gives away. */
function weakened(headers: Headers, names: readonly string[], isWeak: (value: string) => boolean): string | undefined {
  return Object.entries(headers ?? {}).find(([name, value]) => names.includes(name.toLowerCase()) && isWeak(value))?.[0];
}

const LAX = /unsafe-(?:inline|eval)|\*/;

function isLax(name: string, value: string): boolean {
  if (value === 'remove') return true;
  // Of these, what the service sets wins anyway where the gateway knows that it knows better.
  if (value === 'keep')
    return name.toLowerCase() === 'x-content-type-options' || name.toLowerCase() === 'strict-transport-security';
  return name.toLowerCase() === 'content-security-policy' && LAX.test(value);
}

function safety(headers: Headers): Judgement {
  const name = Object.entries(headers ?? {}).find(([one, value]) => SAFETY.includes(one.toLowerCase()) && isLax(one, value))?.[0];
  if (name === undefined) return met('the fields that protect are set', 'response-headers');
  const value = headers?.[name] ?? '';
  const says = value === 'remove' ? `takes out ${name}` : value === 'keep' ? `leaves ${name} to the service` : `${name} is lax`;
  return open(says, ['response-headers', name]);
}

export const headers: readonly Check[] = [
  {
    name: 'trusted-proxies',
    title: 'Only proxies of one’s own are believed',
    heading: 'headers',
    owasp: ['API8', 'API4'],
    why: 'Whoever is believed can pretend to be any address, and so escapes limits and rules by address.',
    fix: 'trusted-proxies: [10.0.0.5]',
    applies: 'configurations with `trusted-proxies`',
    judge: section('trusted-proxies', ({ options }) => {
      const networks = options['trusted-proxies'];
      if (networks.length === 0) return undefined;
      const large = networks.findIndex((network) => tooLarge(network) !== undefined);
      return large === -1 ? met(someOf(networks)) : open(tooLarge(networks[large]) ?? '', [large]);
    }),
  },
  {
    name: 'forged-headers',
    title: 'Services see no header by which a client pretends to be someone',
    heading: 'headers',
    owasp: ['API2', 'API8'],
    why: 'Names that the gateway drops are those that services believe: addresses, users, rewrites.',
    fix: 'headers: { keep: [] }',
    applies: 'every service',
    judge: eachService(({ headers: { keep } }) =>
      keep.length === 0
        ? met('forgeable fields are dropped', 'headers')
        : open(`lets through ${someOf(keep)}`, ['headers', 'keep']),
    ),
  },
  {
    name: 'credentials-kept',
    title: 'Credentials of callers stay at the gateway',
    heading: 'headers',
    owasp: ['API2', 'API10'],
    why: 'A service that gets tokens can use them, log them and lose them.',
    fix: 'credentials: drop',
    applies: 'every service',
    judge: eachService(({ credentials }) =>
      credentials === 'drop' ? met('not passed on', 'credentials') : open('passed on', ['credentials']),
    ),
  },
  {
    name: 'cors-origins',
    title: 'Pages of named origins only may call',
    heading: 'headers',
    owasp: ['API8'],
    why: 'With `*` every page that a user visits may read the answers; with credentials and a wildcard every forgotten subdomain acts as the user.',
    fix: 'cors: { origins: [https://app.example.com] }',
    applies: 'routes with `cors`',
    judge: eachRoute(({ route: { cors } }) => {
      if (cors === undefined) return undefined;
      const at = ['cors', 'origins'];
      if (cors.origins.includes('*')) return open('pages of every origin', at);
      if (cors.origins.includes('null')) return open('pages of no origin (`null`), which every page can have', at);
      const plain = cors.origins.find((origin) => origin.startsWith('http:'));
      if (plain !== undefined) return open(`${plain} can be changed on the way`, at);
      const wide = cors.credentials ? cors.origins.find((origin) => origin.includes('*')) : undefined;
      return wide === undefined ? met(someOf(cors.origins), ...at) : open(`${wide} with credentials`, at);
    }),
  },
  {
    name: 'websocket-origins',
    title: 'WebSockets are opened by pages of named origins only',
    heading: 'headers',
    owasp: ['API8', 'API2'],
    why: 'Browsers ask nobody before a page opens a WebSocket, and send cookies with it.',
    fix: 'origins: [https://app.example.com]',
    applies: 'routes with `origins`',
    judge: eachRoute(({ route: { origins } }) => {
      if (origins === undefined) return undefined;
      return origins.includes('*') ? open('pages of every origin', ['origins']) : met(someOf(origins), 'origins');
    }),
  },
  {
    name: 'security-headers',
    title: 'Answers have the fields that protect browsers',
    heading: 'headers',
    owasp: ['API8'],
    why: 'nosniff, CSP and the others keep an answer from being run, framed or read as what it is not.',
    fix: 'take the entry out of response-headers',
    applies: 'every route',
    judge: eachRoute(({ route }) => safety(route['response-headers'])),
  },
  {
    name: 'server-disclosure',
    title: 'Answers do not tell what the service is made of',
    heading: 'headers',
    owasp: ['API8'],
    why: 'A version is half of an attack.',
    fix: 'take the entry out of response-headers',
    applies: 'every route',
    judge: eachRoute(({ route }) => {
      const name = weakened(route['response-headers'], TELLING, (value) => value === 'keep');
      return name === undefined
        ? met('taken out', 'response-headers')
        : open(`leaves ${name} to the service`, ['response-headers', name]);
    }),
  },
];
