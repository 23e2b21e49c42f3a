import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { after, before, describe, it, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { certificateCases } from '../cases/client-certificates.ts';
import { certificateFolder, replaceFile, type Shown, TestCa } from '../support/client-certificates.ts';
import { type Echo, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { Http2Visitor, rawVisit, visit } from '../support/mtls-client.ts';
import { rawRequest } from '../support/raw.ts';
import { type TlsFiles, tlsFiles } from '../support/tls.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const CLOSE = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';

let files: TlsFiles;
let echo: Echo;
let folder: Awaited<ReturnType<typeof certificateFolder>>;
let root: TestCa;
let other: TestCa;
let good: Shown;

before(async () => {
  files = await tlsFiles(['a.test', 'b.test', '*.wild.test,c.test,d.test']);
  echo = await startEcho({
    answer: ({ headers }) =>
      headers.some(([name]) => name.toLowerCase() === 'upgrade')
        ? 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'
        : undefined,
  });
  folder = await certificateFolder();
  root = await TestCa.root(folder.dir, 'root');
  other = await TestCa.root(folder.dir, 'other');
  good = await root.issue('good', { subject: '/O=Example/OU=ops/CN=billing', san: 'URI:spiffe://example.org/ns/shop/billing' });
});

after(async () => {
  await echo.stop();
  await files.remove();
  await folder[Symbol.asyncDispose]();
});

const pair = (name: string): string => `certificate: ${files.of(name).certificate}, key: ${files.of(name).key}`;

/** A gateway with this `tls`, and a route for callers by certificate under `/me`; all else is open. */
async function start(tls: string, more = '', top = ''): Promise<Gateway> {
  const listener = `listeners:\n  public:\n    address: 127.0.0.1:0\n    tls: ${tls}\n    ${more}\n${top}\n`;
  return await startGateway(`${listener}${rest()}`);
}

const rest = (): string => `services: { echo: '${echo.url}' }
authentication: { machines: { mtls: {} } }
routes:
  - { path: /**, service: echo, authentication: none }
  - { path: /me/**, service: echo, authentication: [machines] }
`;

/** Until it is so; the test's own limit is the limit. */
async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`not so after a minute: ${what}`);
    await wait(25);
  }
}

function headerOf(body: string, name: string): string | undefined {
  const { headers } = JSON.parse(body) as { headers: [string, string][] };
  return headers.find(([field]) => field.toLowerCase() === name)?.[1];
}

