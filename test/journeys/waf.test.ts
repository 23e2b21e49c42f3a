/** The firewall over sockets: modes, options, places, bodies, answers, the record, and rule files that are wrong or change. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { type CatalogueEntry, catalogue } from '../../src/errors/catalogue.ts';
import { placesOf, type WafCase, wafRules } from '../cases/waf-rules.ts';
import { type AccessRecord, type Gateway, startGateway } from '../support/gateway.ts';
import { parseResponses, rawRequest, type RawResponse } from '../support/raw.ts';

const FILES = { 'rules.conf': wafRules, 'words.data': '# a list\nforbidden word\n' };

/** Says what came, and answers what the path asks for. */
const seen = new Map<string, string>();
const service = http.createServer((request, answer) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    seen.set(String(request.headers['x-case']), Buffer.concat(pieces).toString('latin1'));
    respond(new URL(request.url ?? '/', 'http://s'), answer);
  });
});
let gateway: Gateway;

function respond({ pathname }: URL, answer: http.ServerResponse): void {
  const kind = pathname.split('/').pop();
  if (kind === 'leak-field') return void answer.setHeader('x-leak', '1').end('ok');
  if (kind === 'leak-body') return void answer.setHeader('content-type', 'text/html').end('<p>ORA-01756: quoted string</p>');
  if (kind === 'leak-odd') return void answer.setHeader('content-type', 'Text/HTML;charset=utf-8;').end('<p>ORA-01756</p>');
  if (kind === 'leak-image') return void answer.setHeader('content-type', 'image/png').end('ORA-01756');
  if (kind === 'slow-image') return slowly(answer.setHeader('content-type', 'image/png'));
  answer.setHeader('content-type', 'text/plain').end('reached');
}

/** The second half comes only when the first has been asked for. */
let release: (() => void) | undefined;
function slowly(answer: http.ServerResponse): void {
  answer.write('first');
  release = () => answer.end('second');
}

const configuration = (port: number) => `
listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
services: { s: http://127.0.0.1:${port} }
waf:
  rules: [rules.conf]
  exclude: [{ id: 1001, target: "ARGS:free" }]
routes:
  - { path: /block/**, service: s, authentication: none }
  - { path: /detect/**, service: s, authentication: none, waf: { mode: detect } }
  - { path: /off/**, service: s, authentication: none, waf: { mode: "off" } }
  - { path: /paranoid/**, service: s, authentication: none, waf: { paranoia: 2 } }
  - { path: /patient/**, service: s, authentication: none, waf: { threshold: 10 } }
  - { path: /strict/**, service: s, authentication: none, waf: { threshold: 3 } }
  - { path: /without-id/**, service: s, authentication: none, waf: { exclude: [{ id: 1001 }] } }
  - { path: /without-range/**, service: s, authentication: none, waf: { exclude: [{ id: 1000-1009 }] } }
  - { path: /without-tag/**, service: s, authentication: none, waf: { exclude: [{ tag: attack-evil }] } }
  - { path: /without-target/**, service: s, authentication: none, waf: { exclude: [{ tag: attack-evil, target: "ARGS:json.note" }] } }
  - path: /patched/**
    service: s
    authentication: none
    waf: { extra: ['SecRule ARGS:id "!@rx ^[0-9]+$" "id:5001,phase:2,deny,msg:patch"'] }
  - path: /listed/**
    service: s
    authentication: none
    waf:
      deny: [{ methods: [DELETE] }, { headers: { user-agent: "*sqlmap*" } }]
      allow: [{ paths: ["/listed/hook"], addresses: [127.0.0.0/8], headers: { x-hook: "yes" } }]
  - { path: /listed-detect/**, service: s, authentication: none, waf: { mode: detect, deny: [{ methods: [DELETE] }] } }
  - { path: /small/**, service: s, authentication: none, waf: { body: 1KiB } }
  - { path: /large/**, service: s, authentication: none, body: 2MiB }
  - { path: /detect-small/**, service: s, authentication: none, waf: { mode: detect, body: 1KiB } }
`;

before(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway(configuration((service.address() as AddressInfo).port), { files: FILES });
});

after(async () => {
  await gateway?.stop();
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
});

type WafCode = Extract<keyof typeof catalogue, `waf-${string}`>;

interface Answer extends RawResponse {
  readonly marker: string;
  readonly code: string | undefined;
}

let count = 0;

