/**
 * `npm run bench:authenticate`: what a token costs, in CPU, inside one process.
 *
 * 1. Tokens that were seen before: the same recorded exchanges walk a route without and with authentication and a scope, in turn, and the
 *    difference of each pair counts. What goes to the service besides, and the credential that does not, is in it.
 * 2. Tokens that were never seen: the room beside the bare `crypto.verify` of the same signatures, in turn.
 */
import { constants, type KeyObject, verify } from 'node:crypto';
import { jwtOptions } from '../src/authenticate/jwt/options.ts';
import { JwtMethod } from '../src/authenticate/jwt/jwt.ts';
import type { KeyAnswer, KeySource, VerificationKey } from '../src/authenticate/jwt/key-source.ts';
import { Authentication } from '../src/authenticate/stage.ts';
import { authorizeOptions } from '../src/authorize/options.ts';
import { authorizeStage } from '../src/authorize/stage.ts';
import { Exchange } from '../src/exchange/exchange.ts';
import { ForwardRules } from '../src/exchange/forward.ts';
import type { AnswerSink, Call, CallHandle, Service } from '../src/exchange/service.ts';
import type { ClientSide } from '../src/pipeline/client.ts';
import { makePlan, type RoutePlan } from '../src/pipeline/plan.ts';
import type { Prepared, World } from '../src/pipeline/stage.ts';
import { Walk } from '../src/pipeline/walk.ts';
import { routeOptions } from '../src/route/options.ts';
import { routeStage } from '../src/route/stage.ts';
import { algorithms, audience, claims, issuer, keys, type Pair, token } from '../test/support/tokens.ts';

const EXCHANGES = 5000;
const ROUNDS = 60;
/** Tokens in use at the same time. */
const TOKENS = 500;
const FIRST = 1000;
const FIRST_ROUNDS = 20;

const HEADERS =
  'host|api.example.com|user-agent|Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0|accept|application/json|accept-language|de,en-US;q=0.7,en;q=0.3|accept-encoding|gzip, deflate, br, zstd|referer|https://app.example.com/orders|origin|https://app.example.com|cookie|session=8f14e45fceea167a; theme=dark; consent=yes|sec-fetch-dest|empty|sec-fetch-mode|cors|sec-fetch-site|same-site'.split(
    '|',
  );

const service: Service = {
  name: 'orders',
  call(_call: Call, answer: AnswerSink): CallHandle {
    answer.onHead(200, ['content-type', 'application/json'], 2);
    answer.onData(Buffer.from('{}'));
    answer.onEnd(undefined);
    return { resume: () => undefined, cancel: () => undefined };
  },
};

const refused = { count: 0 };
const client: ClientSide = {
  watcher: undefined,
  respond: () => void refused.count++,
  start: () => undefined,
  write: () => true,
  end: () => undefined,
  abort: () => undefined,
  upgrade: () => {
    throw new Error('nobody upgrades here');
  },
};
const owner = {
  ended: () => undefined,
  broke: (_x: Exchange, fault: unknown) => {
    throw fault;
  },
};

const world = { clock: { now: Date.now } } as unknown as World;

/** The keys at hand, found as the real source finds them. */
const found = new Map<string, readonly VerificationKey[]>(
  Object.values(keys).map(({ kid, alg, publicKey }) => [kid, [{ kid, algorithms: [alg], key: publicKey }]]),
);
const source: KeySource = {
  find: (kid): KeyAnswer => found.get(kid ?? '') ?? 'unknown',
  ready: () => Promise.resolve(),
  close: () => undefined,
  snapshot: () => ({ from: '', keys: found.size, read: 0, expires: undefined, failure: undefined }),
};

const options = jwtOptions.parse({ issuer, audience, algorithms });
const makeRoom = (): Authentication => new Authentication([new JwtMethod('staff', options, source, world.clock)]);

async function planWith(rooms: readonly Prepared[]): Promise<RoutePlan> {
  const route = await routeStage.prepare(routeOptions.parse({ path: '/orders/**' }), world, { methods: ['GET'] });
  return await makePlan(
    { path: '/orders/**', service, forward: new ForwardRules({ authority: 'orders.internal' }), bodyLimit: 1000 },
    [route, ...rooms],
  );
}

