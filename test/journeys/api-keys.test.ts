/** API keys through the whole gateway: made by the command, sent by clients that attack, changed while requests run. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { newKey } from '../../src/authenticate/api-key/format.ts';
import { besideKeys, keyAttacks, keysBeside } from '../cases/api-keys.ts';
import { type Asker, http1Asker, http2Asker, type Question, type Reply } from '../support/ask.ts';
import { waitFor } from '../support/client.ts';
import { type Echo, fieldsOf, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { parseResponse, rawRequest } from '../support/raw.ts';

const run = promisify(execFile);
const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');
/** Generous: the machine may be ten times busier than usual. */
const PATIENCE_MS = 20_000;

let folder = '';
let echo: Echo;
let gateway: Gateway;
let askers: Asker[] = [];
let alice = '';

/** Runs `portcullis keys …`; gives back what it printed. */
async function keys(...argv: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [MAIN, 'keys', ...argv, '--keys', 'keys.yaml'], {
    cwd: folder,
    timeout: 120_000,
  });
  return stdout.trim();
}

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-api-keys-'));
  alice = await keys('create', '--id', 'alice', '--scopes', 'orders:read,orders:write', '--plan', 'free');
  echo = await startEcho();
  gateway = await startGateway(`
listeners:
  plain: { address: 127.0.0.1:0, bounds: { head-bytes: 64KiB } }
  secure: { address: 127.0.0.1:0, tls: self-signed, bounds: { head-bytes: 64KiB } }
services:
  echo: ${echo.url}
  trusting: { targets: ["${echo.url}"], credentials: forward }
authentication:
  partners: { api-key: { header: X-API-Key, keys: ${folder}/keys.yaml } }
  machines: { api-key: { header: x-machine-key, keys: ${folder}/keys.yaml } }
routes:
  - { path: /key/**, service: echo, authentication: [partners] }
  - { path: /either/**, service: echo, authentication: [partners, machines] }
  - { path: /forward/**, service: trusting, authentication: [partners] }
  - { path: /open/**, service: echo, authentication: none }
`);
  askers = [http1Asker(gateway.port('plain')), http2Asker(gateway.port('secure'))];
});

after(async () => {
  for (const asker of askers) asker.close();
  await gateway?.stop();
  await echo?.stop();
  await rm(folder, { recursive: true });
});

const withKey = (key: string, more: Question['headers'] = {}): Question => ({
  path: '/key/x',
  headers: { 'x-api-key': key, ...more },
});

/** Nothing of this may have come to the service. */
async function refused(question: () => Promise<Reply>, code = 'api-key-refused', status = 401): Promise<void> {
  const seen = echo.requests.length;
  const { status: got, headers, body } = await question();
  assert.equal(got, status, String(body));
  const problem = JSON.parse(String(body)) as Record<string, unknown>;
  assert.deepEqual([problem.code, problem.type], [code, `urn:portcullis:problem:${code}`]);
  if (status === 401) assert.equal(headers['www-authenticate'], 'ApiKey header="x-api-key"');
  assert.equal(echo.requests.length, seen, 'the service has seen it');
}

async function passes(asker: Asker, question: Question): Promise<Echo['requests'][number]> {
  const reply = await asker.ask(question);
  assert.equal(reply.status, 200, String(reply.body));
  return echo.requests[echo.requests.length - 1];
}

test('a key passes, over both versions of HTTP, in any case of the header, and goes no further', async () => {
  for (const asker of askers) {
    for (const name of ['x-api-key', 'X-API-KEY']) {
      const seen = await passes(asker, { path: '/key/x', headers: { [name]: alice } });
      assert.deepEqual(fieldsOf(seen, 'x-api-key'), []);
      assert.deepEqual(fieldsOf(seen, 'x-portcullis-caller'), ['partners']);
      assert.deepEqual(fieldsOf(seen, 'x-portcullis-subject'), ['alice']);
      assert.deepEqual(fieldsOf(seen, 'x-portcullis-scopes'), ['orders:read orders:write']);
      assert.ok(!seen.raw.includes(alice));
    }
    const seen = await passes(asker, { path: '/forward/x', headers: { 'x-api-key': alice } });
    assert.deepEqual(fieldsOf(seen, 'x-api-key'), [alice], 'the service asks for it');
  }
});

test('white space around the value is no part of it', async () => {
  const bytes = `GET /key/x HTTP/1.1\r\nHost: a\r\nX-Api-Key: \t ${alice} \t\r\nConnection: close\r\n\r\n`;
  assert.equal(parseResponse(await rawRequest(gateway.port('plain'), bytes, { timeout: PATIENCE_MS })).status, 200);
});

