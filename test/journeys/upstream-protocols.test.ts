/** Every way to speak to a service, for clients of both versions of HTTP: what arrives there, and what comes back. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { type Asker, http1Asker, http2Asker } from '../support/ask.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import {
  bodyOf,
  hashOf,
  pattern,
  type RunningService,
  type ServiceHandler,
  type ServiceKind,
  startService,
} from '../support/services.ts';
import { type TlsFiles, tlsFiles } from '../support/tls.ts';

interface Seen {
  method: string;
  version: string;
  length: string | undefined;
  coding: string | undefined;
  bytes: number;
  hash: string;
}

/** A service with an answer of every kind. */
const handler: ServiceHandler = (request, answer) => {
  const { method, url = '', headers, httpVersion } = request;
  const size = Number(/\d+$/.exec(url)?.[0] ?? 0);
  const done = (body: Buffer) => {
    const { 'content-length': length, 'transfer-encoding': coding } = headers;
    const seen: Seen = { method: method ?? '', version: httpVersion, length, coding, bytes: body.length, hash: hashOf(body) };
    answer.setHeader('x-seen', JSON.stringify(seen));
    answer.setHeader('content-type', 'application/octet-stream');
    if (url.startsWith('/echo')) {
      answer.setHeader('content-length', body.length);
      answer.end(body);
    } else if (url.startsWith('/size/')) {
      answer.setHeader('content-length', size);
      answer.end(method === 'HEAD' ? undefined : pattern(size));
    } else if (url.startsWith('/pieces/')) Readable.from(pieces(pattern(size))).pipe(answer);
    else if (url === '/204') answer.writeHead(204).end();
    else if (url === '/304') answer.writeHead(304, { etag: '"x"' }).end();
    else if (url === '/trailers') {
      if (httpVersion !== '2.0') answer.setHeader('trailer', 'x-check');
      answer.write('with trailers');
      answer.addTrailers({ 'x-check': 'ok' });
      answer.end();
    } else if (url === '/hints') {
      answer.writeEarlyHints({ link: '</style.css>; rel=preload' });
      answer.end('after the hints');
    } else answer.writeHead(404).end();
  };
  // Without waiting for the rest of what is being sent.
  if (url.startsWith('/early')) {
    if (url === '/early/length') answer.setHeader('content-length', 9);
    answer.writeHead(413);
    answer.write('too');
    answer.end(' large');
  } else bodyOf(request).then(done, () => undefined);
};

function* pieces(whole: Buffer): Generator<Buffer> {
  for (let at = 0; at < whole.length; at += 50_000) yield whole.subarray(at, at + 50_000);
}

interface Way {
  readonly name: string;
  readonly kind: ServiceKind;
  /** Keys of the service besides its target. */
  readonly keys: string;
  readonly version: '1.1' | '2.0';
}

const ways: readonly Way[] = [
  { name: 'http1', kind: 'http', keys: '', version: '1.1' },
  { name: 'undici', kind: 'http', keys: 'client: undici', version: '1.1' },
  { name: 'https', kind: 'https', keys: 'tls: { ca: CA }', version: '1.1' },
  { name: 'undici-tls', kind: 'https', keys: 'tls: { ca: CA }, client: undici', version: '1.1' },
  { name: 'h2', kind: 'h2', keys: 'tls: { ca: CA }, protocol: h2', version: '2.0' },
  { name: 'auto-2', kind: 'both', keys: 'tls: { ca: CA }, protocol: auto', version: '2.0' },
  { name: 'auto-1', kind: 'https', keys: 'tls: { ca: CA }, protocol: auto', version: '1.1' },
  { name: 'h2c', kind: 'h2c', keys: 'protocol: h2c', version: '2.0' },
];

const services = new Map<string, RunningService>();
let files: TlsFiles;
let gateway: Gateway;
const askers: Asker[] = [];