describe('what clients show', { timeout: 300_000 }, () => {
  let required: Gateway;
  let optional: Gateway;
  const shown = new Map<string, Shown>();

  before(async () => {
    const [middle, fake] = [await root.below('middle'), await root.below('fake', 'critical,CA:FALSE')];
    const low = await middle.below('low');
    const lowest = await low.below('lowest');
    const short = await root.below('short', 'critical,CA:TRUE,pathlen:0');
    const belowShort = await short.below('below-short');
    const narrow = await root.below('narrow', undefined, ['nameConstraints=critical,permitted;DNS:inside.test']);
    const dropped = await root.below('dropped');
    await root.revoke(dropped);
    const authorities = { root, middle, low, other, fake, lowest, short, belowShort, narrow, dropped };
    for (const one of certificateCases) shown.set(one.name, await one.make(authorities));
    const { other: _unlisted, ...listed } = authorities;
    const lists = Object.values(listed).map((ca) => ca.crl(folder.file(`${ca.certificate.split('/').at(-2)}.crl`)));
    const asked = `ca: ${root.certificate}, crl: [${(await Promise.all(lists)).join()}], depth: 2`;
    required = await start(`{ ${pair('a.test')}, client-certificates: { ${asked} } }`, '', 'admin: { address: 127.0.0.1:0 }');
    optional = await start(`{ ${pair('a.test')}, client-certificates: { ${asked}, mode: optional } }`);
  });

  after(async () => {
    await required.stop();
    await optional.stop();
  });

  for (const { name, code } of certificateCases) {
    for (const version of VERSIONS) {
      it(`${code ?? 'let in'}: ${name}, ${version}`, async () => {
        const [seen, client] = [echo.requests.length, { shown: shown.get(name), servername: 'a.test', version }];
        const strict = await visit({ ...client, port: required.port('public') });
        const lenient = await visit({ ...client, port: optional.port('public') });
        if (code === undefined) {
          assert.deepEqual([strict.status, lenient.status], [200, 200], strict.error);
          return;
        }
        assert.equal(strict.status, 0, 'the connection must end before any request is read');
        assert.deepEqual([lenient.status, lenient.code], [401, code], 'an open route too is closed to a bad certificate');
        assert.equal(echo.requests.length, seen);
      });
    }
  }

  for (const version of VERSIONS) {
    it(`no certificate, ${version}: refused with an alert, or let in where it need not show one`, async () => {
      const strict = await visit({ port: required.port('public'), servername: 'a.test', version });
      assert.match(String(strict.error), version === 'TLSv1.3' ? /CERTIFICATE_REQUIRED/ : /EPROTO|HANDSHAKE_FAILURE/);
      const port = optional.port('public');
      assert.equal((await visit({ port, servername: 'a.test', version })).status, 200);
      const mine = await visit({ port, servername: 'a.test', version, path: '/me' });
      assert.deepEqual([mine.status, mine.code], [401, 'certificate-missing']);
    });
  }

  it('what a client says in headers is no certificate', async () => {
    const pem = (await readFile(good.certificate, 'latin1')).replaceAll('\n', ' ').trim();
    for (const name of ['client-cert', 'x-forwarded-client-cert', 'x-ssl-client-cert', 'ssl-client-verify', 'x-client-cert']) {
      const forged = await visit({ port: optional.port('public'), servername: 'a.test', path: '/me', headers: { [name]: pem } });
      assert.deepEqual([forged.status, forged.code], [401, 'certificate-missing'], name);
    }
  });

  it('the caller is told to the service', async () => {
    const { body } = await visit({ port: required.port('public'), servername: 'a.test', path: '/me', shown: good });
    assert.equal(headerOf(body, 'x-portcullis-subject'), 'spiffe://example.org/ns/shop/billing');
    assert.equal(headerOf(body, 'x-portcullis-caller'), 'machines');
  });

  it('over HTTP/2 too', async () => {
    const visitor = new Http2Visitor({ port: required.port('public'), servername: 'a.test', shown: good });
    assert.equal((await visitor.ask('a.test', '/me')).status, 200);
    visitor.close();
    const stranger = new Http2Visitor({ port: required.port('public'), servername: 'a.test', shown: shown.get('revoked') });
    assert.equal((await stranger.ask('a.test')).status, 0);
    await stranger.closed;
  });

  it('who sends a chain of a hundred certificates in vain is not listened to for a while, others are', async () => {
    const { certificate, key } = await longChain(folder.file('long'), 30);
    await using gateway = await start(
      `{ ${pair('a.test')}, client-certificates: { ca: ${root.certificate} } }`,
      'bounds: { connections: 100 }',
    );
    const port = gateway.port('public');
    const guess = { port, servername: 'a.test', shown: { certificate, key } };
    const flood = await Promise.all(Array.from({ length: 20 }, () => visit(guess)));
    assert.ok(flood.every(({ status }) => status === 0));
    assert.equal((await visit({ port, servername: 'a.test', shown: good })).status, 0);
    assert.equal((await visit({ port, servername: 'a.test', shown: good, from: '127.0.0.2' })).status, 200);
    const records = await gateway.records(2);
    const codes = records.map(({ decision }) => decision?.code);
    assert.ok(codes.includes('certificate-untrusted') && codes.includes('handshake-failed'), codes.join());
  });

  it('without a name and a protocol in the handshake the verdict is the same', async () => {
    for (const [name, expected] of [
      ['by the root', /^HTTP\/1.1 200/],
      ['revoked', /^$/],
      ['of an unknown authority', /^$/],
    ] as const) {
      const { text } = await rawVisit({ port: required.port('public'), shown: shown.get(name), text: CLOSE });
      assert.match(text, expected, name);
    }
  });

  it('where the chain cannot be seen, OpenSSL decides, unless a depth has to be counted', async () => {
    const client = { shown: shown.get('by an intermediate authority, sent along'), text: CLOSE };
    assert.equal((await rawVisit({ ...client, port: required.port('public') })).text, '');
    assert.match((await rawVisit({ ...client, port: required.port('public'), alpn: ['http/1.1'] })).text, /^HTTP\/1.1 200/);
    await using lenient = await start(`{ ${pair('a.test')}, client-certificates: { ca: ${root.certificate} } }`);
    assert.match((await rawVisit({ ...client, port: lenient.port('public') })).text, /^HTTP\/1.1 200/);
    const alone = { ...client, shown: shown.get('an authority that is not sent along') };
    assert.equal((await rawVisit({ ...alone, port: lenient.port('public') })).text, '');
  });

  it('who is refused stands in the record and in the metrics, with why', async () => {
    await wait(1100);
    await visit({ port: required.port('public'), servername: 'a.test', shown: shown.get('revoked') });
    await until(async () => {
      const records = await required.records(1);
      return records.some(({ http, decision }) => http.status === 0 && decision?.code === 'certificate-revoked');
    }, 'a record of the refused handshake');
    const metrics = await (await fetch(`http://127.0.0.1:${required.port('admin')}/metrics`)).text();
    assert.match(metrics, /portcullis_[a-z_]*refused_total\{listener="public",code="certificate-revoked"\} [1-9]/);
  });

  it('curl and openssl are served by the same rules', async () => {
    const port = required.port('public');
    const curl = (...words: string[]) =>
      command('curl', [
        '-sk',
        '--max-time',
        '30',
        '--resolve',
        `a.test:${port}:127.0.0.1`,
        `https://a.test:${port}/me`,
        ...words,
      ]);
    const ok = await curl('--cert', good.certificate, '--key', good.key);
    assert.equal(ok.code, 0, ok.output);
    assert.equal(headerOf(ok.output, 'x-portcullis-caller'), 'machines');
    const revoked = shown.get('revoked') as Shown;
    assert.notEqual((await curl('--cert', revoked.certificate, '--key', revoked.key)).code, 0);
    assert.notEqual((await curl()).code, 0);
    const client = ['s_client', '-quiet', '-connect', `127.0.0.1:${port}`, '-servername', 'a.test'];
    const opened = await command('openssl', [...client, '-cert', good.certificate, '-key', good.key], CLOSE);
    assert.match(opened.output, /HTTP\/1\.1 200/);
    const closed = await command('openssl', client, CLOSE);
    assert.match(closed.output, /certificate required/);
    assert.doesNotMatch(closed.output, /HTTP\/1\.1/);
  });
});