function exchange(i: number, one: string): Exchange {
  const connection = { listener: 'public', secure: true, peerAddress: '198.18.0.1', peerPort: 4711, serverName: undefined };
  const path = `/orders/${i}`;
  const host = 'api.example.com';
  // As the reader of a head makes it: a new text for each request.
  const authorization = Buffer.from(`Bearer ${one}`, 'latin1').toString('latin1');
  const headers = [...HEADERS, 'authorization', authorization];
  const head = { method: 'GET', rawTarget: path, version: '1.1', host, authority: host, path, query: 'a=1&b=2' } as const;
  return new Exchange(`${i}`, connection, { ...head, headers }, undefined);
}

const tokensOf = (pair: Pair, count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    token(claims({ sub: `user-${i}`, scope: 'orders:read orders:write profile', jti: crypto.randomUUID() }), {}, pair),
  );

function walk(plan: RoutePlan, tokens: readonly string[]): number {
  const exchanges = Array.from({ length: EXCHANGES }, (_, i) => exchange(i, tokens[i % tokens.length]));
  return cpuOf(EXCHANGES, () => {
    for (const x of exchanges) new Walk(x, client, plan, owner).begin();
  });
}

/** Microseconds of CPU for each: what else runs on this machine does not count, nor what was allocated before. */
function cpuOf(count: number, work: () => void): number {
  // Twice, so that the exchanges are old: copying them would be counted as work.
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Pairs of measurements; who goes first takes turns, because what one leaves behind the other finds. */
function pairs(rounds: number, one: () => number, other: () => number): [number, number][] {
  const warm = Math.ceil(rounds / 5);
  return Array.from({ length: rounds + warm }, (_, i): [number, number] => {
    if (i % 2 === 0) return [one(), other()];
    const second = other();
    return [one(), second];
  }).slice(warm);
}

async function again(pair: Pair): Promise<void> {
  const tokens = tokensOf(pair, TOKENS);
  const scope = await authorizeStage.prepare(authorizeOptions.parse({ scopes: ['orders:read'] }), world, { path: '/orders/**' });
  const [without, room] = [await planWith([]), makeRoom()];
  const withRoom = await planWith([room, ...(scope === undefined ? [] : [scope])]);
  const measured = pairs(
    ROUNDS,
    () => walk(without, tokens),
    () => walk(withRoom, tokens),
  );
  const cost = median(measured.map(([base, whole]) => whole - base));
  const base = median(measured.map(([one]) => one));
  console.log(
    `${pair.alg} seen before, with its scope  ${cost.toFixed(2).padStart(6)} µs beyond ${base.toFixed(2)} µs without (target 5)`,
  );
}

/** The same signatures, verified by `node:crypto` and nothing else. */
function bare(pair: Pair, tokens: readonly string[]): () => number {
  const parts = tokens.map((one) => {
    const dot = one.lastIndexOf('.');
    return [Buffer.from(one.slice(0, dot), 'latin1'), Buffer.from(one.slice(dot + 1), 'base64url')] as const;
  });
  const [hash, key] = argumentsFor(pair);
  return () =>
    cpuOf(parts.length, () => {
      for (const [signed, signature] of parts) if (!verify(hash, signed, key, signature)) throw new Error('not verified');
    });
}

function argumentsFor({ alg, publicKey }: Pair): [string | null, KeyObject | Parameters<typeof verify>[2]] {
  if (alg === 'EdDSA') return [null, publicKey];
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('ES')) return [hash, { key: publicKey, dsaEncoding: 'ieee-p1363' }];
  if (alg.startsWith('RS')) return [hash, publicKey];
  return [hash, { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }];
}

function first(pair: Pair): void {
  const tokens = tokensOf(pair, FIRST);
  const inRoom = (): number => {
    const room = makeRoom();
    const exchanges = tokens.map((one, i) => exchange(i, one));
    return cpuOf(tokens.length, () => {
      for (const x of exchanges) if (room.onRequestHead(x) !== undefined) throw new Error('refused');
    });
  };
  const measured = pairs(FIRST_ROUNDS, bare(pair, tokens), inRoom);
  const ratio = median(measured.map(([alone, whole]) => whole / alone));
  const [alone, whole] = [median(measured.map(([one]) => one)), median(measured.map(([, other]) => other))];
  console.log(
    `${pair.alg} never seen  ${whole.toFixed(1).padStart(6)} µs, ${ratio.toFixed(2)} × ${alone.toFixed(1)} µs of crypto.verify alone (target 1.3)`,
  );
}

for (const pair of [keys.rs, keys.es]) await again(pair);
for (const pair of [keys.rs, keys.es, keys.ps, keys.ed]) first(pair);
if (refused.count > 0) throw new Error(`${refused.count} requests were refused: that is not what was to be measured`);
