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
import { algorithms, audience, claims, issuer, keys, type Pair, token } from '../test/support/tokens.ts';
import { cpuOf, exchange, median, pairs, planWith, refused, walk, world } from './recorded.ts';

const ROUNDS = 60;
/** Tokens in use at the same time. */
const TOKENS = 500;
const FIRST = 1000;
const FIRST_ROUNDS = 20;

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

const tokensOf = (pair: Pair, count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    token(claims({ sub: `user-${i}`, scope: 'orders:read orders:write profile', jti: crypto.randomUUID() }), {}, pair),
  );

async function again(pair: Pair): Promise<void> {
  const credentials = tokensOf(pair, TOKENS).map((one) => `Bearer ${one}`);
  const scope = await authorizeStage.prepare(authorizeOptions.parse({ scopes: ['orders:read'] }), world, {
    path: '/orders/**',
    bodyLimit: 1000,
  });
  const [without, room] = [await planWith([]), makeRoom()];
  const withRoom = await planWith([room, ...(scope === undefined ? [] : [scope])]);
  const measured = pairs(
    ROUNDS,
    () => walk(without, 'authorization', credentials),
    () => walk(withRoom, 'authorization', credentials),
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
    const exchanges = tokens.map((one, i) => exchange(i, 'authorization', `Bearer ${one}`));
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