async function send(route: string, one: WafCase): Promise<Answer> {
  const marker = `case-${count++}`;
  const target = `/${route}${one.target ?? '/x'}`;
  const length = one.body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(one.body, 'latin1')}`];
  const head = [`${one.method ?? 'GET'} ${target} HTTP/1.1`, 'Host: a.example', 'Connection: close', `X-Case: ${marker}`];
  const text = [...head, ...(one.headers ?? []), ...length].join('\r\n');
  const bytes = await rawRequest(gateway.port('plain'), `${text}\r\n\r\n${one.body ?? ''}`, { timeout: 20_000 });
  const [answer] = parseResponses(bytes);
  assert.ok(answer, `no answer to ${one.name}`);
  return { ...answer, marker, code: codeOf(answer) };
}

function codeOf({ headers, body }: RawResponse): string | undefined {
  if (headers.get('content-type') !== 'application/problem+json') return undefined;
  return (JSON.parse(body.toString('utf8')) as { code: string }).code;
}

async function recordOf(answer: Answer): Promise<AccessRecord> {
  const id = answer.headers.get('x-request-id');
  for (let want = 1; ; want++) {
    const found = (await gateway.records(want)).find(({ request_id }) => request_id === id);
    if (found !== undefined) return found;
  }
}

async function refused(route: string, one: WafCase, status: number, code: WafCode): Promise<Answer> {
  const answer = await send(route, one);
  assert.equal(answer.status, status, `${one.name}: ${answer.body.toString('utf8')}`);
  // The client is not told which room refused, nor why.
  assert.equal(answer.code, (catalogue[code] as CatalogueEntry).told ?? code);
  assert.deepEqual((await recordOf(answer)).decision?.code, code, one.name);
  assert.equal(seen.has(answer.marker), false, `${one.name} reached the service`);
  return answer;
}

async function passes(route: string, one: WafCase): Promise<Answer> {
  const answer = await send(route, one);
  assert.equal(answer.status, 200, `${one.name}: ${answer.body.toString('utf8')}`);
  assert.equal(seen.get(answer.marker), one.body ?? '', one.name);
  return answer;
}

suite('an attack is found wherever it stands, and the same request without it passes', () => {
  for (const [i, one] of placesOf('evil').entries()) {
    test(one.name, async () => {
      await refused('block', one, 403, 'waf-score');
      await passes('block', placesOf('good')[i]);
    });
  }
});

suite('options of routes', () => {
  const evil: WafCase = { name: 'evil', target: '/x?q=evil' };
  const naughty: WafCase = { name: 'naughty', target: '/x?q=naughty' };
  const note = (name: string): WafCase => ({
    name,
    method: 'POST',
    headers: ['Content-Type: application/json'],
    body: `{"${name}":["evil"]}`,
  });

  test('detect lets pass and says what it would have done; off looks at nothing', async () => {
    const { waf } = await recordOf(await passes('detect', evil));
    assert.deepEqual(waf, {
      matched: [1001, 949110],
      rules: [
        { id: 1001, target: 'ARGS:q', message: 'evil' },
        { id: 949110, target: 'TX:inbound_anomaly_score', message: 'Inbound Anomaly Score Exceeded' },
      ],
      score: 5,
      would: 949110,
    });
    assert.equal((await recordOf(await passes('off', evil))).waf, undefined);
  });

  test('paranoia and threshold, of the files and of a route', async () => {
    const odd: WafCase = { name: 'odd', target: '/x?q=odd' };
    await passes('block', odd);
    await refused('paranoid', odd, 403, 'waf-score');
    await passes('block', naughty);
    await refused('strict', naughty, 403, 'waf-score');
    await passes('patient', evil);
    await refused('patient', { name: 'twice', target: '/x?q=evil&r=evil' }, 403, 'waf-score');
  });

  test('rules left out by id, by range, by tag, and for one target', async () => {
    for (const route of ['without-id', 'without-range', 'without-tag']) await passes(route, evil);
    await passes('without-target', note('note'));
    await refused('without-target', note('other'), 403, 'waf-score');
    await refused('without-target', evil, 403, 'waf-score');
    // What the section leaves out holds for all.
    for (const route of ['block', 'without-target']) await passes(route, { name: 'free', target: '/x?free=evil' });
  });

  test('a virtual patch holds on its route alone', async () => {
    const patch: WafCase = { name: 'patch', target: '/x?id=1-1' };
    await refused('patched', patch, 403, 'waf-rule');
    await passes('patched', { name: 'number', target: '/x?id=11' });
    await passes('block', patch);
  });

  test('deny and allow', async () => {
    await refused('listed', { name: 'method', method: 'DELETE' }, 403, 'waf-denied');
    await refused('listed', { name: 'tool', headers: ['User-Agent: SQLMap/1.7'] }, 403, 'waf-denied');
    await refused('listed', evil, 403, 'waf-score');
    const hook: WafCase = { name: 'hook', target: '/hook?q=evil', headers: ['X-Hook: yes'] };
    await passes('listed', hook);
    await refused('listed', { ...hook, headers: [] }, 403, 'waf-score');
    await refused('listed', { ...hook, target: '/hook/more?q=evil' }, 403, 'waf-score');
    const watched = await recordOf(await passes('listed-detect', { name: 'watched', method: 'DELETE' }));
    assert.deepEqual(watched.waf, { would: 'waf-denied' });
  });
});

suite('bodies', () => {
  const post = (type: string, body: string): WafCase => ({
    name: `${type} ${body.slice(0, 30)}`,
    method: 'POST',
    headers: [`Content-Type: ${type}`],
    body,
  });

  test('larger than rules read: 413 where they block, read and recorded where they detect', async () => {
    const large = post('text/plain', 'x'.repeat(1500));
    await refused('small', large, 413, 'waf-body');
    await passes('small', post('text/plain', 'x'.repeat(1000)));
    await passes('detect-small', large);
    await refused('large', post('text/plain', 'x'.repeat(140_000)), 413, 'waf-body');
    await passes('large', post('text/plain', 'x'.repeat(130_000)));
    const file = `--b\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n${'x'.repeat(300_000)}\r\n--b--\r\n`;
    await passes('large', post('multipart/form-data; boundary=b', file));
  });

  const unreadable: WafCase[] = [
    post('application/json', '{"a":'),
    post('application/json', '{"a":1,"a":2}'),
    post('application/xml', '<a><b></a>'),
    post('application/xml', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    post('application/x-www-form-urlencoded', 'a=%zz'),
    post('multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'),
  ];
  for (const one of unreadable) {
    test(`that cannot be read: ${one.name}`, async () => {
      await refused('block', one, 400, 'waf-unreadable');
      const { waf } = await recordOf(await passes('detect', one));
      const { matched } = waf as { matched: number[] };
      assert.ok(
        matched.some((id) => id >= 200_002 && id <= 200_004),
        JSON.stringify(waf),
      );
    });
  }

  test('with more values than rules look at', async () => {
    const many = JSON.stringify(Array.from({ length: 1500 }, () => 1));
    await refused('block', post('application/json', many), 400, 'waf-unreadable');
    await passes('block', post('application/json', JSON.stringify(Array.from({ length: 900 }, () => 1))));
  });
});

suite('answers of services', () => {
  test('are refused with 502 for their head and their body', async () => {
    for (const target of ['/leak-field', '/leak-body', '/leak-odd']) {
      const answer = await send('block', { name: target, target });
      assert.deepEqual([answer.status, answer.code], [502, 'waf-response'], target);
      assert.ok(!answer.body.toString('latin1').includes('ORA-') && !answer.headers.has('x-leak'));
    }
    const watched = await send('detect', { name: 'watched', target: '/leak-body' });
    assert.equal(watched.body.toString('latin1'), '<p>ORA-01756: quoted string</p>');
    assert.equal((await recordOf(watched)).waf && ((await recordOf(watched)).waf as { would: number }).would, 959100);
    assert.equal((await send('off', { name: 'off', target: '/leak-body' })).status, 200);
  });

  test('of other types stream, unheld and unread', async () => {
    assert.equal((await send('block', { name: 'image', target: '/leak-image' })).status, 200);
    const request = http.get({ port: gateway.port('plain'), path: '/block/slow-image', host: '127.0.0.1' });
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    const [first] = (await once(answer, 'data')) as [Buffer];
    assert.equal(first.toString(), 'first');
    // The end may come with the second piece: it is listened for before.
    const end = once(answer, 'end');
    release?.();
    const [second] = (await once(answer, 'data')) as [Buffer];
    assert.equal(second.toString(), 'second');
    answer.resume();
    await end;
  });
});

suite('other protocols', () => {
  test('HTTP/2 is judged as HTTP/1 is', async () => {
    const client = http2.connect(`https://127.0.0.1:${gateway.port('secure')}`, { rejectUnauthorized: false });
    const ask = async (target: string, fields = {}, body = ''): Promise<number> => {
      const method = body === '' ? 'GET' : 'POST';
      const stream = client.request({ ':path': target, ':method': method, ...fields }, { endStream: body === '' });
      if (body !== '') stream.end(body);
      const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & { ':status': number }];
      stream.resume();
      await once(stream, 'end');
      return headers[':status'];
    };
    try {
      assert.equal(await ask('/block/x?q=evil'), 403);
      assert.equal(await ask('/block/x?q=good'), 200);
      assert.equal(await ask('/block/x', { cookie: ['a=1', 'b=evil'] }), 403);
      assert.equal(await ask('/block/x', { 'content-type': 'application/json' }, '{"a":"evil"}'), 403);
      assert.equal(await ask('/block/x', { 'content-type': 'application/json' }, '{"a":"good"}'), 200);
      assert.equal(await ask('/block/x', { 'x-phase-1': 'evil' }), 403);
    } finally {
      client.close();
    }
  });

  test('the handshake of a WebSocket is judged, and what follows flows', async () => {
    const sockets = new WebSocketServer({ server: service });
    sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(message)));
    try {
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port('plain')}/block/socket?q=good`);
      await once(socket, 'open');
      socket.send('evil is only text here');
      const [message] = (await once(socket, 'message')) as [Buffer];
      assert.equal(message.toString(), 'evil is only text here');
      socket.close();
      await once(socket, 'close');
      const stopped = new WebSocket(`ws://127.0.0.1:${gateway.port('plain')}/block/socket?q=evil`);
      const [, answer] = (await once(stopped, 'unexpected-response')) as [unknown, http.IncomingMessage];
      assert.equal(answer.statusCode, 403);
      stopped.on('error', () => undefined);
      stopped.terminate();
    } finally {
      sockets.close();
    }
  });
});

