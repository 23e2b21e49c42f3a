import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { keysInHeader, tokenClasses } from '../../../test/cases/tokens.ts';
import { inheritsNothing } from '../../../test/support/inherits.ts';
import {
  algorithms,
  audience,
  base64url,
  claims,
  foreign,
  issuer,
  keys,
  type Pair,
  signatureOf,
  token,
} from '../../../test/support/tokens.ts';
import type { Refusal } from '../../exchange/decision.ts';
import type { Caller, ConnectionInfo, Exchange } from '../../exchange/exchange.ts';
import { JwtMethod } from './jwt.ts';
import type { KeyAnswer, KeySource, VerificationKey } from './key-source.ts';
import { type JwtOptions, jwtOptions } from './options.ts';

/** Keys that a test holds in its hand. */
class Keys implements KeySource {
  known: VerificationKey[];
  asked = 0;
  /** What is answered instead. */
  instead: KeyAnswer | Promise<KeyAnswer> | undefined;

  constructor(pairs: readonly Pair[] = Object.values(keys)) {
    this.known = pairs.map(({ kid, alg, publicKey }) => ({ kid, algorithms: [alg], key: publicKey }));
  }

  find(kid: string | undefined, algorithm: string): KeyAnswer | Promise<KeyAnswer> {
    this.asked++;
    if (this.instead !== undefined) return this.instead;
    const found = this.known.filter((key) => (kid === undefined || key.kid === kid) && key.algorithms.includes(algorithm));
    return found.length === 0 ? 'unknown' : found;
  }

  ready = () => Promise.resolve();
  close() {}
  snapshot = () => ({ from: 'test', keys: this.known.length, read: 0, expires: undefined, failure: undefined });
}

const exchange = { connection: {} as ConnectionInfo } as Exchange;

class Bench {
  readonly keys = new Keys();
  now = Date.now();
  readonly method: JwtMethod;

  constructor(options: Partial<Record<keyof JwtOptions, unknown>> = {}) {
    const parsed = jwtOptions.parse({ issuer, audience, algorithms, ...options });
    this.method = new JwtMethod('staff', parsed, this.keys, { now: () => this.now });
  }

  verify(one: string): Caller | Refusal {
    const answer = this.method.verify(exchange, one);
    assert.ok(!(answer instanceof Promise), 'nothing waits');
    return answer;
  }

  code(one: string): string {
    const answer = this.verify(one);
    return 'kind' in answer ? answer.code : 'passed';
  }
}

for (const { name, stop, pass } of [...tokenClasses, keysInHeader('http://127.0.0.1:1')]) {
  test(`tokens: ${name}`, () => {
    const bench = new Bench();
    // Twice: what is kept of a token must not change what is said about it.
    for (let round = 0; round < 2; round++) {
      for (const [what, code, one] of stop) assert.equal(bench.code(one), code, what);
      for (const [what, one] of pass) assert.equal(bench.code(one), 'passed', what);
    }
    // Whether a bound token comes from its holder is asked each time.
    const kept = [...pass.map(([, one]) => one), ...stop.filter(([, code]) => code === 'token-bound').map(([, , one]) => one)];
    assert.equal(bench.method.cached.entries, new Set(kept).size);
  });
}

test('the caller is what the token says, and cannot be changed or polluted', () => {
  const one = token(claims({ scope: 'a b', plan: { name: 'pro' } }), { typ: 'JWT' });
  const caller = new Bench({ 'plan-claim': 'plan.name' }).verify(one) as Caller;
  assert.deepEqual([caller.by, caller.name, caller.subject, caller.header], ['jwt', 'staff', 'u-17', 'authorization']);
  assert.deepEqual([caller.scopes, caller.plan, caller.expires], [['a', 'b'], 'pro', (caller.claims.exp as number) * 1000]);
  assert.ok(inheritsNothing(caller.claims));
  assert.ok(inheritsNothing(caller.claims.plan));
  assert.ok(Object.isFrozen(caller) && Object.isFrozen(caller.scopes));
  assert.equal(new Bench({ 'plan-claim': 'plan' }).code(one), 'token-claims');
  assert.equal(new Bench({ 'plan-claim': 'none' }).code(one), 'passed');
});

