import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { type Answered, FakeEgress, methodWorld } from '../../../test/support/method-world.ts';
import { createEgress } from '../../egress/direct.ts';
import { type KeySourceOptions, openKeySource } from './jwks.ts';
import { maxAgeOf } from './key-place.ts';
import type { KeyAnswer, KeySource } from './key-source.ts';
import { keysOptions } from './keys-options.ts';

const ISSUER = 'https://id.example.com';
const URL_OF_KEYS = 'https://id.example.com/jwks';
const S = 1000;
const M = 60 * S;
const H = 60 * M;

const JWK = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const jwksOf = (...kids: (string | undefined)[]) => ({ keys: kids.map((kid) => ({ ...JWK, kid })) });

/** An issuer whose keys the test changes, with all that surrounds it. */
async function setUp(t: TestContext, parts: Partial<KeySourceOptions> & { kids?: string[]; answer?: FakeEgress['answer'] } = {}) {
  const { kids = ['a'], answer, ...options } = parts;
  const state = { kids, headers: {} as Record<string, string>, down: false };
  const usual = (): Answered => (state.down ? 'cannot be reached' : { headers: state.headers, body: jwksOf(...state.kids) });
  const egress = new FakeEgress(answer ?? usual);
  const world = methodWorld(egress);
  t.after(() => world[Symbol.dispose]());
  const all = { issuer: ISSUER, jwks: URL_OF_KEYS, keys: keysOptions.parse({}), ...options };
  const source = await openKeySource(all, world);
  await source.ready();
  return { ...world, egress, state, source, options: all };
}

/** `keys` for an answer with keys. */
async function ask(source: KeySource, kid: string | undefined, algorithm = 'ES256'): Promise<string> {
  return word(await source.find(kid, algorithm));
}
const word = (answer: KeyAnswer) => (typeof answer === 'string' ? answer : answer.map((key) => key.kid ?? '-').join());

