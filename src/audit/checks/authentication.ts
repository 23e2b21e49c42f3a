import { readFileSync } from 'node:fs';
import { parseKeyFile } from '../../authenticate/api-key/key-file.ts';
import { parseTime } from '../../authenticate/api-key/entry.ts';
import { type Audited, safeMethods, unsafeMethods } from '../audited.ts';
import { type Check, type Judgement, met, open } from '../model.ts';
import { perMinute, slowest } from '../rates.ts';
import { all, eachAuthenticatedRoute, eachMethod, eachRoute } from '../scopes.ts';
import { counted, span } from '../words.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
/** What one address may try in a minute before guessing tokens and keys is worth while. */
const MOST_TRIES = 600;
const MOST_ALGORITHMS = 3;

function audience(names: readonly string[]): Judgement {
  return names.includes('any')
    ? open('takes tokens that were issued for any API', ['audience'])
    : met(`tokens must be for ${names.join(' or ')}`, 'audience');
}

function skew(ms: number): Judgement {
  return ms <= MINUTE
    ? met(`expired tokens count ${span(ms)} longer`, 'clock-skew')
    : open(`expired tokens count ${span(ms)} longer`, ['clock-skew']);
}

/** Keys that would work for ever; the file was checked when the configuration was. */
function endless(file: string, now: number): string[] {
  return parseKeyFile(file, readFileSync(file, 'utf8'))
    .keys.map(({ entry }) => entry)
    .filter(({ expires, revoked }) => expires === undefined && (revoked === undefined || (parseTime(revoked) ?? 0) > now))
    .map(({ id }) => id);
}

function expiry(file: string, { now }: Audited): Judgement {
  const ids = endless(file, now);
  if (ids.length === 0) return met('every key ends some day', 'keys');
  const named = ids.slice(0, 3).join(', ') + (ids.length > 3 ? ', …' : '');
  return open(`${counted(ids.length, 'key')} without an end: ${named}`, ['keys']);
}

