import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { keyAttacks } from '../../../test/cases/api-keys.ts';
import { request } from '../../../test/support/corridor.ts';
import { FakeEgress, methodWorld } from '../../../test/support/method-world.ts';
import type { Caller } from '../../exchange/exchange.ts';
import type { Method } from '../method.ts';
import { makeApiKey } from './api-key.ts';
import { createKey, type NewEntry, revokeKey, rotateKey } from './changes.ts';
import { newKey } from './format.ts';
import { createHashKey, HashKey, HashKeyError, readHashKey } from './hash-key.ts';
import { EMPTY, formatKeyFile, type KeyFile, KeyFileError } from './key-file.ts';
import { apiKeyOptions } from './options.ts';

const HOUR = 3_600_000;
const world = methodWorld(new FakeEgress(() => 'nobody is outside'));
const { clock, log } = world;

let folder = '';
let file: KeyFile = EMPTY;
let made: Method[] = [];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-keys-'));
  file = EMPTY;
  made = [];
  log.lines.length = 0;
  await createHashKey(hashKeyPath());
});
afterEach(async () => {
  for (const method of made) method.close?.();
  await rm(folder, { recursive: true });
});

const keysPath = () => path.join(folder, 'keys.yaml');
const hashKeyPath = () => path.join(folder, 'keys.yaml.key');
const hashKey = () => readHashKey(hashKeyPath());

async function issue(entry: NewEntry): Promise<string> {
  const issued = createKey(file, hashKey(), entry, clock.now());
  await write(issued.file);
  return issued.key;
}

/** As the command does: another file takes the place of the old one. */
async function write(changed: KeyFile): Promise<void> {
  file = changed;
  await writeFile(`${keysPath()}.new`, formatKeyFile(file));
  await rename(`${keysPath()}.new`, keysPath());
}

async function make(options: Record<string, unknown> = {}): Promise<Method> {
  const method = await makeApiKey('partners', apiKeyOptions.parse({ keys: keysPath(), ...options }), world);
  made.push(method);
  return method;
}

function verify(method: Method, key: string): Caller | string {
  const answer = method.verify(request(), key);
  assert.ok(!(answer instanceof Promise), 'nothing waits');
  return 'kind' in answer ? answer.code : answer;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < end, `${what}\n${log.text}`);
    await wait(5);
  }
}