/** Lets everything run that waits for nothing outside. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('known keys', () => {
  test('are found at once, by kid, algorithm, or without a kid', async (t) => {
    const { source, egress } = await setUp(t, { kids: ['a', 'b'] });
    const found = source.find('b', 'ES256');
    assert.ok(Array.isArray(found) && found.length === 1 && found[0].kid === 'b');
    assert.equal(source.find('b', 'ES256'), found);
    assert.equal(word(source.find(undefined, 'ES256') as KeyAnswer), 'a,b');
    assert.equal(egress.count(), 1);
    assert.deepEqual(egress.calls[0].request.written, ['id.example.com']);
  });

  test('without kid serve only tokens without one', async (t) => {
    const { source } = await setUp(t, { answer: () => ({ body: jwksOf(undefined) }) });
    assert.equal(await ask(source, undefined), '-');
    assert.equal(await ask(source, 'a'), 'unknown');
    assert.equal(await ask(source, undefined, 'RS256'), 'unknown');
  });

  test('stay the same objects over a refresh, so that what they verified stays verified', async (t) => {
    const { source, clock, state, egress } = await setUp(t);
    const before = source.find('a', 'ES256') as readonly unknown[];
    state.kids = ['b', 'a'];
    clock.move(2 * H);
    void source.find('a', 'ES256');
    await settle();
    assert.equal(egress.count(), 2);
    assert.equal((source.find('a', 'ES256') as readonly unknown[])[0], before[0]);
  });

  test('that the issuer took back are unknown after the refresh', async (t) => {
    const { source, clock, state, log } = await setUp(t, { kids: ['a', 'b'] });
    state.kids = ['b'];
    clock.move(H);
    assert.equal(await ask(source, 'a'), 'a');
    await settle();
    assert.equal(await ask(source, 'a'), 'unknown');
    assert.match(log.text, /info the keys of an issuer have changed .*"added":0,"gone":1/);
  });
});

describe('a refresh', () => {
  const cases: [name: string, headers: Record<string, string>, notBefore: number, until: number][] = [
    ['without Cache-Control is due within ten minutes', {}, 8 * M, 9 * M],
    ['follows max-age', { 'cache-control': 'public, max-age=1800' }, 24 * M, 27 * M],
    ['counts what a cache has spent', { 'cache-control': 'max-age=1800', age: '600' }, 16 * M, 18 * M],
    ['is not more often than refresh-min', { 'cache-control': 'no-store' }, 48 * S, 54 * S],
    ['is not more often than refresh-min, whatever max-age says', { 'cache-control': 'max-age=0' }, 48 * S, 54 * S],
    ['is not more seldom than refresh-max', { 'cache-control': 'max-age=31536000, immutable' }, 48 * M, 54 * M],
  ];
  for (const [name, headers, notBefore, until] of cases) {
    test(name, async (t) => {
      const { source, clock, egress } = await setUp(t, { answer: () => ({ headers, body: jwksOf('a') }) });
      clock.move(notBefore - 1);
      void source.find('a', 'ES256');
      assert.equal(egress.count(), 1);
      clock.move(until - notBefore + 1);
      // Nobody waits for it: what is known answers.
      assert.equal(word(source.find('a', 'ES256') as KeyAnswer), 'a');
      assert.equal(egress.count(), 2);
      await settle();
    });
  }

  test('comes by itself, without any request', async (t) => {
    const keys = keysOptions.parse({ 'refresh-min': '1s', 'refresh-max': '1s' });
    const { egress } = await setUp(t, { keys });
    const end = performance.now() + 10_000;
    while (egress.count() < 3 && performance.now() < end) await wait(20);
    assert.ok(egress.count() >= 3);
  });

  test('reads max-age as RFC 9111 writes it', () => {
    const read = (text: string | undefined, age?: string) => maxAgeOf(text, age);
    assert.equal(read(undefined), undefined);
    assert.equal(read('public'), undefined);
    assert.equal(read('MAX-AGE="60"'), 60_000);
    assert.equal(read('s-maxage=5,max-age=60 , x'), 60_000);
    assert.equal(read('x-max-age=60'), undefined);
    assert.equal(read('max-age=-1'), undefined);
    assert.equal(read('max-age=99999999999999999999'), undefined);
    assert.equal(read('no-cache="x", max-age=60'), 0);
    assert.equal(read('max-age=60', '70'), 0);
    assert.equal(read('max-age=60', 'soon'), 60_000);
  });
});

describe('an unknown kid', () => {
  test('has the keys read once; all who ask meanwhile wait for that, and get the new key', async (t) => {
    const { source, state, egress } = await setUp(t);
    state.kids = ['a', 'b'];
    const answers = await Promise.all(Array.from({ length: 500 }, () => ask(source, 'b')));
    assert.deepEqual([...new Set(answers)], ['b']);
    assert.equal(egress.count(), 2);
  });

  test('ten thousand of them: one fetch per cool-down, and the others are told at once', async (t) => {
    const { source, clock, egress } = await setUp(t);
    const first = source.find('kid-0', 'ES256');
    assert.ok(first instanceof Promise);
    assert.equal(await first, 'unknown');
    for (let i = 1; i < 10_000; i++) {
      // 25 s in all.
      clock.move(2.5);
      assert.equal(source.find(`kid-${i}`, 'ES256'), 'unknown');
    }
    assert.equal(egress.count(), 2);
    clock.move(6 * S);
    assert.equal(await ask(source, 'another'), 'unknown');
    assert.equal(egress.count(), 3);
    assert.equal(await ask(source, 'a'), 'a');
  });

  test('that is known for another algorithm is unknown like any other', async (t) => {
    const { source, egress } = await setUp(t);
    assert.equal(await ask(source, 'a', 'RS256'), 'unknown');
    assert.equal(await ask(source, 'a', 'HS256'), 'unknown');
    assert.equal(await ask(source, 'a', 'none'), 'unknown');
    for (const kid of ['__proto__', 'constructor', '../../etc/passwd', "' OR 1=1", 'http://127.0.0.1/', '']) {
      assert.equal(await ask(source, kid), 'unknown');
    }
    assert.equal(egress.count(), 2);
  });

  test('that comes while a refresh is under way waits for it, and has one more made if it must', async (t) => {
    let calls = 0;
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { source, clock } = await setUp(t, {
      answer: async () => {
        calls++;
        if (calls === 1) return { body: jwksOf('a') };
        await gates[calls - 2].promise;
        return { body: calls === 2 ? jwksOf('a') : jwksOf('a', 'b') };
      },
    });
    clock.move(H);
    void source.find('a', 'ES256');
    const answers = Array.from({ length: 10 }, () => ask(source, 'b'));
    gates[0].resolve();
    await settle();
    assert.equal(calls, 3);
    gates[1].resolve();
    assert.deepEqual([...new Set(await Promise.all(answers))], ['b']);
    assert.equal(await ask(source, 'c'), 'unknown');
    assert.equal(calls, 3);
  });

  test('is not kept from being found for longer when the clock is set back', async (t) => {
    const { source, clock, state } = await setUp(t);
    await ask(source, 'b');
    clock.move(-365 * 24 * H);
    state.kids = ['b'];
    assert.equal(await ask(source, 'b'), 'b');
  });

  test('costs nobody else any time', async (t) => {
    let calls = 0;
    const { source } = await setUp(t, {
      answer: () => (++calls === 1 ? { body: jwksOf('a') } : new Promise<Answered>(() => {})),
    });
    const pending = source.find('b', 'ES256');
    assert.ok(pending instanceof Promise);
    assert.equal(word(source.find('a', 'ES256') as KeyAnswer), 'a');
  });
});

describe('an issuer that is down', () => {
  test('for an hour: known keys count, unknown ones do not, nothing is let in, and it is told once', async (t) => {
    const { source, clock, state, egress, log } = await setUp(t);
    state.down = true;
    for (let minute = 0; minute < 60; minute++) {
      clock.move(M);
      assert.equal(await ask(source, 'a'), 'a');
      assert.equal(await ask(source, `new-${minute}`), 'unknown');
      await settle();
    }
    const lines = log.lines.filter((line) => line.level === 'warn');
    assert.equal(lines.length, 1, log.text);
    assert.match(log.text, /cannot be read, the known ones are kept .*"reason":"id\.example\.com: cannot be reached"/);
    const { failure, read, expires, keys } = source.snapshot();
    assert.deepEqual([failure, keys], ['id.example.com: cannot be reached', 1]);
    assert.equal((expires as number) - (read as number), 24 * H);
    // One for each unknown kid at most, and one for each minute: the pause grows to that.
    assert.ok(egress.count() <= 140, String(egress.count()));
    state.down = false;
    state.kids = ['b'];
    clock.move(M);
    assert.equal(await ask(source, 'b'), 'b');
    assert.match(log.text, /info the keys of an issuer are read again/);
    assert.equal(source.snapshot().failure, undefined);
  });

  test('for longer than `stale`: nothing can be known, until it is back', async (t) => {
    const { source, clock, state, log } = await setUp(t);
    state.down = true;
    clock.move(24 * H - 1);
    assert.equal(await ask(source, 'a'), 'a');
    await settle();
    clock.move(M);
    assert.equal(await ask(source, 'a'), 'unavailable');
    assert.equal(await ask(source, 'b'), 'unavailable');
    clock.move(M);
    await ask(source, 'a');
    assert.equal(log.lines.filter((line) => line.level === 'error').length, 1, log.text);
    state.down = false;
    clock.move(M);
    assert.equal(await ask(source, 'a'), 'a');
  });

  test('from the start: nothing can be known, and the first answer changes that', async (t) => {
    let down = true;
    const { source, clock, log } = await setUp(t, { answer: () => (down ? 'cannot be reached' : { body: jwksOf('a') }) });
    assert.equal(source.find('a', 'ES256'), 'unavailable');
    assert.match(log.text, /cannot be read, its tokens get 503/);
    down = false;
    clock.move(10 * S);
    assert.equal(await ask(source, 'a'), 'a');
  });

  test('and answers nonsense: it is down', async (t) => {
    const nonsense: Answered[] = [
      { body: 'nothing' },
      { body: [] },
      { body: {} },
      { status: 500, body: jwksOf('evil') },
      { status: 302, body: jwksOf('evil') },
      { status: 204, body: jwksOf('evil') },
      { body: Buffer.from('{"keys":[],"keys":[]}') },
    ];
    let calls = 0;
    const { source, clock } = await setUp(t, { answer: () => (calls++ === 0 ? { body: jwksOf('a') } : nonsense[calls - 2]) });
    for (let i = 0; i < nonsense.length; i++) {
      clock.move(H);
      assert.equal(await ask(source, 'a'), 'a');
      await settle();
      assert.notEqual(source.snapshot().failure, undefined, JSON.stringify(nonsense[i]));
      assert.equal(await ask(source, 'evil'), 'unknown');
      await settle();
      calls = i + 2;
    }
  });

  test('is asked less and less often, at most once a minute, without anybody asking', async (t) => {
    const { source, clock, state, egress } = await setUp(t);
    state.down = true;
    clock.move(H);
    let last = egress.count();
    const attempts: number[] = [];
    for (let second = 0; second < 600; second++) {
      void source.find('a', 'ES256');
      await settle();
      if (egress.count() > last) attempts.push(second);
      last = egress.count();
      clock.move(S);
    }
    assert.ok(attempts.length >= 10 && attempts.length <= 26, attempts.join());
    assert.ok((attempts.at(-1) as number) - (attempts.at(-2) as number) >= 30, attempts.join());
  });

  test('that takes all its keys back has none', async (t) => {
    const { source, clock, state, log } = await setUp(t);
    state.kids = [];
    clock.move(H);
    await ask(source, 'a');
    await settle();
    assert.equal(await ask(source, 'a'), 'unknown');
    assert.match(log.text, /warn an issuer has no key that can be used/);
  });
});

describe('discovery', () => {
  const OIDC = 'https://id.example.com/tenant/.well-known/openid-configuration';
  const OAUTH = 'https://id.example.com/.well-known/oauth-authorization-server/tenant';
  const issuer = 'https://id.example.com/tenant';

  /** Answers by URL; the rest is 404. */
  const site =
    (pages: Record<string, unknown>) =>
    (url: URL): Answered => {
      const body = pages[url.href];
      if (typeof body === 'number') return { status: body, body: {} };
      return typeof body === 'string' ? body : body === undefined ? { status: 404, body: {} } : { body };
    };

  test('asks OpenID Connect first, then RFC 8414', async (t) => {
    const keys = { 'https://keys.example.net/k': jwksOf('a') };
    const metadata = { issuer, jwks_uri: 'https://keys.example.net/k' };
    const first = await setUp(t, { issuer, jwks: undefined, answer: site({ [OIDC]: metadata, ...keys }) });
    assert.equal(await ask(first.source, 'a'), 'a');
    assert.deepEqual(
      first.egress.calls.map((call) => call.url.href),
      [OIDC, 'https://keys.example.net/k'],
    );
    // What the issuer names is no permission to call this machine.
    for (const { request } of first.egress.calls) assert.deepEqual(request.written, ['id.example.com']);
    const second = await setUp(t, { issuer, jwks: undefined, answer: site({ [OAUTH]: metadata, ...keys }) });
    assert.equal(await ask(second.source, 'a'), 'a');
    assert.deepEqual(
      second.egress.calls.map((call) => call.url.href),
      [OIDC, OAUTH, 'https://keys.example.net/k'],
    );
  });

  test('keeps a slash at the end of the issuer out of the path and in the comparison', async (t) => {
    const metadata = { issuer: `${issuer}/`, jwks_uri: URL_OF_KEYS };
    const found = await setUp(t, {
      issuer: `${issuer}/`,
      jwks: undefined,
      answer: site({ [OIDC]: metadata, [URL_OF_KEYS]: jwksOf('a') }),
    });
    assert.equal(await ask(found.source, 'a'), 'a');
    const other = await setUp(t, { issuer, jwks: undefined, answer: site({ [OIDC]: metadata, [URL_OF_KEYS]: jwksOf('a') }) });
    assert.equal(await ask(other.source, 'a'), 'unavailable');
  });

  const lies: [name: string, pages: Record<string, unknown>, failure: RegExp][] = [
    ['metadata of another issuer', { [OIDC]: { issuer: 'https://evil.example', jwks_uri: URL_OF_KEYS } }, /another issuer/],
    ['metadata without issuer', { [OIDC]: { jwks_uri: URL_OF_KEYS } }, /another issuer/],
    ['an issuer that is a list', { [OIDC]: { issuer: [issuer], jwks_uri: URL_OF_KEYS } }, /another issuer/],
    ['no jwks_uri', { [OIDC]: { issuer } }, /no `jwks_uri`/],
    ['a jwks_uri that is none', { [OIDC]: { issuer, jwks_uri: 'keys' } }, /no `jwks_uri`/],
    ['a list', { [OIDC]: [] }, /not one JSON object/],
    ['a failure', { [OIDC]: 503, [OAUTH]: { issuer, jwks_uri: URL_OF_KEYS } }, /answered 503/],
    ['nothing at all', {}, /answered 404/],
  ];
  for (const [name, pages, failure] of lies) {
    test(`does not believe ${name}`, async (t) => {
      const { source } = await setUp(t, { issuer, jwks: undefined, answer: site({ ...pages, [URL_OF_KEYS]: jwksOf('a') }) });
      assert.equal(await ask(source, 'a'), 'unavailable');
      assert.match(source.snapshot().failure as string, failure);
    });
  }

  test('follows an issuer that moves its keys, and remembers where they are meanwhile', async (t) => {
    const pages: Record<string, unknown> = {
      [OIDC]: { issuer, jwks_uri: 'https://id.example.com/old' },
      'https://id.example.com/old': jwksOf('a'),
    };
    const { source, clock, egress } = await setUp(t, { issuer, jwks: undefined, answer: (url) => site(pages)(url) });
    clock.move(10 * M);
    await ask(source, 'b');
    assert.deepEqual(
      [egress.count(OIDC), egress.count('https://id.example.com/old')].map((count) => count >= 1),
      [true, true],
    );
    assert.equal(egress.count(OIDC), 1);
    pages[OIDC] = { issuer, jwks_uri: 'https://id.example.com/new' };
    pages['https://id.example.com/new'] = jwksOf('b');
    delete pages['https://id.example.com/old'];
    clock.move(10 * M);
    await ask(source, 'a');
    await settle();
    clock.move(10 * S);
    await ask(source, 'a');
    await settle();
    assert.equal(await ask(source, 'b'), 'b');
  });

  test('of this machine by somebody else is refused on the way out', async (t) => {
    let called = 0;
    const egress = createEgress({ allow: [], resolve: (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) });
    t.after(() => egress.close());
    const outer = site({ [OIDC]: { issuer, jwks_uri: 'http://127.0.0.1:6379/' } });
    const { source } = await setUp(t, {
      issuer,
      jwks: undefined,
      answer: async (url, request) => {
        if (url.hostname === 'id.example.com') return outer(url);
        called++;
        return await egress.fetch(url, request);
      },
    });
    assert.equal(called, 1);
    assert.match(source.snapshot().failure as string, /loopback, and nothing in the configuration permits it/);
  });
});