export const authentication: readonly Check[] = [
  {
    name: 'unauthenticated-writes',
    title: 'Nobody changes anything without saying who he is',
    heading: 'authentication',
    owasp: ['API2'],
    why: 'A route that changes something and asks nobody is open to every program on the network.',
    fix: 'authentication: [NAME]',
    applies: 'routes with methods that change something',
    judge: eachRoute(({ route, unsafe, authenticated }) => {
      if (!unsafe) return undefined;
      if (authenticated) return met('callers are known', 'authentication');
      return open(`anybody may ${unsafeMethods(route.methods).join(', ')}`, ['authentication']);
    }),
  },
  {
    name: 'unauthenticated-reads',
    title: 'What is open to everyone is so on purpose',
    heading: 'authentication',
    owasp: ['API2'],
    why: 'Data that anybody can read must be meant for anybody; an exception with a reason says that it is.',
    fix: 'authentication: [NAME]',
    applies: 'routes whose methods only read',
    judge: eachRoute(({ route, unsafe, authenticated }) => {
      if (unsafe) return undefined;
      if (authenticated) return met('callers are known', 'authentication');
      return open(`anybody may ${safeMethods(route.methods).join(', ')}`, ['authentication']);
    }),
  },
  {
    name: 'jwt-algorithms',
    title: 'Few signature algorithms, all asymmetric',
    heading: 'authentication',
    owasp: ['API2'],
    why: 'What an issuer does not use, an attacker should not be able to use either. Symmetric algorithms and `none` do not load at all.',
    fix: 'algorithms: [ES256]',
    applies: 'methods of the kind `jwt`',
    judge: eachMethod('jwt', ({ algorithms }) =>
      new Set(algorithms).size <= MOST_ALGORITHMS
        ? met(`${algorithms.join(', ')} only`, 'algorithms')
        : open(`takes ${new Set(algorithms).size} algorithms: an issuer uses one or two`, ['algorithms']),
    ),
  },
  {
    name: 'token-audience',
    title: 'Tokens are for this API',
    heading: 'authentication',
    owasp: ['API2'],
    why: 'A token that was given to another API must not open this one.',
    fix: 'audience: https://api.example.com',
    applies: 'methods `jwt` and `introspection`',
    judge: all(
      // For a JWT `any` is a name like any other.
      eachMethod('jwt', (options) => met(`tokens must be for ${options.audience.join(' or ')}`, 'audience')),
      eachMethod('introspection', (options) => audience(options.audience)),
    ),
  },
  {
    name: 'token-lifetime',
    title: 'Tokens live at most a day',
    heading: 'authentication',
    owasp: ['API2'],
    why: 'A JWT cannot be called back: a stolen one works until it ends.',
    fix: 'max-lifetime: 1h',
    applies: 'methods of the kind `jwt`',
    judge: eachMethod('jwt', (options) => {
      const most = options['max-lifetime'];
      const says = `tokens may live ${span(most)}`;
      return most <= DAY ? met(says, 'max-lifetime') : open(says, ['max-lifetime']);
    }),
  },
  {
    name: 'token-revocation',
    title: 'A revoked token stops within a minute',
    heading: 'authentication',
    owasp: ['API2'],
    why: 'As long as an answer of the authorization server is believed, a revoked token passes.',
    fix: 'cache: { active: 30s }',
    applies: 'methods of the kind `introspection`',
    judge: eachMethod('introspection', ({ cache: { active } }) => {
      const says = `a revoked token passes for ${span(active)}`;
      return active <= MINUTE ? met(says, 'cache', 'active') : open(says, ['cache', 'active']);
    }),
  },
  {
    name: 'clock-skew',
    title: 'Clocks differ by at most a minute',
    heading: 'authentication',
    owasp: ['API2'],
    why: 'What is granted to a wrong clock is granted to an expired token.',
    fix: 'clock-skew: 5s',
    applies: 'methods `jwt` and `introspection`',
    judge: all(
      eachMethod('jwt', (options) => skew(options['clock-skew'])),
      eachMethod('introspection', (options) => skew(options['clock-skew'])),
    ),
  },
  {
    name: 'key-expiry',
    title: 'Every API key ends some day',
    heading: 'authentication',
    owasp: ['API2'],
    why: 'Keys are copied, forgotten and found. One without an end works for whoever finds it.',
    fix: 'run `portcullis keys rotate`, or create keys with `--expires`',
    applies: 'methods of the kind `api-key`',
    judge: eachMethod('api-key', ({ keys }, audited) => expiry(keys, audited)),
  },
  {
    name: 'client-certificate-rules',
    title: 'Client certificates count by name, not only by their authority',
    heading: 'authentication',
    owasp: ['API2'],
    why: 'Without rules, everybody whom the authority ever gave a certificate for anything is a caller.',
    fix: 'mtls: { allow: [{ spiffe: spiffe://example.org/ns/shop/* }] }',
    applies: 'methods of the kind `mtls`',
    judge: eachMethod('mtls', ({ allow }) =>
      allow === undefined
        ? open('every certificate of the authority counts', [])
        : met(`${counted(allow.length, 'rule')} must be kept`, 'allow'),
    ),
  },
  {
    name: 'credential-guessing',
    title: 'Failed attempts are limited',
    heading: 'authentication',
    owasp: ['API2', 'API4'],
    why: 'Limits by address are counted before anybody is known, so they are what stops the guessing of tokens and keys.',
    fix: 'limits: [{ rate: 100/minute, by: address }]',
    applies: 'routes with authentication',
    judge: eachAuthenticatedRoute(({ limits }) => {
      const limit = slowest(limits, ['address']);
      if (limit === undefined) return open('one address may try as often as it likes', ['limits']);
      const tries = Math.round(perMinute(limit.limit));
      const says = `one address may try ${tries} times a minute`;
      return tries <= MOST_TRIES ? met(says, 'limits') : open(says, ['limits']);
    }),
  },
  {
    name: 'csrf',
    title: 'Pages of other origins cannot act in the name of a user',
    heading: 'authentication',
    owasp: ['API2', 'API8'],
    why: 'Browsers send cookies and client certificates along, whoever made the page.',
    fix: 'csrf: { origins: [https://app.example.com] }',
    applies: 'every route',
    judge: eachRoute(({ route }) =>
      route.csrf === 'off' ? open('the protection is off', ['csrf']) : met('the protection is on', 'csrf'),
    ),
  },
];