test('a token that comes again costs no verification, and is the same caller', () => {
  const bench = new Bench();
  const one = token();
  const caller = bench.verify(one);
  assert.equal(bench.verify(one), caller);
  assert.equal(bench.method.cached.entries, 1);
});

test('a kept token ends with its exp, and counts again for nobody before its nbf', () => {
  const bench = new Bench();
  const second = Math.floor(bench.now / 1000);
  const one = token(claims({ iat: second, nbf: second, exp: second + 60 }), { typ: 'JWT' });
  assert.equal(bench.code(one), 'passed');
  bench.now = (second + 64) * 1000;
  assert.equal(bench.code(one), 'passed', 'within the skew');
  bench.now = (second + 65) * 1000;
  assert.equal(bench.code(one), 'token-expired');
  assert.equal(bench.method.cached.entries, 0);
  bench.now = (second - 6) * 1000;
  assert.equal(bench.code(one), 'token-not-yet-valid', 'the clock was put back');
  bench.now = (second - 5) * 1000;
  assert.equal(bench.code(one), 'passed');
  bench.now = (second - 6) * 1000;
  assert.equal(bench.code(one), 'token-not-yet-valid', 'the clock was put back, and the token kept');
});

test('a kept token counts for nothing once the issuer has no more the key that signed it', () => {
  const bench = new Bench();
  const one = token();
  assert.equal(bench.code(one), 'passed');
  const [gone] = bench.keys.known.splice(0, 1);
  assert.equal(bench.code(one), 'token-key-unknown');
  bench.keys.known.unshift({ ...gone, key: foreign.rs.publicKey });
  assert.equal(bench.code(one), 'token-signature', 'another key under the same kid');
  bench.keys.known[0] = { ...gone };
  assert.equal(bench.code(one), 'passed', 'the same key, read again');
  bench.keys.instead = 'unavailable';
  assert.equal(bench.code(one), 'keys-unavailable');
});

test('two tokens that differ in one character are two', () => {
  const bench = new Bench();
  const one = token(claims(), {}, keys.es);
  assert.equal(bench.code(one), 'passed');
  for (let at = 0; at < one.length; at++) {
    const other = `${one.slice(0, at)}${one[at] === 'A' ? 'B' : 'A'}${one.slice(at + 1)}`;
    assert.notEqual(bench.code(other), 'passed', `character ${at}`);
  }
});

test('where the keys are asked for, it waits; where nothing can be known, it says so', async () => {
  const bench = new Bench();
  const found = bench.keys.known.slice(0, 1);
  bench.keys.instead = Promise.resolve(found);
  const answer = bench.method.verify(exchange, token());
  assert.ok(answer instanceof Promise);
  assert.equal(((await answer) as Caller).subject, 'u-17');
  bench.keys.instead = Promise.resolve('unknown');
  assert.equal(((await bench.method.verify(exchange, token(claims({ sub: 'x' })))) as Refusal).code, 'token-key-unknown');
  bench.keys.instead = Promise.resolve('unavailable');
  const refusal = (await bench.method.verify(exchange, token(claims({ sub: 'y' })))) as Refusal;
  assert.deepEqual([refusal.code, refusal.status, refusal.headers], ['keys-unavailable', 503, ['retry-after', '5']]);
});

test('nothing of a token of somebody else makes us ask for keys', () => {
  const bench = new Bench();
  for (const one of ['a.b.c', 'opaque', token(claims({ iss: 'https://evil.test/' })), token(claims(), { alg: 'none' })])
    bench.code(one);
  assert.equal(bench.keys.asked, 0);
});

test('of several keys without kid only so many are tried', () => {
  const bench = new Bench();
  const [good] = bench.keys.known;
  const other = { ...good, key: foreign.rs.publicKey };
  bench.keys.instead = [other, other, good];
  assert.equal(bench.code(token(claims(), { kid: undefined })), 'passed');
  bench.keys.instead = [...Array.from({ length: 100 }, () => other), good];
  assert.equal(bench.code(token(claims({ sub: 'x' }), { kid: undefined })), 'token-signature');
});