/** A certificate of nobody we know, with so many authorities above it. */
async function longChain(dir: string, length: number): Promise<Shown> {
  let ca = await TestCa.root(dir, 'top');
  for (let i = 0; i < length; i++) ca = await ca.below(`below-${i}`);
  return await ca.issue('end', { chain: true });
}

/** A way to this port on which the first 400 bytes come one by one. */
async function dribble(port: number): Promise<{ port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const server = net.createServer((socket) => {
    const onward = net.connect(port, '127.0.0.1');
    onward.setNoDelay(true);
    let sent = 0;
    socket.on('data', (bytes: Buffer) => {
      socket.pause();
      void (async () => {
        for (; sent < 400 && bytes.length > 0; sent++, bytes = bytes.subarray(1)) {
          onward.write(bytes.subarray(0, 1));
          await new Promise(setImmediate);
        }
        if (bytes.length > 0) onward.write(bytes);
        socket.resume();
      })();
    });
    onward.on('data', (bytes) => socket.write(bytes));
    for (const [one, two] of [
      [socket, onward],
      [onward, socket],
    ]) {
      one.on('error', () => undefined);
      one.on('close', () => two.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function command(name: string, words: readonly string[], input = ''): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(name, words, { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

describe('names that ask for different certificates', { timeout: 200_000 }, () => {
  let gateway: Gateway;

  before(async () => {
    const asked = (mode: string, ca = root) => `client-certificates: { ca: ${ca.certificate}, mode: ${mode} }`;
    const shared = pair('*.wild.test,c.test,d.test');
    gateway = await start(
      [
        `[{ ${pair('a.test')} }`,
        `{ ${pair('b.test')}, ${asked('required')} }`,
        `{ ${shared}, names: [c.test, free.wild.test] }`,
        `{ ${shared}, names: [d.test, '*.wild.test'], ${asked('required')} }]`,
      ].join(', '),
    );
  });

  after(() => gateway.stop());

  const cases: readonly (readonly [sni: string | undefined, host: string, certificate: boolean, status: number])[] = [
    ['a.test', 'a.test', false, 200],
    ['c.test', 'c.test', false, 200],
    ['free.wild.test', 'free.wild.test', false, 200],
    ['b.test', 'b.test', true, 200],
    ['d.test', 'd.test', true, 200],
    ['x.wild.test', 'x.wild.test', true, 200],
    ['B.TEST', 'b.Test', true, 200],
    // between names that ask for the same nothing is refused
    ['a.test', 'c.test', false, 200],
    ['b.test', 'd.test', true, 200],
    ['d.test', 'y.wild.test', true, 200],
    // what no certificate covers, addresses, and no name at all get the first
    [undefined, '127.0.0.1', false, 200],
    [undefined, 'a.test', false, 200],
    [undefined, '[::1]:443', false, 200],
    ['unknown.test', 'unknown.test', false, 200],
    ['a.test', 'unknown.test', false, 200],
    // another policy than that of the handshake
    ['a.test', 'b.test', false, 421],
    ['a.test', 'B.test.', false, 421],
    ['a.test', 'b.test:8443', false, 421],
    ['a.test', 'b.test', true, 421],
    [undefined, 'b.test', true, 421],
    ['unknown.test', 'b.test', false, 421],
    ['free.wild.test', 'other.wild.test', false, 421],
    ['x.wild.test', 'free.wild.test', true, 421],
    ['b.test', 'a.test', true, 421],
    ['b.test', '127.0.0.1', true, 421],
    ['b.test', 'unknown.test', true, 421],
    ['b.test', 'a.b.test', true, 421],
    // no certificate
    ['b.test', 'b.test', false, 0],
    ['x.wild.test', 'x.wild.test', false, 0],
    ['b.test', 'a.test', false, 0],
    ['b.test.', 'b.test', false, 0],
  ];
  for (const [servername, host, certificate, status] of cases) {
    const told = `${servername ?? 'no name'} asks for ${host} ${certificate ? 'with' : 'without'} a certificate: ${status}`;
    it(`HTTP/1.1: ${told}`, async () => {
      const answer = await visit({ port: gateway.port('public'), servername, host, shown: certificate ? good : undefined });
      assert.equal(answer.status, status, answer.error);
      if (status === 421) assert.equal(answer.code, 'misdirected');
    });
    it(`HTTP/2: ${told}`, async () => {
      const visitor = new Http2Visitor({ port: gateway.port('public'), servername, shown: certificate ? good : undefined });
      const answer = await visitor.ask(host);
      visitor.close();
      assert.equal(answer.status, status, answer.error);
      if (status === 421) assert.equal(answer.code, 'misdirected');
    });
  }

  it('a hello that comes in single bytes is understood', async () => {
    for (const [servername, shown, expected] of [
      ['a.test', undefined, /^HTTP\/1.1 200/],
      ['b.test', good, /^HTTP\/1.1 200/],
      ['b.test', undefined, /^$/],
    ] as const) {
      await using slow = await dribble(gateway.port('public'));
      const { text } = await rawVisit({ port: slow.port, servername, shown, text: CLOSE.replace('a.test', servername) });
      assert.match(text, expected, servername);
    }
  });

  it('what is no TLS is closed', async () => {
    for (const bytes of [
      'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
      '\x16\x03\x01\x00\x01\x02',
      '\x15\x03\x01\x00\x02\x02\x28',
      '\x80\x2e\x01\x03\x01',
    ]) {
      const answer = await rawRequest(gateway.port('public'), bytes, { end: true });
      assert.doesNotMatch(answer.toString('latin1'), /HTTP/);
    }
  });

  it('one HTTP/2 connection goes on behind a stream that was misdirected', async () => {
    const visitor = new Http2Visitor({ port: gateway.port('public'), servername: 'a.test' });
    const answers = await Promise.all(['a.test', 'b.test', 'c.test', 'd.test', 'a.test'].map((host) => visitor.ask(host)));
    visitor.close();
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 421, 200, 421, 200],
    );
  });

  it('HTTP/1.0 without Host is served where the connection asks for what the first name asks for', async () => {
    const text = 'GET / HTTP/1.0\r\n\r\n';
    const port = gateway.port('public');
    assert.match((await rawVisit({ port, servername: 'a.test', text })).text, /^HTTP\/1\.\d 200/);
    assert.match((await rawVisit({ port, servername: 'b.test', shown: good, text })).text, /^HTTP\/1\.\d 421/);
  });

  for (const version of VERSIONS) {
    it(`a session of a name that asks for nothing is none for a name that does, ${version}`, async () => {
      const port = gateway.port('public');
      const first = await rawVisit({ port, servername: 'a.test', version, text: CLOSE });
      assert.ok(first.session);
      const again = await rawVisit({ port, servername: 'a.test', version, session: first.session, text: CLOSE });
      assert.ok(again.reused, 'without client certificates sessions are resumed');
      for (const servername of ['b.test', 'd.test', 'x.wild.test']) {
        const crossed = await rawVisit({
          port,
          servername,
          version,
          session: first.session,
          text: CLOSE.replace('a.test', servername),
        });
        assert.equal(crossed.text, '', servername);
        assert.equal(crossed.reused, false, servername);
      }
    });

    it(`a session with a certificate is not resumed, ${version}`, async () => {
      const port = gateway.port('public');
      const text = CLOSE.replace('a.test', 'b.test');
      const first = await rawVisit({ port, servername: 'b.test', version, shown: good, text });
      assert.match(first.text, /^HTTP\/1\.1 200/);
      const alone = await rawVisit({ port, servername: 'b.test', version, session: first.session, text });
      assert.deepEqual([alone.text, alone.reused], ['', false], 'the session alone opens nothing');
      const again = await rawVisit({ port, servername: 'b.test', version, session: first.session, shown: good, text });
      assert.match(again.text, /^HTTP\/1\.1 200/);
      assert.equal(again.reused, false);
    });
  }

  it('openssl cannot resume one either', async () => {
    const session = folder.file('session.pem');
    const client = ['s_client', '-connect', `127.0.0.1:${gateway.port('public')}`, '-servername', 'b.test'];
    for (const version of ['-tls1_2', '-tls1_3']) {
      const certificate = ['-cert', good.certificate, '-key', good.key];
      const text = CLOSE.replace('a.test', 'b.test');
      const first = await command('openssl', [...client, version, ...certificate, '-ign_eof', '-sess_out', session], text);
      assert.match(first.output, /HTTP\/1\.1 200/);
      if (!existsSync(session)) continue;
      const second = await command('openssl', [...client, version, '-ign_eof', '-sess_in', session], text);
      assert.doesNotMatch(second.output, /HTTP\/1\.1|Reused/);
    }
  });
});

describe('files that are replaced', { timeout: 300_000 }, () => {
  const crl = (): string => folder.file('running.crl');
  const ca = (): string => folder.file('running-ca.pem');

  it('a list that comes to name a client ends its connections, and refuses new ones; a broken one changes nothing', async () => {
    const soon = await root.issue('soon-revoked');
    await root.crl(crl());
    const asked = `{ ca: ${root.certificate}, crl: ${crl()} }`;
    await using gateway = await start(`{ ${pair('a.test')}, client-certificates: ${asked} }`);
    const port = gateway.port('public');
    const stays = new Http2Visitor({ port, servername: 'a.test', shown: good });
    const goes = new Http2Visitor({ port, servername: 'a.test', shown: soon });
    assert.deepEqual([(await stays.ask('a.test', '/me')).status, (await goes.ask('a.test', '/me')).status], [200, 200]);
    for (const [text, problem] of [
      ['', /running\.crl is empty/],
      ['garbage', /running\.crl holds no revocation list/],
      [(await readFile(crl(), 'utf8')).slice(0, -60), /running\.crl/],
    ] as const) {
      await writeFile(`${crl()}.bad`, text);
      await replaceFile(`${crl()}.bad`, crl());
      await until(() => problem.test(gateway.stderr()), `the log says ${problem}`);
    }
    const foreign = await TestCa.root(folder.file('foreign'), 'root');
    await foreign.crl(crl());
    await until(
      () => /running\.crl was not signed by CN=root/.test(gateway.stderr()),
      'the log says that the signature does not fit',
    );
    assert.equal((await goes.ask('a.test', '/me')).status, 200);
    assert.equal((await visit({ port, servername: 'a.test', shown: soon })).status, 200);
    await root.revoke(soon);
    await root.crl(crl());
    await goes.closed;
    assert.equal((await visit({ port, servername: 'a.test', shown: soon })).status, 0);
    assert.equal((await stays.ask('a.test', '/me')).status, 200);
    stays.close();
  });

  it('a list that becomes stale refuses', async () => {
    await root.crl(folder.file('stale.crl'), 8);
    const asked = `{ ca: ${root.certificate}, crl: ${folder.file('stale.crl')}, mode: optional }`;
    await using gateway = await start(`{ ${pair('a.test')}, client-certificates: ${asked} }`);
    const port = gateway.port('public');
    const visitor = new Http2Visitor({ port, servername: 'a.test', shown: good });
    assert.equal((await visitor.ask('a.test', '/me')).status, 200);
    await visitor.closed;
    const late = await visit({ port, servername: 'a.test', shown: good });
    assert.deepEqual([late.status, late.code], [503, 'certificate-crl-stale']);
    assert.equal((await visit({ port, servername: 'a.test' })).status, 200, 'who shows none is not concerned');
    await root.crl(folder.file('stale.crl'));
    await until(
      async () => (await visit({ port, servername: 'a.test', shown: good, path: '/me' })).status === 200,
      'a fresh list',
    );
  });

  it('an authority without a list refuses where there are lists', async () => {
    const below = await root.below('listless');
    const client = await below.issue('client', { chain: true });
    await root.crl(crl());
    const asked = `{ ca: ${root.certificate}, crl: ${crl()}, mode: optional }`;
    await using gateway = await start(`{ ${pair('a.test')}, client-certificates: ${asked} }`);
    const answer = await visit({ port: gateway.port('public'), servername: 'a.test', shown: client });
    assert.deepEqual([answer.status, answer.code], [503, 'certificate-crl-missing']);
  });

  it('another authority takes over under load, and no good client notices', async () => {
    const next = await TestCa.root(folder.file('next'), 'next');
    const newcomer = await next.issue('newcomer');
    const pem = await Promise.all([root, next].map((one) => readFile(one.certificate, 'utf8')));
    await writeFile(ca(), pem[0]);
    await using gateway = await start(`{ ${pair('a.test')}, client-certificates: { ca: ${ca()} } }`);
    const port = gateway.port('public');
    const visitor = new Http2Visitor({ port, servername: 'a.test', shown: good });
    assert.equal((await visit({ port, servername: 'a.test', shown: newcomer })).status, 0);
    let running = true;
    const failures: unknown[] = [];
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) {
          const answer = await visit({ port, servername: 'a.test', path: '/me', shown: good });
          if (answer.status !== 200) failures.push(answer);
        }
      }),
    );
    await writeFile(`${ca()}.next`, pem.join(''));
    await replaceFile(`${ca()}.next`, ca());
    await until(async () => (await visit({ port, servername: 'a.test', shown: newcomer })).status === 200, 'both count');
    assert.equal((await visitor.ask('a.test', '/me')).status, 200);
    running = false;
    await load;
    assert.deepEqual(failures, []);
    await writeFile(`${ca()}.next`, pem[1]);
    await replaceFile(`${ca()}.next`, ca());
    await visitor.closed;
    assert.equal((await visit({ port, servername: 'a.test', shown: good })).status, 0);
    assert.equal((await visit({ port, servername: 'a.test', path: '/me', shown: newcomer })).status, 200);
  });

  it('a connection that outlives a reload of its listener goes on to be judged by the lists', async () => {
    const soon = await root.issue('revoked-later');
    await root.crl(crl());
    const entry = `{ ${pair('a.test')}, client-certificates: { ca: ${root.certificate}, crl: ${crl()} } }`;
    await using gateway = await start(`[${entry}]`);
    const visitor = new Http2Visitor({ port: gateway.port('public'), servername: 'a.test', shown: soon });
    assert.equal((await visitor.ask('a.test', '/me')).status, 200);
    const text = await readFile(gateway.config, 'utf8');
    await writeFile(gateway.config, text.replace(`[${entry}]`, `[${entry}, { ${pair('b.test')} }]`));
    gateway.process.kill('SIGHUP');
    await until(() => gateway.stderr().includes('the configuration has been reloaded'), 'the reload');
    assert.equal((await visitor.ask('a.test', '/me')).status, 200, 'what did not change for it leaves it alone');
    await root.revoke(soon);
    await root.crl(crl());
    await visitor.closed;
  });

  it('a WebSocket of a revoked client is cut off', async () => {
    const soon = await root.issue('revoked-socket');
    await root.crl(crl());
    await using gateway = await start(`{ ${pair('a.test')}, client-certificates: { ca: ${root.certificate}, crl: ${crl()} } }`);
    const sent = echo.requests.length;
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13';
    const text = `GET /me HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`;
    const over = rawVisit({ port: gateway.port('public'), servername: 'a.test', shown: soon, text });
    await until(() => echo.requests.length > sent, 'the handshake at the service');
    await root.revoke(soon);
    await root.crl(crl());
    assert.match((await over).text, /^HTTP\/1\.1 101/);
  });

  it('a reload that asks for certificates counts for connections that are open', async () => {
    const asked = `client-certificates: { ca: ${root.certificate} }`;
    await using gateway = await start(`[{ ${pair('a.test')}, client-certificates: none }, { ${pair('b.test')}, ${asked} }]`);
    const port = gateway.port('public');
    const visitor = new Http2Visitor({ port, servername: 'a.test' });
    assert.equal((await visitor.ask('a.test')).status, 200);
    const text = await readFile(gateway.config, 'utf8');
    await writeFile(gateway.config, text.replace('client-certificates: none', asked));
    gateway.process.kill('SIGHUP');
    await until(() => gateway.stderr().includes('the configuration has been reloaded'), 'the reload');
    assert.notEqual((await visitor.ask('a.test')).status, 200);
    assert.equal((await visit({ port, servername: 'a.test' })).status, 0);
    assert.equal((await visit({ port, servername: 'a.test', shown: good, path: '/me' })).status, 200);
    visitor.close();
  });
});

test('several workers ask for the same, and none takes a session of another for a certificate', {
  timeout: 100_000,
}, async () => {
  const tls = `[{ ${pair('a.test')} }, { ${pair('b.test')}, client-certificates: { ca: ${root.certificate} } }]`;
  await using gateway = await start(tls, '', 'workers: 2');
  const port = gateway.port('public');
  const text = CLOSE.replace('a.test', 'b.test');
  const first = await rawVisit({ port, servername: 'b.test', shown: good, text });
  const free = await rawVisit({ port, servername: 'a.test', text: CLOSE });
  assert.match(first.text, /^HTTP\/1\.1 200/);
  for (let i = 0; i < 6; i++) {
    assert.equal((await rawVisit({ port, servername: 'b.test', session: first.session, text })).text, '');
    assert.equal((await rawVisit({ port, servername: 'b.test', session: free.session, text })).text, '');
    assert.match((await rawVisit({ port, servername: 'a.test', session: free.session, text: CLOSE })).text, /^HTTP\/1\.1 200/);
  }
});

test('the recipe of the manual works as it stands', { timeout: 100_000 }, async () => {
  const manual = await readFile(new URL('../../docs/identity.md', import.meta.url), 'utf8');
  const recipe = manual.slice(manual.indexOf('### A recipe'));
  const [make, asks, revoke] = [...recipe.matchAll(/```sh\n([^]*?)```/g)].map(([, text]) => text);
  const [, configuration] = /```yaml\n([^]*?)```/.exec(recipe) ?? [];
  await using gateway = await startRecipe(make, configuration);
  const port = gateway.port('public');
  const run = (text: string) => command('bash', ['-c', `cd ${gateway.dir} && ${text.replaceAll(':8443', `:${port}`)}`]);
  const [withOne, without] = asks.split('\n');
  const served = await run(withOne.replace('curl', 'curl -s'));
  assert.equal(headerOf(served.output, 'x-portcullis-subject'), 'spiffe://example.org/ns/shop/billing');
  const refused = await run(without);
  assert.notEqual(refused.code, 0);
  // Whoever is still writing when the connection closes does not get to read the alert.
  assert.match(refused.output, /certificate required|curl: \((?:55|56)\)/);
  assert.equal((await run(revoke.trim().replaceAll('\n', ' && '))).code, 0);
  await until(async () => (await run(withOne)).code !== 0, 'the client is out');
});

async function startRecipe(make: string, configuration: string): Promise<Gateway> {
  await using made = await certificateFolder();
  assert.equal((await command('bash', ['-ec', `cd ${made.dir}\n${make}`])).code, 0);
  const names = await readdir(made.dir);
  const files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(made.file(name))] as const)),
  );
  const text = configuration.replace(':8443', ':0').replace('http://127.0.0.1:9001', echo.url);
  return await startGateway(text, { files });
}