describe('a key', () => {
  test('says who calls', async () => {
    const expires = new Date(clock.now() + HOUR).toISOString();
    const key = await issue({ id: 'alice', scopes: ['orders:read', 'x'], roles: ['admin'], plan: 'free', expires });
    const method = await make({ header: 'X-Partner-Key' });
    assert.deepEqual([method.name, method.place], ['partners', { kind: 'header', name: 'x-partner-key' }]);
    assert.equal(method.challenge, 'ApiKey header="x-partner-key"');
    const caller = verify(method, key) as Caller;
    assert.deepEqual(
      { ...caller, claims: { ...caller.claims } },
      {
        by: 'api-key',
        name: 'partners',
        subject: 'alice',
        scopes: ['orders:read', 'x'],
        claims: { id: 'alice', sub: 'alice', scope: 'orders:read x', roles: ['admin'], plan: 'free' },
        key: 'alice',
        plan: 'free',
        expires: clock.now() + HOUR,
        header: 'x-partner-key',
      },
    );
    assert.equal(Object.getPrototypeOf(caller.claims), null);
    assert.equal(verify(method, key), caller, 'one object for each key');
  });

  test('that is not the key is refused, whatever it is', async () => {
    const key = await issue({ id: 'alice' });
    const method = await make();
    for (const { name, value } of keyAttacks(key, newKey())) assert.equal(verify(method, value), 'api-key-malformed', name);
    assert.equal(verify(method, ''), 'api-key-malformed');
    assert.equal(verify(method, newKey()), 'api-key-unknown');
    assert.equal((verify(method, key) as Caller).subject, 'alice');
  });

  test('with an id like a member of every object is a key like others', async () => {
    const keys: [string, string][] = [];
    for (const id of ['constructor', 'toString', 'valueOf']) keys.push([id, await issue({ id })]);
    const method = await make();
    for (const [id, key] of keys) assert.equal((verify(method, key) as Caller).subject, id);
  });

  test('ends at its time, without anybody reading the file', async () => {
    const key = await issue({ id: 'alice', expires: new Date(clock.now() + HOUR).toISOString() });
    const method = await make();
    clock.move(HOUR - 1);
    assert.equal(typeof verify(method, key), 'object');
    clock.move(1);
    assert.equal(verify(method, key), 'api-key-expired');
  });

  test('that was rotated works as long as it was told, and never beyond its own end', async () => {
    const first = await issue({ id: 'alice', expires: new Date(clock.now() + 2 * HOUR).toISOString() });
    const rotation = { id: 'alice', until: clock.now() + HOUR, expires: 'never' };
    const { file: changed, key: second } = rotateKey(file, hashKey(), rotation, clock.now());
    await write(changed);
    const method = await make();
    assert.equal((verify(method, first) as Caller).expires, clock.now() + HOUR);
    assert.equal((verify(method, second) as Caller).expires, undefined);
    clock.move(HOUR);
    assert.equal(verify(method, first), 'api-key-expired');
    assert.equal(typeof verify(method, second), 'object');
  });

  test('that was rotated with more grace than it had left ends when it would have', async () => {
    const first = await issue({ id: 'alice', expires: new Date(clock.now() + HOUR).toISOString() });
    const rotation = { id: 'alice', until: clock.now() + 9 * HOUR, expires: 'never' };
    await write(rotateKey(file, hashKey(), rotation, clock.now()).file);
    const method = await make();
    clock.move(HOUR);
    assert.equal(verify(method, first), 'api-key-expired');
  });

  test('that was rotated without grace is unknown, and with it all that were before', async () => {
    const keys = [await issue({ id: 'alice' })];
    for (const until of [clock.now() + HOUR, clock.now() + HOUR, undefined]) {
      const rotated = rotateKey(file, hashKey(), { id: 'alice', until, expires: undefined }, clock.now());
      keys.push(rotated.key);
      await write(rotated.file);
    }
    const method = await make();
    assert.deepEqual(
      keys.slice(0, 3).map((key) => verify(method, key)),
      Array(3).fill('api-key-unknown'),
    );
    assert.equal(typeof verify(method, keys[3]), 'object');
  });

  test('that was revoked stops, and the one before it too', async () => {
    const first = await issue({ id: 'alice' });
    const rotated = rotateKey(file, hashKey(), { id: 'alice', until: clock.now() + HOUR, expires: undefined }, clock.now());
    await write(revokeKey(rotated.file, 'alice', clock.now()));
    const method = await make();
    for (const key of [first, rotated.key]) assert.equal(verify(method, key), 'api-key-revoked');
  });
});

