/**
 * The configurations of ../shared/configs, which were written from the design before there was a gateway: they load as they are, and do
 * what they say. Only addresses that a machine may not have free, and paths from where a file stands, are replaced where they run.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { checkText } from '../../src/config/load.ts';
import { problemLine } from '../../src/config/problem.ts';
import { type Echo, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { rawRequest } from '../support/raw.ts';
import { NO_REDIS, startRedis } from '../support/redis.ts';
import { startService } from '../support/services.ts';
import { tlsFiles } from '../support/tls.ts';
import { claims, foreign, keySet, keys, token } from '../support/tokens.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SHARED = path.resolve(ROOT, '../shared/configs');
const names = existsSync(SHARED) ? readdirSync(SHARED).filter((name) => name.endsWith('.yaml')) : [];
const read = (name: string) => readFileSync(path.join(SHARED, name), 'utf8');

let folder = '';
let apiKey = '';
let echo: Echo;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-shared-'));
  await using certificates = await tlsFiles(['localhost']);
  const { certificate, key } = certificates.of('localhost');
  await cp(certificate, path.join(folder, 'cert.pem'));
  await cp(key, path.join(folder, 'key.pem'));
  apiKey = createKey();
  echo = await startEcho();
});
after(async () => {
  await echo?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** As the manual of the files says. */
