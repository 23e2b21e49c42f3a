import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { checkText } from '../../src/config/load.ts';
import { Gateway } from '../../src/config/swap.ts';
import { order, type Place } from '../../src/pipeline/order.ts';
import { authorizeCases, type CaseCaller } from '../cases/authorize.ts';
import { claimsOf } from '../support/callers.ts';

/** The cases of the room over sockets: what is refused never reaches the service, and only the record says why. */

/** Stands where `authenticate` stands: the test says who calls, in a field of the request. */
const who: Place = {
  hook: 'authenticate',
  room: 'authenticate',
  why: 'test',
  prepare: async () => ({
    onRequestHead(x) {
      const at = x.head.headers.indexOf('x-who');
      const told = JSON.parse(Buffer.from(x.head.headers[at + 1], 'base64').toString()) as CaseCaller | 'none';
      if (told === 'none') return undefined;
      const { by = 'jwt', name = 'staff', subject, scopes = [], claims = {} } = told;
      x.caller = { by, name, subject, scopes, claims: claimsOf(claims) };
      return undefined;
    },
  }),
};

// The clock and the address of the client are the real ones here.
const cases = authorizeCases.filter(({ calls }) => calls.every(({ at, address }) => at === undefined && address === undefined));

const seen: string[] = [];
const service = http.createServer((request, answer) => {
  seen.push(request.url ?? '');
  answer.end('reached');
});
const log = { info() {}, warn() {}, error() {} };
const gateway = new Gateway({ log, order: order.map((place) => (place.hook === 'authenticate' ? who : place)) });
let port = 0;
let folder = '';

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-authorize-'));
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const method = (name: string) => ({ jwt: { issuer: `https://${name}.example.com`, audience: 'x', algorithms: ['RS256'] } });
  const configuration = {
    listeners: { plain: { address: '127.0.0.1:0' } },
    services: { s: `http://127.0.0.1:${(service.address() as AddressInfo).port}` },
    authentication: { staff: method('staff'), partners: method('partners') },
    observe: { access: path.join(folder, 'access.jsonl') },
    routes: cases.map((one, index) => ({
      host: `case-${index}.test`,
      path: one.path ?? '/x',
      service: 's',
      authentication: ['staff', 'partners'],
      authorize: one.rules,
    })),
  };
  const result = checkText('test.json', JSON.stringify(configuration), {});
  assert.ok(result.ok, JSON.stringify(result));
  await gateway.start(result.options);
  port = gateway.addresses().plain.port;
});

after(async () => {
  await gateway.drain();
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly challenge: string | undefined;
  readonly body: string;
  readonly id: string;
}

function ask(
  host: string,
  target: string,
  caller: CaseCaller | 'none',
  body?: readonly [string | undefined, string],
): Promise<Answer> {
  const type = body?.[0] === undefined ? {} : { 'content-type': body[0] };
  const headers = { ...type, host, 'x-who': Buffer.from(JSON.stringify(caller)).toString('base64') };
  return new Promise((resolve, reject) => {
    const request = http.request(
      { port, host: '127.0.0.1', path: target, headers, method: body === undefined ? 'GET' : 'POST' },
      (answer) => {
        let body = '';
        answer.on('data', (piece) => (body += piece));
        answer.on('end', () => {
          const { 'www-authenticate': challenge, 'x-request-id': id } = answer.headers;
          resolve({ status: answer.statusCode ?? 0, challenge, body, id: String(id) });
        });
      },
    );
    request.on('error', reject);
    request.end(body?.[1]);
  });
}

async function recordOf(id: string): Promise<{ decision?: { room: string; code: string; reason: string } }> {
  for (const end = performance.now() + 20_000; performance.now() < end; await wait(20)) {
    const lines = (await readFile(path.join(folder, 'access.jsonl'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
    const found = lines.find((line) => line.includes(id));
    if (found !== undefined) return JSON.parse(found);
  }
  return assert.fail(`no record of ${id}`);
}

suite('who may do what, over sockets', () => {
  for (const [index, one] of cases.entries()) {
    test(one.name, async () => {
      for (const call of one.calls) {
        seen.length = 0;
        const answer = await ask(`case-${index}.test`, call.target ?? '/x', call.caller ?? one.caller ?? 'none', call.body);
        const passes = call.gives === 'pass';
        assert.equal(answer.status, passes ? 200 : 403, JSON.stringify(call));
        assert.deepEqual(seen, passes ? [canonical(call.target ?? '/x')] : [], JSON.stringify(call));
        if (!passes) assert.equal((JSON.parse(answer.body) as { code: string }).code, 'forbidden');
      }
    });
  }
});

/** The path goes on in its canonical form, the query byte for byte. */
const canonical = (target: string) => target.replace('%61lice', 'alice');

test('the record names the rule, the answer does not', async () => {
  const index = cases.findIndex(({ name }) => name.startsWith('each owns its own'));
  const answer = await ask(`case-${index}.test`, '/users/bob', { subject: 'alice' });
  assert.equal(answer.status, 403);
  assert.doesNotMatch(answer.body, /owner|role|admin|claim/);
  assert.deepEqual((await recordOf(answer.id)).decision, {
    room: 'authorize',
    code: 'not-owner',
    reason: 'none of these: the parameter id is not what the claim sub says; none of the roles admin is in the claim roles',
  });
});

test('a token without the scope gets the challenge of RFC 6750', async () => {
  const index = cases.findIndex(({ name }) => name.startsWith('scopes are all needed'));
  const bearer = await ask(`case-${index}.test`, '/x', { by: 'jwt', scopes: ['orders:read'] });
  assert.equal(bearer.challenge, 'Bearer error="insufficient_scope", scope="orders:read orders:write"');
  const key = await ask(`case-${index}.test`, '/x', { by: 'api-key', scopes: ['orders:read'] });
  assert.deepEqual([key.status, key.challenge], [403, undefined]);
});