test('a key is used for its own algorithms only, whatever its source hands out', () => {
  const bench = new Bench();
  const [good] = bench.keys.known;
  bench.keys.instead = [{ ...good, algorithms: ['PS256'] }];
  assert.equal(bench.code(token()), 'token-signature');
  bench.keys.instead = [{ ...good, key: keys.es.publicKey }];
  assert.equal(bench.code(token()), 'token-signature');
  bench.keys.instead = [{ ...good, key: keys.rs.privateKey }];
  assert.equal(bench.code(token()), 'token-signature');
});

test('the token’s word chooses among methods, and proves nothing', () => {
  const bench = new Bench();
  assert.equal(bench.method.accepts(token(claims(), {}, foreign.rs)), true);
  assert.equal(bench.method.accepts(token(claims({ iss: 'https://other.test/' }))), false);
  for (const one of ['opaque', '', '..', 'a.b.c', `${token()}.x`]) assert.equal(bench.method.accepts(one), false, one);
});

test('the cache is bounded whatever comes', () => {
  const bench = new Bench();
  for (let i = 0; i < 200; i++) bench.code(token(claims({ jti: `${i}`, filler: 'x'.repeat(3000) }), { typ: 'JWT' }, keys.ed));
  assert.ok(bench.method.cached.bytes < 16 * 1024 * 1024 && bench.method.cached.entries === 200);
});

/** A token of which something is changed, before or after it was signed. */
const changed = fc
  .record({
    pair: fc.constantFrom<Pair>(keys.rs, keys.es, keys.ed),
    header: fc.dictionary(
      fc.constantFrom('alg', 'typ', 'kid', 'x', 'jwk', 'cty'),
      fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom('JWT', 'RS256')),
      {
        maxKeys: 1,
      },
    ),
    payload: fc.dictionary(fc.constantFrom('iss', 'aud', 'exp', 'nbf', 'iat', 'sub', 'x'), fc.jsonValue({ maxDepth: 1 }), {
      maxKeys: 2,
    }),
    aud: fc.constantFrom(audience, [audience], ['x', audience]),
    mangle: fc.option(fc.record({ at: fc.nat(2000), to: fc.constantFrom(...'A_-=.+/ ~') }), { freq: 2 }),
    raw: fc.boolean(),
  })
  .map(({ pair, header, payload, aud, mangle, raw }) => {
    const text = JSON.stringify({ ...claims(), aud, ...payload });
    const head = JSON.stringify({ alg: pair.alg, kid: pair.kid, ...header });
    const signed = `${base64url(head)}.${base64url(raw ? ` ${text}` : text)}`;
    const whole = `${signed}.${base64url(signatureOf(signed, pair.alg, pair.privateKey))}`;
    if (mangle === null) return { pair, whole };
    const at = mangle.at % whole.length;
    return { pair, whole: whole.slice(0, at) + mangle.to + whole.slice(at + 1) };
  });

test('what passes here passes with jose: it is only ever stricter', async () => {
  const bench = new Bench();
  const counts = { both: 0, neither: 0 };
  await fc.assert(
    fc.asyncProperty(changed, async ({ pair, whole }) => {
      const verdict = await jwtVerify(whole, pair.publicKey, {
        issuer,
        audience,
        algorithms,
        clockTolerance: 5,
        requiredClaims: ['exp'],
      }).then(
        () => true,
        () => false,
      );
      const code = bench.code(whole);
      if (code === 'passed') assert.ok(verdict, `only jose refuses ${whole}`);
      // What must pass elsewhere and is refused here, is refused for a reason that jose does not know.
      if (verdict && code !== 'passed')
        assert.match(code, /^token-(?:malformed|header|type|claims|lifetime|key-unknown|not-yet-valid)$/, whole);
      counts[code === 'passed' ? 'both' : 'neither']++;
    }),
    { numRuns: 600 },
  );
  assert.ok(counts.both > 20 && counts.neither > 50, JSON.stringify(counts));
});