describe('a reload', () => {
  test('keeps the keys while somebody holds them, and ends them with the last', async (t) => {
    const { source, store, carry, egress, clock, log, options } = await setUp(t);
    const next = store.open();
    assert.equal(await openKeySource({ ...options, keys: keysOptions.parse({}) }, { carry: next, egress, clock, log }), source);
    carry.release();
    assert.equal(await ask(source, 'a'), 'a');
    assert.equal(egress.count(), 1);
    const other = await openKeySource(
      { ...options, keys: keysOptions.parse({ stale: '2h' }) },
      { carry: next, egress, clock, log },
    );
    assert.notEqual(other, source);
    next.release();
    assert.equal(store.size, 0);
  });
});

describe('a file', () => {
  async function fileWith(t: TestContext, text: string): Promise<string> {
    const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-jwks-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const file = path.join(dir, 'jwks.json');
    await writeFile(file, text);
    return file;
  }
  const inTime = async (done: () => boolean | Promise<boolean>) => {
    const end = performance.now() + 15_000;
    while (!(await done())) {
      assert.ok(performance.now() < end, 'not in time');
      await wait(20);
    }
  };

  test('is read when it changes, and keeps what it said while it cannot be read', async (t) => {
    const file = await fileWith(t, JSON.stringify(jwksOf('a')));
    const { source, egress, clock, log } = await setUp(t, { jwks: file });
    assert.equal(await ask(source, 'a'), 'a');
    await writeFile(`${file}.new`, JSON.stringify(jwksOf('b')));
    await rename(`${file}.new`, file);
    await inTime(async () => (await ask(source, 'b')) === 'b');
    await writeFile(file, '{"keys":');
    await inTime(() => source.snapshot().failure !== undefined);
    clock.move(365 * 24 * H);
    assert.equal(await ask(source, 'b'), 'b');
    assert.equal(source.snapshot().expires, undefined);
    await writeFile(file, JSON.stringify(jwksOf('c')));
    await inTime(async () => (await ask(source, 'c')) === 'c');
    assert.match(log.text, /read again/);
    assert.equal(egress.count(), 0);
  });

  test('that is not there, or says nothing, is a mistake in the configuration', async (t) => {
    await assert.rejects(
      setUp(t, { jwks: '/nowhere/jwks.json' }),
      /cannot be read from \/nowhere\/jwks\.json: there is no such file/,
    );
    await assert.rejects(setUp(t, { jwks: await fileWith(t, '[]') }), /cannot be read from .*: it is not one JSON object/);
    await assert.rejects(setUp(t, { jwks: tmpdir() }), /it is no file/);
  });
});