before(async () => {
  files = await tlsFiles(['127.0.0.1']);
  const { certificate, key } = files.of('127.0.0.1');
  const tls = { cert: await readFile(certificate), key: await readFile(key) };
  for (const { name, kind } of ways) services.set(name, await startService(handler, { kind, tls }));
  const written = ways.map(({ name, keys }) => {
    const all = [`targets: [${services.get(name)?.url}]`, 'timeout: 5s', keys].filter(Boolean).join(', ');
    return `  ${name}: { ${all.replaceAll('CA', files.ca)} }`;
  });
  const routes = ways.map(
    ({ name }) => `  - { path: /**, host: ${name}.test, service: ${name}, authentication: none, body: 20MiB }`,
  );
  gateway = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
services:
${written.join('\n')}
routes:
${routes.join('\n')}
`);
  askers.push(http1Asker(gateway.port('plain')), http2Asker(gateway.port('secure')));
});

after(async () => {
  for (const asker of askers) asker.close();
  await gateway?.stop();
  for (const service of services.values()) await service.close();
  await files?.remove();
});

function seenOf(reply: { headers: Record<string, string | string[] | undefined> }): Seen {
  return JSON.parse(String(reply.headers['x-seen'])) as Seen;
}

for (const { name, version } of ways) {
  for (const [index, client] of ['HTTP/1.1', 'HTTP/2'].entries()) {
    describe(`${client} client, service by ${name}`, () => {
      const headers = { host: `${name}.test` };
      const ask: Asker['ask'] = (question) => askers[index].ask({ ...question, headers: { ...headers, ...question.headers } });

      test('GET, and the version that the service speaks', async () => {
        const reply = await ask({ path: '/size/5' });
        assert.equal(reply.status, 200);
        assert.deepEqual(reply.body, pattern(5));
        assert.equal(reply.headers['content-length'], '5');
        const { method, version: spoken, length, coding } = seenOf(reply);
        assert.deepEqual([method, spoken, length, coding], ['GET', version, undefined, undefined]);
      });

      for (const size of [0, 1, 100_000, 5_000_000]) {
        test(`POST of ${size} bytes, with a length both ways`, async () => {
          const body = pattern(size);
          const reply = await ask({ path: '/echo', method: 'POST', body });
          const seen = seenOf(reply);
          assert.deepEqual([seen.method, seen.bytes, seen.hash], ['POST', size, hashOf(body)]);
          // A POST without content tells so in HTTP/1; in HTTP/2 the end of its head does.
          assert.deepEqual([seen.length ?? '0', seen.coding], [String(size), undefined]);
          if (version === '1.1') assert.notEqual(seen.length, undefined);
          assert.equal(reply.headers['content-length'], String(size));
          assert.equal(hashOf(reply.body), hashOf(body));
        });
      }

      test('PUT in pieces without a length, and an answer in pieces', async () => {
        const body = pattern(300_001);
        const reply = await ask({ path: '/pieces/300001', method: 'PUT', body: Readable.from(pieces(body)) });
        const seen = seenOf(reply);
        assert.deepEqual([seen.method, seen.hash, seen.length], ['PUT', hashOf(body), undefined]);
        assert.equal(seen.coding, version === '2.0' ? undefined : 'chunked');
        assert.equal(hashOf(reply.body), hashOf(body));
        assert.equal(reply.headers['content-length'], undefined);
      });

      test('HEAD tells the length without a body', async () => {
        const reply = await ask({ path: '/size/77', method: 'HEAD' });
        assert.deepEqual([reply.status, reply.headers['content-length'], reply.body.length], [200, '77', 0]);
      });

      test('204 and 304 have no body and no length', async () => {
        for (const status of [204, 304]) {
          const reply = await ask({ path: `/${status}` });
          assert.deepEqual([reply.status, reply.body.length], [status, 0]);
          assert.equal(reply.headers['content-length'], undefined);
          assert.equal(reply.headers['transfer-encoding'], undefined);
          if (status === 304) assert.equal(reply.headers.etag, '"x"');
        }
      });

      test('interim answers are not passed on', async () => {
        const reply = await ask({ path: '/hints' });
        assert.deepEqual([reply.status, String(reply.body), [...reply.interim]], [200, 'after the hints', []]);
      });

      test('trailers pass on to HTTP/2 and stay out of the head', async () => {
        const reply = await ask({ path: '/trailers', headers: { te: 'trailers' } });
        assert.equal(String(reply.body), 'with trailers');
        assert.equal(reply.headers['x-check'], undefined);
        assert.equal(reply.trailers['x-check'], client === 'HTTP/2' ? 'ok' : undefined);
      });

      test('an answer in the midst of an upload arrives, and the next request is served', async () => {
        for (const path of ['/early/length', '/early/pieces']) {
          const reply = await ask({ path, method: 'POST', body: pattern(5_000_000) });
          assert.deepEqual([reply.status, String(reply.body)], [413, 'too large']);
        }
        const next = await ask({ path: '/echo', method: 'POST', body: 'next' });
        assert.equal(String(next.body), 'next');
      });

      test('Expect: 100-continue is the gateway’s matter', async () => {
        const reply = await ask({
          path: '/echo',
          method: 'POST',
          body: 'after the continue',
          headers: { expect: '100-continue' },
        });
        assert.deepEqual([reply.status, String(reply.body), [...reply.interim]], [200, 'after the continue', [100]]);
      });
    });
  }
}

describe('curl', () => {
  const curl = async (
    version: '1.1' | '2',
    name: string,
    path: string,
    body: Buffer,
  ): Promise<{ status: string; body: Buffer }> => {
    const base = version === '2' ? `https://127.0.0.1:${gateway.port('secure')}` : `http://127.0.0.1:${gateway.port('plain')}`;
    const fixed = [
      '-sS',
      '-k',
      '--max-time',
      '20',
      `--http${version}`,
      '-H',
      `Host: ${name}.test`,
      '-w',
      '%{stderr}%{http_code} %{http_version}',
    ];
    const child = spawn('curl', [...fixed, '--data-binary', '@-', `${base}${path}`], { stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, told]: Buffer[][] = [[], []];
    child.stdout.on('data', (piece: Buffer) => out.push(piece));
    child.stderr.on('data', (piece: Buffer) => told.push(piece));
    child.stdin.on('error', () => undefined).end(body);
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 0, String(Buffer.concat(told)));
    return { status: String(Buffer.concat(told)), body: Buffer.concat(out) };
  };

  for (const name of ['http1', 'undici', 'h2']) {
    for (const version of ['1.1', '2'] as const) {
      test(`uploads 5 MB over HTTP/${version} and gets them back, service by ${name}`, async () => {
        const body = pattern(5_000_000);
        const reply = await curl(version, name, '/echo', body);
        assert.deepEqual([reply.status, hashOf(reply.body)], [`200 ${version}`, hashOf(body)]);
      });

      test(`takes an early answer over HTTP/${version} for what it is, service by ${name}`, async () => {
        for (const path of ['/early/length', '/early/pieces']) {
          const reply = await curl(version, name, path, pattern(5_000_000));
          assert.deepEqual([reply.status, String(reply.body)], [`413 ${version}`, 'too large']);
        }
      });
    }
  }
});