describe('instead of a key', () => {
  // The names are the same for every key; the values are made when there is one.
  for (const { name } of keyAttacks(newKey(), newKey())) {
    test(name, async () => {
      const value = keyAttacks(alice, newKey()).find((attack) => attack.name === name)?.value ?? assert.fail();
      const head = `GET /key/x HTTP/1.1\r\nHost: a\r\nX-Api-Key: ${value}\r\nConnection: close\r\n\r\n`;
      const seen = echo.requests.length;
      const answer = parseResponse(await rawRequest(gateway.port('plain'), head, { timeout: PATIENCE_MS }));
      assert.equal(answer.status, 401, String(answer.body));
      assert.ok(!String(answer.body).includes(alice.slice(4, 12)));
      assert.equal(echo.requests.length, seen);
      // HTTP/2 knows such bytes too; Node's client sends latin1.
      await refused(() => askers[1].ask(withKey(value)));
    });
  }

  test('nothing, or an empty value', async () => {
    for (const asker of askers) {
      await refused(() => asker.ask({ path: '/key/x' }), 'key-missing');
      await refused(() => asker.ask(withKey('')));
    }
  });

  test('a key that was never issued', async () => {
    for (const asker of askers) await refused(() => asker.ask(withKey(newKey())));
  });

  test('the key elsewhere: in the query, in Authorization, in a cookie, in the path, in the body, in another header', async () => {
    const basic = Buffer.from(`alice:${alice}`).toString('base64');
    const questions: Question[] = [
      { path: `/key/x?x-api-key=${alice}` },
      { path: `/key/x?api_key=${alice}&key=${alice}&access_token=${alice}` },
      { path: `/key/${newKey()}` },
      { path: '/key/x', headers: { authorization: `Bearer ${alice}` } },
      { path: '/key/x', headers: { authorization: `ApiKey ${alice}` } },
      { path: '/key/x', headers: { authorization: `Basic ${basic}` } },
      { path: '/key/x', headers: { cookie: `x-api-key=${alice}` } },
      {
        path: '/key/x',
        headers: { 'x-api-key-': alice, 'api-key': alice, apikey: alice, x_api_key: alice, 'x-machine-key': alice },
      },
      {
        path: '/key/x',
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `x-api-key=${alice}`,
      },
    ];
    for (const asker of askers) {
      for (const question of questions) await refused(() => asker.ask(question), 'key-missing');
    }
  });

  test('in a trailer', async () => {
    const head =
      'POST /key/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Api-Key\r\nConnection: close\r\n\r\n';
    const seen = echo.requests.length;
    const bytes = `${head}0\r\nX-Api-Key: ${alice}\r\n\r\n`;
    const answer = parseResponse(await rawRequest(gateway.port('plain'), bytes, { timeout: PATIENCE_MS }));
    assert.equal(answer.status, 401);
    assert.equal(echo.requests.length, seen);
  });
});

test('two fields are refused, also when both are right, and so are two credentials', async () => {
  for (const asker of askers) {
    for (const values of [
      [alice, alice],
      [newKey(), alice],
      [alice, ''],
    ]) {
      await refused(() => asker.ask({ path: '/key/x', headers: { 'x-api-key': values } }), 'credentials-ambiguous');
    }
  }
  for (const asker of askers) {
    const seen = echo.requests.length;
    const both = await asker.ask({ path: '/either/x', headers: { 'x-api-key': alice, 'x-machine-key': alice } });
    assert.equal(both.status, 401);
    assert.equal(echo.requests.length, seen);
    const one = await passes(asker, { path: '/either/x', headers: { 'x-machine-key': alice } });
    assert.deepEqual(fieldsOf(one, 'x-portcullis-caller'), ['machines']);
  }
});

test('beside the key, a second one or what reads like one is refused wherever it stands', async () => {
  const all = keysBeside(alice, newKey());
  const challenge = ['ApiKey header="x-api-key"'];
  for (const asker of askers) {
    for (const { name, target = '', headers } of all) {
      const seen = echo.requests.length;
      for (const value of [alice, '']) {
        const reply = await asker.ask({ path: `/key/x${target}`, headers: { 'x-api-key': value, ...headers } });
        const { code } = JSON.parse(String(reply.body)) as { code: string };
        assert.deepEqual([reply.status, code], [401, 'credentials-ambiguous'], `${asker.name}: ${name}`);
        assert.deepEqual([reply.headers['www-authenticate']].flat(), challenge);
      }
      assert.equal(echo.requests.length, seen, name);
    }
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])
    assert.equal((await askers[0].ask({ method, path: `/key/x?api_key=${alice}`, headers: { 'x-api-key': alice } })).status, 401);
});

test('beside the key, what is none arrives', async () => {
  for (const asker of askers) {
    for (const { name, target = '', headers = {} } of besideKeys(alice)) {
      const seen = await passes(asker, { path: `/key/x${target}`, headers: { 'x-api-key': alice, ...headers } });
      const text = seen.raw.toString('latin1');
      for (const value of [target, ...Object.values(headers).flat()]) assert.ok(text.includes(value), `${name}: ${text}`);
    }
  }
});

test('an open route looks at no key', async () => {
  for (const asker of askers) await passes(asker, { path: '/open/x', headers: { 'x-api-key': 'nonsense' } });
});

