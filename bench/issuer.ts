/**
 * `npm run bench:issuer`: what an issuer costs, in CPU, inside one process.
 *
 * 1. A known key: how long the look-up takes, and how much an unknown one that is not asked about again.
 * 2. An opaque token that is remembered, and one that the authorization server is asked about, over a real socket.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeIntrospection } from '../src/authenticate/introspection/introspection.ts';
import { introspectionOptions } from '../src/authenticate/introspection/options.ts';
import { openKeySource } from '../src/authenticate/jwt/jwks.ts';
import { keysOptions } from '../src/authenticate/jwt/keys-options.ts';
import { CarryStore } from '../src/config/carry.ts';
import { createEgress } from '../src/egress/direct.ts';
import { createLog } from '../src/observe/log.ts';
import { request } from '../test/support/corridor.ts';
import { keySet } from '../test/support/tokens.ts';
import { cpuOf, median } from './recorded.ts';

const ROUNDS = 30;
const LOOK_UPS = 100_000;
const REMEMBERED = 20_000;
const FRESH = 500;

const issuer = createServer((question, answer) => {
  answer.setHeader('content-type', 'application/json');
  const said = { active: true, sub: 'u-17', aud: 'orders', scope: 'orders:read', client_id: 'app' };
  question.resume().on('end', () => answer.end(JSON.stringify(question.url === '/jwks' ? keySet() : said)));
});
await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;

const egress = createEgress();
const carry = new CarryStore().open();
const world = { carry, egress, clock: { now: Date.now }, log: createLog() };

const source = await openKeySource({ issuer: 'https://id.test', jwks: `${url}/jwks`, keys: keysOptions.parse({}) }, world);
await source.ready();
await source.find('nobody', 'ES256');
const [{ kid }] = keySet().keys as { kid: string }[];
const algorithm = ['RS256', 'PS256', 'ES256', 'EdDSA'].find((one) => Array.isArray(source.find(kid, one))) as string;

const client = { id: 'gateway', secret: 'secret' };
const options = introspectionOptions.parse({
  endpoint: `${url}/introspect`,
  client,
  audience: 'orders',
  cache: { active: '1h' },
});
const method = await makeIntrospection('opaque', options, world);
const x = request();
await method.verify(x, 'remembered');

const rounds = (work: () => number): number => median(Array.from({ length: ROUNDS }, work));
const say = (what: string, micros: number) => console.log(`${what.padEnd(44)} ${micros.toFixed(2).padStart(8)} µs`);

const lookUp = (name: string, expected: boolean) => () =>
  cpuOf(LOOK_UPS, () => {
    for (let i = 0; i < LOOK_UPS; i++) if (Array.isArray(source.find(name, algorithm)) !== expected) throw new Error('wrong');
  });
say('a known key', rounds(lookUp(kid, true)));
say('an unknown one within the cool-down', rounds(lookUp('nobody', false)));
say(
  'an opaque token that is remembered',
  rounds(() =>
    cpuOf(REMEMBERED, () => {
      for (let i = 0; i < REMEMBERED; i++) if (method.verify(x, 'remembered') instanceof Promise) throw new Error('asked again');
    }),
  ),
);

// The authorization server answers in this process, so its part is in the figure.
const asked: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const before = process.cpuUsage();
  for (let i = 0; i < FRESH; i++) {
    const found = await method.verify(x, `${round}-${i}`);
    if ('kind' in found) throw new Error(found.reason);
  }
  const { user, system } = process.cpuUsage(before);
  asked.push((user + system) / FRESH);
}
say('one that is asked about, the server included', median(asked));

carry.release();
egress.close();
issuer.close();