function createKey(): string {
  const main = path.join(ROOT, 'src/main.ts');
  const argv = [main, 'keys', 'create', '--keys', path.join(folder, 'keys.yaml'), '--id', 'alice'];
  return execFileSync(process.execPath, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** With free ports, a record beside the file, and the rules from where they are. */
function runnable(name: string): string {
  return read(name)
    .replaceAll(/address: 127\.0\.0\.1:\d+/g, 'address: 127.0.0.1:0')
    .replaceAll(/http:\/\/127\.0\.0\.1:(?:9001|9100|18080)/g, echo.url)
    .replaceAll(/access: \S+\.jsonl/g, 'access: access.jsonl')
    .replaceAll('../crs/', `${path.resolve(SHARED, '../crs')}/`);
}

interface Asked {
  readonly method?: string;
  readonly fields?: readonly string[];
  readonly body?: string;
}

async function ask(gateway: Gateway, target: string, { method = 'GET', fields = [], body = '' }: Asked = {}): Promise<string> {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const head = [`${method} ${target} HTTP/1.1`, 'Host: a.test', 'Connection: close', ...fields, ...length];
  return (await rawRequest(gateway.port('plain'), `${head.join('\r\n')}\r\n\r\n${body}`)).toString();
}

const ATTACK = "1' UNION SELECT name, password FROM users -- ";

const statusOf = (answer: string) => Number(answer.split(' ', 2)[1]);

describe('the configurations written from the design', { skip: names.length === 0 && '../shared/configs is not there' }, () => {
  test('each loads as it is written', () => {
    assert.ok(names.length >= 5, names.join(' '));
    for (const name of names) {
      const result = checkText(path.join(folder, name), read(name), {});
      assert.deepEqual(result.ok ? [] : result.problems.map(problemLine), [], name);
    }
  });

  for (const name of names.filter((one) => !['profile.yaml', 'cluster.yaml'].includes(one))) {
    test(`${name} serves`, async () => {
      await using gateway = await startGateway(runnable(name));
      const answer = await ask(gateway, '/any/thing?a=1', {
        method: 'POST',
        fields: ['Content-Type: application/json', 'Accept: */*', 'User-Agent: test'],
        body: '{"hello":1}',
      });
      assert.equal(statusOf(answer), 200, answer);
      assert.equal(echo.requests.at(-1)?.target, '/any/thing?a=1');
      assert.equal(echo.requests.at(-1)?.body.toString(), '{"hello":1}');
      assert.equal((await gateway.records(1))[0].http.status, 200);
    });
  }

  test('bench-waf.yaml refuses an attack by the rules that it names', async () => {
    await using gateway = await startGateway(runnable('bench-waf.yaml'), { timeout: 60_000 });
    const before = echo.requests.length;
    const json = { method: 'POST', fields: ['Content-Type: application/json', 'User-Agent: test', 'Accept: */*'] };
    const attack = await ask(gateway, '/any/thing', { ...json, body: JSON.stringify({ a: ['x', ATTACK] }) });
    assert.equal(statusOf(attack), 403, attack);
    const query = await ask(gateway, `/any/thing?q=${encodeURIComponent(ATTACK)}`, { fields: json.fields.slice(1) });
    assert.equal(statusOf(query), 403, query);
    assert.equal(echo.requests.length, before, 'the service has seen one');
    const harmless = await ask(gateway, '/any/thing', { ...json, body: JSON.stringify({ a: ['x', "O'Brien selects tea"] }) });
    assert.equal(statusOf(harmless), 200, harmless);
    const [first] = await gateway.records(3);
    assert.equal(first.decision?.code, 'waf-score');
    const { score, matched } = first.waf as { score: number; matched: number[] };
    assert.ok(matched.includes(942_100), JSON.stringify(first.waf));
    assert.equal(first.decision?.reason, `anomaly score ${score} ≥ 5`);
  });

  test('crs-tests.yaml lets an attack pass, and records the rules that found it', async () => {
    await using gateway = await startGateway(runnable('crs-tests.yaml'), { timeout: 60_000 });
    const answer = await ask(gateway, `/any/thing?q=${encodeURIComponent(ATTACK)}`, {
      fields: ['User-Agent: test', 'Accept: */*'],
    });
    assert.equal(statusOf(answer), 200, answer);
    const [record] = await gateway.records(1);
    assert.equal(record.decision, undefined);
    const { matched, would } = record.waf as { matched: number[]; would?: number };
    assert.ok(matched.includes(942_100) && would === 949_110, JSON.stringify(record.waf));
  });

  test('cluster.yaml counts tenants in the store', { skip: NO_REDIS }, async () => {
    await using redis = await startRedis();
    await using gateway = await startGateway(runnable('cluster.yaml').replace('redis://127.0.0.1:6399', redis.url));
    const tenant = (name: string) => ask(gateway, '/x', { fields: [`X-Tenant: ${name}`] });
    for (const name of ['blue', 'green']) {
      const answer = await tenant(name);
      assert.equal(statusOf(answer), 200, answer);
      assert.match(answer, /ratelimit-policy: "all";q=200;w=1\r\n/i);
      assert.match(answer, /ratelimit: "all";r=199/i);
    }
    assert.match(await redis.command('DBSIZE'), /^:[1-9]/);
  });

  test('profile.yaml does what each of its routes says', async () => {
    await using issuer = await startService((_request, answer) => {
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify(keySet()));
    });
    const text = runnable('profile.yaml')
      .replace('http://127.0.0.1:9101', issuer.url)
      .replace(/\b(?:cert\.pem|key\.pem|keys\.yaml)\b/g, (name) => path.join(folder, name));
    await using gateway = await startGateway(text);
    const bearer = (other: Record<string, unknown>, pair = keys.es) => ({
      fields: [`Authorization: Bearer ${token(claims({ aud: 'adv-api', ...other }), {}, pair)}`],
    });
    const json = (body: string) => ({ method: 'POST', fields: ['Content-Type: application/json'], body });
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    const cases: [target: string, asked: Asked, status: number][] = [
      ['/public/a', {}, 200],
      ['/public/a', { ...json('x'.repeat(1024 * 1024 + 1)) }, 413],
      ['/nowhere', {}, 404],
      ['/admin', {}, 401],
      ['/admin', bearer({ scope: 'admin:read' }), 200],
      ['/admin/x', bearer({ scope: 'admin:read' }, keys.rs), 200],
      ['/admin/x', bearer({ scope: 'orders:read' }), 403],
      ['/admin', bearer({ scope: 'admin:read', aud: 'other' }), 401],
      ['/admin', bearer({ scope: 'admin:read' }, foreign.es), 401],
      ['/key/a', {}, 401],
      ['/key/a', { fields: [`X-Api-Key: ${apiKey}`] }, 200],
      ['/upload', json('{"a":1}'), 200],
      ['/upload', json(nested(32)), 200],
      ['/upload', json(nested(33)), 413],
      ['/upload', json('{"a":1,"a":2}'), 400],
      ['/upload', json(`"${'x'.repeat(64 * 1024)}"`), 413],
      ['/upload', { method: 'POST', fields: ['Content-Type: text/plain'], body: 'a' }, 415],
      ['/upload', {}, 405],
      ['/waf/a', {}, 200],
      ["/waf/a?name=O'Brien&comment=select+a+union", {}, 200],
      ['/waf/a', json('{"name":"O\'Brien","comment":"1 < 2, and <b>"}'), 200],
      [`/waf/a?q=${encodeURIComponent(ATTACK)}`, {}, 403],
      ['/waf/a', json(JSON.stringify({ a: [{ b: ATTACK }] })), 403],
      ['/waf/a', json('{"a":"<script>alert(document.cookie)</script>"}'), 403],
      ['/waf/../../etc/passwd', {}, 400],
      [`/public/a?q=${encodeURIComponent(ATTACK)}`, {}, 200],
    ];
    for (const [target, asked, status] of cases) {
      const answer = await ask(gateway, target, asked);
      assert.equal(statusOf(answer), status, `${target} ${JSON.stringify(asked).slice(0, 200)}\n${answer.slice(0, 1000)}`);
    }
    const limited: number[] = [];
    for (let i = 0; i < 8; i++) limited.push(statusOf(await ask(gateway, '/limited/a')));
    assert.deepEqual(limited.slice(0, 5), [200, 200, 200, 200, 200]);
    assert.ok(limited.includes(429), limited.join(' '));
  });
});