test('the record says why, and who, and never the key', async () => {
  const old = await keys('create', '--id', 'to-revoke');
  const [asker] = askers;
  await until(async () => (await asker.ask(withKey(old))).status === 200, 'the new key was not read');
  await keys('revoke', '--id', 'to-revoke');
  await until(async () => (await asker.ask(withKey(old))).status === 401, 'the revoked key still works');
  await asker.ask({ path: '/key/why', headers: { 'x-api-key': newKey() } });
  await asker.ask({ path: '/key/why', headers: { 'x-api-key': alice.toLowerCase() } });
  await asker.ask({ path: '/key/why', headers: { 'x-api-key': old } });
  await asker.ask({ path: '/key/why', headers: { 'x-api-key': alice } });
  let text = '';
  await until(async () => {
    text = await readFile(path.join(gateway.dir, 'access.jsonl'), 'utf8');
    return text.split('\n').filter((line) => line.includes('/key/why')).length === 4;
  }, 'four records');
  const records = text.split('\n').filter((line) => line.includes('"/key/why"'));
  const told = records.map(
    (line) => JSON.parse(line) as { decision?: { room: string; code: string }; caller?: Record<string, unknown> },
  );
  assert.deepEqual(
    told.map(({ decision }) => decision?.code),
    ['api-key-unknown', 'api-key-malformed', 'api-key-revoked', undefined],
  );
  assert.ok(told.slice(0, 3).every(({ decision }) => decision?.room === 'authenticate'));
  assert.deepEqual([told[3].caller?.by, told[3].caller?.name, told[3].caller?.subject], ['api-key', 'partners', 'alice']);
  for (const secret of [alice, old, alice.slice(0, 20), alice.toLowerCase().slice(4)]) {
    assert.ok(!text.includes(secret) && !gateway.stderr().includes(secret) && !gateway.stdout().includes(secret));
  }
});

describe('while requests run', () => {
  test('keys come, change and go, the file is replaced again and again, and no good request is refused', async () => {
    const [asker] = [http1Asker(gateway.port('plain'))];
    let stopped = false;
    let right = 0;
    const wrong: string[] = [];
    const worker = async (n: number): Promise<void> => {
      while (!stopped) {
        const { status, body } = await asker.ask({ path: `/key/${n}`, headers: { 'x-api-key': alice } });
        if (status === 200) right++;
        else wrong.push(`${status} ${String(body)}`);
      }
    };
    const workers = Array.from({ length: 8 }, (_, n) => worker(n));
    try {
      const good = await readFile(path.join(folder, 'keys.yaml'), 'utf8');
      // By rename, as the command does it; and what an editor may leave for a moment, written in place.
      for (let round = 0; round < 10; round++) {
        await writeFile(path.join(folder, 'next'), `${good}# round ${round}\n`, { mode: 0o600 });
        await rename(path.join(folder, 'next'), path.join(folder, 'keys.yaml'));
        await writeFile(path.join(folder, 'keys.yaml'), round % 2 === 0 ? good.slice(0, 60) : '');
        await new Promise((resolve) => setTimeout(resolve, 60));
        await writeFile(path.join(folder, 'keys.yaml'), good);
      }
      const carol = await keys('create', '--id', 'carol');
      await until(async () => (await asker.ask(withKey(carol))).status === 200, 'the new key was not read');
      const second = await keys('rotate', '--id', 'carol');
      await until(async () => (await asker.ask(withKey(second))).status === 200, 'the rotated key was not read');
      assert.equal((await asker.ask(withKey(carol))).status, 401, 'the old key has no grace');
      const third = await keys('rotate', '--id', 'carol', '--grace', '1h');
      await until(async () => (await asker.ask(withKey(third))).status === 200, 'the rotated key was not read');
      assert.equal((await asker.ask(withKey(second))).status, 200, 'the old key has its grace');
    } finally {
      stopped = true;
      await Promise.all(workers);
      asker.close();
    }
    assert.deepEqual(wrong.slice(0, 3), []);
    assert.ok(right > 50, `only ${right} requests`);
  });

  test('a revoked key stops within two seconds of the command', async () => {
    const [asker] = askers;
    const dave = await keys('create', '--id', 'dave');
    await until(async () => (await asker.ask(withKey(dave))).status === 200, 'the new key was not read');
    const began = performance.now();
    await keys('revoke', '--id', 'dave');
    const revoked = performance.now();
    await until(async () => (await asker.ask(withKey(dave))).status === 401, 'the revoked key still works');
    const took = performance.now() - revoked;
    // The command's own time says how busy the machine is.
    assert.ok(took < Math.max(2000, 4 * (revoked - began)), `${took} ms`);
  });

  test('a file that breaks is told in the log with line and column', async () => {
    const file = path.join(folder, 'keys.yaml');
    const good = await readFile(file, 'utf8');
    await writeFile(file, good.replace('"alice"', '"al ice"'));
    try {
      await waitFor(() => /keys\.yaml:3:11: id: an id is/.test(gateway.stderr()), 'nothing in the log', PATIENCE_MS);
      for (const asker of askers) assert.equal((await asker.ask(withKey(alice))).status, 200);
    } finally {
      await writeFile(file, good);
    }
  });
});

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