suite('the record', () => {
  test('names rules and targets, and no value', async () => {
    const answer = await refused('block', { name: 'secret', target: '/x?token=evil-HUSHHUSH1' }, 403, 'waf-score');
    const record = await recordOf(answer);
    assert.deepEqual(record.decision, { room: 'waf', code: 'waf-score', reason: 'anomaly score 5 ≥ 5' });
    assert.deepEqual((record.waf as { matched: number[] }).matched, [1001, 949110]);
    assert.ok(!JSON.stringify(record.waf).includes('HUSHHUSH1') && !JSON.stringify(record.decision).includes('HUSHHUSH1'));
  });

  test('says what matched where `data` asks for it', async () => {
    const text = `
listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: http://127.0.0.1:${(service.address() as AddressInfo).port} }
waf: { rules: [rules.conf], data: true }
routes: [{ path: /**, service: s, authentication: none }]
`;
    await using other = await startGateway(text, { files: FILES });
    const status = (await fetch(`http://127.0.0.1:${other.port('plain')}/?q=evil%22%0a`)).status;
    assert.equal(status, 403);
    const [{ waf }] = await other.records(1);
    const { log } = waf as { log: string[] };
    assert.equal(log[0], '[id "1001"] [msg "evil"] [data "evil\\"\\x0a"] [target "ARGS:q"] [tag "attack-evil"]');
  });
});

