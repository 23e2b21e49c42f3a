import type { Bounds } from '../../listen/options.ts';
import { type Check, type Judgement, met, open } from '../model.ts';
import { perMinute, slowest } from '../rates.ts';
import { eachAuthenticatedRoute, eachLimit, eachListener, eachRoute, eachService } from '../scopes.ts';
import { span } from '../words.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const CALLER_WORDS = ['caller', 'api-key', 'claim'];
/** What one person does in a minute, and a script that buys up everything does not. */
const MOST_CHANGES = 600;

/** Up to here a bound of a listener is a bound. */
const MOST: Partial<Record<keyof Bounds, number>> = {
  'head-bytes': 64 * 1024,
  'target-bytes': 64 * 1024,
  'head-count': 500,
  'head-time': 30 * SECOND,
  'body-time': 5 * MINUTE,
  'idle-time': 10 * MINUTE,
  'request-time': 30 * MINUTE,
  connections: 200_000,
  'connections-per-address': 20_000,
  'h2-streams': 500,
  'h2-resets': 10_000,
};

function bounds(written: Bounds): Judgement {
  const loose = Object.entries(MOST).find(([name, most]) => written[name as keyof Bounds] > most)?.[0] as
    | keyof Bounds
    | undefined;
  if (loose === undefined) return met('within reason', 'bounds');
  const shown = loose.endsWith('-time') ? span(written[loose]) : `${written[loose]}`;
  return open(`${loose} is ${shown}`, ['bounds', loose]);
}

export const limits: readonly Check[] = [
  {
    name: 'limit-by-address',
    title: 'One address cannot take all',
    heading: 'limits',
    owasp: ['API4'],
    why: 'It is counted before anything else costs anything.',
    fix: 'limits: [{ rate: 100/minute, by: address }]',
    applies: 'every route',
    judge: eachRoute(({ limits: written }) => {
      const limit = slowest(written, ['address']);
      return limit === undefined ? open('no limit by address', ['limits']) : met('limited by address', 'limits');
    }),
  },
  {
    name: 'limit-by-caller',
    title: 'One caller cannot take all, from however many addresses',
    heading: 'limits',
    owasp: ['API4'],
    why: 'Addresses are cheap: who has a key or a token can come from thousands.',
    fix: 'limits: [{ rate: 1000/hour, by: caller }]',
    applies: 'routes with authentication',
    judge: eachAuthenticatedRoute(({ limits: written }) => {
      const limit = slowest(written, CALLER_WORDS);
      return limit === undefined ? open('no limit by caller', ['limits']) : met('limited by caller', 'limits');
    }),
  },
  {
    name: 'business-flows',
    title: 'What changes something cannot be done by the thousand',
    heading: 'limits',
    owasp: ['API6'],
    why: 'Orders, bookings and comments are harmless one by one, and do harm when a script makes all of them.',
    fix: 'limits: [{ rate: 60/minute, by: caller }]',
    applies: 'routes with methods that change something',
    judge: eachRoute(({ limits: written, unsafe, authenticated }) => {
      if (!unsafe) return undefined;
      const limit = slowest(written, authenticated ? CALLER_WORDS : ['address']);
      const fix = `limits: [{ rate: 60/minute, by: ${authenticated ? 'caller' : 'address'} }]`;
      if (limit === undefined) return open('may be called without end', ['limits'], fix);
      const changes = Math.round(perMinute(limit.limit));
      const says = `${changes} a minute`;
      return changes <= MOST_CHANGES ? met(says, 'limits') : open(says, ['limits'], fix);
    }),
  },
  {
    name: 'limits-enforced',
    title: 'Limits refuse',
    heading: 'limits',
    owasp: ['API4'],
    why: '`shadow` is for a beginning: it counts and refuses nothing.',
    fix: 'shadow: false',
    applies: 'limits',
    judge: eachLimit(({ shadow }) => (shadow ? open('counts only', ['shadow']) : met('refuses'))),
  },
  {
    name: 'limits-without-store',
    title: 'Limits hold while the store is away',
    heading: 'limits',
    owasp: ['API4'],
    why: 'Who can disturb the store must not be able to switch off all limits with it.',
    fix: 'when-store-fails: local',
    applies: 'limits in a store on the network',
    judge: eachLimit((limit, { options }) => {
      if (options.store === 'memory') return undefined;
      const policy = limit['when-store-fails'];
      return policy === 'open' ? open('requests pass uncounted', ['when-store-fails']) : met(policy, 'when-store-fails');
    }),
  },
  {
    name: 'concurrency',
    title: 'Only so many requests are under way at once',
    heading: 'limits',
    owasp: ['API4'],
    why: 'Slow requests pile up long before a rate is reached.',
    fix: 'concurrency: { max: 100 }',
    applies: 'every route',
    judge: eachRoute(({ route }, { options }) => {
      if (route.concurrency !== undefined) return met('bounded', 'concurrency');
      if (options.services[route.service].concurrency !== undefined)
        return { ...met('bounded by its service'), where: ['services', route.service, 'concurrency'] };
      return options.concurrency === undefined
        ? open('no bound', ['concurrency'])
        : { ...met('bounded with all others'), where: ['concurrency'] };
    }),
  },
  {
    name: 'listener-bounds',
    title: 'Heads, bodies and connections are bounded within reason',
    heading: 'limits',
    owasp: ['API4'],
    why: 'The defaults stop slow and large requests; a bound that nobody reaches stops nothing.',
    fix: 'take the bound away: its default is a good one',
    applies: 'every listener',
    judge: eachListener((listener) => bounds(listener.bounds)),
  },
  {
    name: 'service-timeouts',
    title: 'No service is waited for longer than a minute',
    heading: 'limits',
    owasp: ['API4', 'API10'],
    why: 'A service that hangs takes connections and memory with it, and in the end the other routes.',
    fix: 'timeout: 10s',
    applies: 'every service',
    judge: eachService(({ timeout }) =>
      timeout <= MINUTE ? met(`waited for ${span(timeout)}`, 'timeout') : open(`waited for ${span(timeout)}`, ['timeout']),
    ),
  },
  {
    name: 'retries-bounded',
    title: 'Retries do not multiply the load',
    heading: 'limits',
    owasp: ['API4', 'API10'],
    why: 'Many tries make of one slow moment an outage. POST and PATCH are never sent twice, whatever is written.',
    fix: 'retries: { tries: 2, budget: 20% }',
    applies: 'every service',
    judge: eachService(({ retries: { tries, budget } }) => {
      if (tries > 4) return open(`up to ${tries} tries`, ['retries', 'tries']);
      if (tries > 1 && budget > 0.5) return open(`up to ${Math.round(budget * 100)} % more requests`, ['retries', 'budget']);
      return met(tries === 1 ? 'no retries' : `${tries} tries, within a budget`, 'retries');
    }),
  },
];