describe('the file', () => {
  test('is read again when it changes', async () => {
    const alice = await issue({ id: 'alice' });
    const method = await make();
    const bob = await issue({ id: 'bob' });
    await until(() => typeof verify(method, bob) === 'object', 'bob was not read');
    await write(revokeKey(file, 'alice', clock.now()));
    await until(() => verify(method, alice) === 'api-key-revoked', 'alice was not revoked');
    assert.equal(typeof verify(method, bob), 'object');
  });

  test('that is broken, away, or of another hash key changes nothing, and the log says why', async () => {
    const alice = await issue({ id: 'alice' });
    const method = await make();
    const good = await readFile(keysPath(), 'utf8');
    const said = async (text: RegExp) => {
      await until(() => log.lines.some(({ level, message }) => level === 'error' && text.test(message)), `no log says ${text}`);
      assert.equal(typeof verify(method, alice), 'object');
    };
    await writeFile(keysPath(), good.replace('"alice"', '"__proto__"'));
    await said(/not read again, the old ones stay: .*keys\.yaml:3:11: id: an id is/);
    await rm(keysPath());
    await said(/keys\.yaml:1:1: there is no such file/);
    await writeFile(keysPath(), good.replace(/hmac-sha256\/\w+/, 'hmac-sha256/0000000000000000'));
    await said(/were hashed with another hash key/);
    await chmod(hashKeyPath(), 0o644);
    await writeFile(keysPath(), `${good}# changed\n`);
    await said(/keys\.yaml\.key is open to others \(mode 0644\): run `chmod 600 .*`/);
    await chmod(hashKeyPath(), 0o600);
    await write(revokeKey(file, 'alice', clock.now()));
    await until(() => verify(method, alice) === 'api-key-revoked', 'it did not recover');
    assert.ok(!log.text.includes(alice));
  });

  test('must be there, and right, at the beginning', async () => {
    await assert.rejects(
      make(),
      (error: Error) => error instanceof KeyFileError && /no such file .*keys create/.test(error.message),
    );
    await issue({ id: 'alice' });
    await writeFile(keysPath(), 'keys: 1\n');
    await assert.rejects(make(), /keys\.yaml:1:7: keys: the keys are a list/);
    await writeFile(keysPath(), Buffer.from([0xff, 0xfe]));
    await assert.rejects(make(), /not valid UTF-8/);
  });
});

describe('the hash key', () => {
  const refused = async (expected: RegExp) =>
    await assert.rejects(make(), (error: Error) => error instanceof HashKeyError && expected.test(error.message));

  test('must be there, whole, and closed to others', async () => {
    await issue({ id: 'alice' });
    const text = await readFile(hashKeyPath(), 'utf8');
    for (const mode of [0o604, 0o644, 0o666, 0o620, 0o601]) {
      await chmod(hashKeyPath(), mode);
      await refused(/open to others .*chmod 600/);
    }
    for (const mode of [0o600, 0o640, 0o400]) {
      await chmod(hashKeyPath(), mode);
      await make();
    }
    await chmod(hashKeyPath(), 0o600);
    for (const wrong of ['', text.slice(0, 20), `${text}more`, `${'='.repeat(43)}\n`, text.repeat(2)]) {
      await writeFile(hashKeyPath(), wrong);
      await refused(/is not a hash key/);
    }
    await rm(hashKeyPath());
    await refused(/is missing: .*put it back, or issue all keys anew/);
  });

  test('hashes by HMAC-SHA-256', () => {
    for (let i = 0; i < 300; i++) {
      const bytes = randomBytes(i % 2 === 0 ? 32 : 1 + (i % 64));
      const key = newKey();
      assert.equal(new HashKey(bytes).of(key), createHmac('sha256', bytes).update(key).digest('binary'));
    }
    for (const wrong of ['', 'short', newKey() + newKey()])
      assert.throws(() => new HashKey(randomBytes(32)).of(wrong), RangeError);
    assert.throws(() => new HashKey(randomBytes(65)), RangeError);
  });

  test('may lie elsewhere, and another one is told from it', async () => {
    const key = await issue({ id: 'alice' });
    await rename(hashKeyPath(), path.join(folder, 'elsewhere.key'));
    const method = await make({ 'hash-key': path.join(folder, 'elsewhere.key') });
    assert.equal(typeof verify(method, key), 'object');
    await createHashKey(hashKeyPath());
    await assert.rejects(make(), /keys\.yaml:1:1: its keys were hashed with another hash key/);
  });
});

test('the header is one of its own', () => {
  for (const header of [
    'authorization',
    'Cookie',
    'host',
    'x_api_key',
    'x api key',
    'x-portcullis-key',
    'XPortcullisKey',
    'x-request-id',
    'proxy-key',
    'X-Forwarded-Key',
    '',
    'x:y',
    'sec-key',
    'é',
  ]) {
    assert.equal(apiKeyOptions.safeParse({ keys: 'k', header }).success, false, header);
  }
  for (const header of ['apikey', 'X-API-Key', 'ocp-apim-subscription-key']) {
    assert.equal(apiKeyOptions.parse({ keys: 'k', header }).header, header.toLowerCase());
  }
});