suite('rule files', () => {
  const text = (rules: string) => `
listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: http://127.0.0.1:${(service.address() as AddressInfo).port} }
waf: { rules: ${rules} }
routes: [{ path: /**, service: s, authentication: none }]
`;
  const broken =
    'SecRule ARGS "@rx ok" "id:1,phase:2,deny"\n\nSecRule ARGS "@rx (" "id:2,phase:2,deny"\nSecRule ARGZ "@rx x" id:3\n';

  test('that are wrong are told with file, line and column, at the check and at the start', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-waf-'));
    try {
      await writeFile(path.join(dir, 'broken.conf'), broken);
      await writeFile(path.join(dir, 'portcullis.yaml'), text('[broken.conf]'));
      const main = path.resolve(import.meta.dirname, '../../src/main.ts');
      const run = promisify(execFile)(process.execPath, [main, 'check', '--config', path.join(dir, 'portcullis.yaml')]);
      const { code, stderr } = (await run.then(
        () => assert.fail('the check passes'),
        (error) => error as { code: number; stderr: string },
      )) as { code: number; stderr: string };
      assert.equal(code, 1);
      assert.match(stderr, /broken\.conf:4:9: /);
      await assert.rejects(startGateway(text('[broken.conf]'), { files: { 'broken.conf': broken } }), /broken\.conf:4:9: /);
      await assert.rejects(startGateway(text('[none.conf]')), /none\.conf/);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('that change are taken over, with their data and what they include; broken ones change nothing', async () => {
    await using other = await startGateway(text('[main.conf]'), {
      files: { ...FILES, 'main.conf': 'Include rules.conf\n' },
    });
    const ask = async (query: string) => (await fetch(`http://127.0.0.1:${other.port('plain')}/?${query}`)).status;
    const until = async (what: string, holds: () => Promise<boolean> | boolean) => {
      const end = performance.now() + 40_000;
      while (!(await holds())) {
        assert.ok(performance.now() < end, `${what}\n${other.stderr()}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const write = (name: string, content: string) => writeFile(path.join(other.dir, name), content);
    assert.deepEqual([await ask('q=evil'), await ask('q=harmless'), await ask('q=new+word')], [403, 200, 200]);
    await write('words.data', 'new word\n');
    await until('the data', async () => (await ask('q=new+word')) === 403);
    await write('rules.conf', wafRules.replace('@rx odd', '@rx odd|harmless').replace('"@lt 2"', '"@lt 1"'));
    await until('what is included', async () => (await ask('q=harmless')) === 403);
    await write('rules.conf', broken);
    await until('the log says why', () => /rules\.conf:4:9: /.test(other.stderr()));
    assert.deepEqual([await ask('q=evil'), await ask('q=harmless'), await ask('q=fine')], [403, 403, 200]);
  });
});
