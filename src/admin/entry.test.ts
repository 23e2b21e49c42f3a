import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { KeptLog } from '../../test/support/corridor.ts';
import { makeSelfSigned } from '../listen/tls/self-signed.ts';
import { createAdmin } from './server.ts';
import { SessionCookie, Sessions } from './sessions.ts';
import { FailedTries } from './tries.ts';

const TOKEN = 'a-token & = % of ümlaut'.replaceAll(/[^\x21-\x7e]/g, '+');
const HOUR = 3_600_000;

interface Got {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

interface Asked {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string;
}

/** An admin listener with a token and a clock that the test moves. */
async function start(t: TestContext, secure = false) {
  const time = { now: 1000 };
  const log = new KeptLog();
  const admin = createAdmin({
    options: { address: { host: '127.0.0.1', port: 0 }, token: TOKEN, tls: secure ? await makeSelfSigned() : undefined },
    health: () => ({ ready: true, reasons: [] }),
    metrics: () => 'x 1\n',
    status: () => ({ it: 'works' }),
    log,
    clock: () => time.now,
  });
  const { port } = await admin.listen();
  t.after(() => admin.close());
  const origin = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`;
  const ask = async (path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Got> => {
    const said = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    const options = { host: '127.0.0.1', port, path, method, headers: said, agent: false, rejectUnauthorized: false };
    const request = (secure ? https : http).request(options).end(body);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks = await response.toArray();
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() };
  };
  const form = 'application/x-www-form-urlencoded';
  const login = (token: string, headers: http.OutgoingHttpHeaders = {}) =>
    ask('/login', {
      method: 'POST',
      headers: { origin, 'content-type': form, ...headers },
      body: new URLSearchParams({ token }).toString(),
    });
  /** Logs in and gives the cookie as a browser sends it. */
  const enter = async (headers: http.OutgoingHttpHeaders = {}): Promise<string> => {
    const got = await login(TOKEN, headers);
    assert.deepEqual([got.status, got.headers.location], [303, '/'], got.body);
    return (got.headers['set-cookie'] ?? [''])[0].split(';', 1)[0];
  };
  return { ask, login, enter, origin, time, log, port };
}

describe('login', () => {
  test('a browser without a session gets the form, a program the challenge', async (t) => {
    const { ask } = await start(t);
    const page = await ask('/');
    assert.equal(page.status, 401);
    assert.match(page.headers['content-type'] ?? '', /^text\/html/);
    assert.match(page.headers['www-authenticate'] ?? '', /^Bearer /);
    assert.match(page.body, /<form method="post" action="\/login">/);
    assert.doesNotMatch(page.body, /role="alert"|page\.js/);
    for (const path of ['/status.json', '/metrics', '/healthz', '/readyz', '/page/page.js', '/page/rates.js', '/nothing']) {
      const got = await ask(path);
      assert.deepEqual([got.status, got.headers['content-type']], [401, 'application/problem+json'], path);
    }
    assert.equal((await ask('/page/page.css')).status, 200, 'how the form looks is no secret');
    assert.equal((await ask('/login')).status, 200);
    assert.equal((await ask('/login', { method: 'HEAD' })).body, '');
  });

  test('the token opens a session, and logout ends it', async (t) => {
    const { ask, login, enter, origin, port } = await start(t);
    const got = await login(TOKEN);
    assert.equal(got.body, '');
    assert.match(
      (got.headers['set-cookie'] ?? [''])[0],
      /^portcullis-admin-\d+=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const cookie = await enter();
    const page = await ask('/', { headers: { cookie } });
    assert.equal(page.status, 200);
    assert.match(page.body, /action="\/logout"/);
    assert.deepEqual(JSON.parse((await ask('/status.json', { headers: { cookie } })).body), { it: 'works' });
    assert.equal((await ask('/page/page.js', { headers: { cookie } })).status, 200);
    assert.equal((await ask('/status.json', { headers: { cookie: `a=b; ${cookie}; c=d` } })).status, 200);

    const out = await ask('/logout', { method: 'POST', headers: { origin, cookie } });
    assert.deepEqual([out.status, out.headers.location], [303, '/login']);
    assert.match((out.headers['set-cookie'] ?? [''])[0], new RegExp(`^portcullis-admin-${port}=; Max-Age=0; Path=/; HttpOnly`));
    assert.equal((await ask('/status.json', { headers: { cookie } })).status, 401);
  });

  test('each login is a session of its own and ends the one that it brings', async (t) => {
    const { ask, enter } = await start(t);
    const [one, two] = [await enter(), await enter()];
    assert.notEqual(one, two);
    const three = await enter({ cookie: one });
    const status = async (cookie: string) => (await ask('/status.json', { headers: { cookie } })).status;
    assert.deepEqual([await status(one), await status(two), await status(three)], [401, 200, 200]);
  });

  test('what is no session opens nothing', async (t) => {
    const { ask, enter, port } = await start(t);
    const cookie = await enter();
    const [name, id] = cookie.split('=');
    const bad = [
      `${name}=`,
      name,
      `${name}=${id}x`,
      `${name}=${id.slice(1)}`,
      `${name}="${id}"`,
      `${name} =${id}`,
      `x${name}=${id}`,
      `${name.toUpperCase()}=${id}`,
      `portcullis-admin-${port + 1}=${id}`,
      `__Host-${name}=${id}`,
      `${name}=__proto__`,
      `${name}=a; ${name}=b; ${name}=c; ${name}=d; ${cookie}`,
    ];
    for (const one of bad) assert.equal((await ask('/status.json', { headers: { cookie: one } })).status, 401, one);
    assert.equal((await ask('/status.json', { headers: { cookie: `${name}=other; ${cookie}` } })).status, 200);
  });

  test('a session ends after twelve hours, used or not', async (t) => {
    const { ask, enter, time } = await start(t);
    const cookie = await enter();
    time.now += 12 * HOUR - 1;
    assert.equal((await ask('/status.json', { headers: { cookie } })).status, 200);
    time.now += 1;
    assert.equal((await ask('/status.json', { headers: { cookie } })).status, 401);
  });

  test('over TLS the cookie is for TLS only', async (t) => {
    const { ask, login, origin, port } = await start(t, true);
    const got = await login(TOKEN);
    const [cookie] = got.headers['set-cookie'] ?? [''];
    assert.match(
      cookie,
      new RegExp(`^__Host-portcullis-admin-${port}=[\\w-]{43}; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict; Secure$`),
    );
    assert.equal((await ask('/status.json', { headers: { cookie: cookie.split(';', 1)[0] } })).status, 200);
    assert.equal((await login(TOKEN, { origin: origin.replace('https', 'http') })).status, 403);
  });

  test('programs go on with the token in their head, which is what counts where there is one', async (t) => {
    const { ask, enter } = await start(t);
    const cookie = await enter();
    assert.equal((await ask('/status.json', { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200);
    assert.equal((await ask('/', { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200);
    assert.equal((await ask('/status.json', { headers: { authorization: 'Bearer wrong-wrong-wrong', cookie } })).status, 401);
  });

  test('only our own page may log in and out', async (t) => {
    const { ask, login, enter, origin, port } = await start(t);
    const cookie = await enter();
    const foreign: (string | undefined)[] = [
      undefined,
      'null',
      'http://evil.example.com',
      `http://127.0.0.1:${port + 1}`,
      'http://127.0.0.1',
      `http://localhost:${port}`,
      `${origin}.evil.example.com`,
      `${origin}/`,
      `${origin}, ${origin}`,
      `ftp://127.0.0.1:${port}`,
      '',
    ];
    for (const one of foreign) {
      const got = await login(TOKEN, { origin: one });
      assert.deepEqual([got.status, got.headers['set-cookie']], [403, undefined], one);
      const out = await ask('/logout', { method: 'POST', headers: { cookie, origin: one } });
      assert.equal(out.status, 403, one);
    }
    for (const site of ['cross-site', 'same-site']) assert.equal((await login(TOKEN, { 'sec-fetch-site': site })).status, 403);
    assert.equal((await login(TOKEN, { host: 'evil.example.com', origin: 'http://evil.example.com' })).status, 421);
    assert.equal((await ask('/status.json', { headers: { cookie } })).status, 200, 'nobody has logged out');
    assert.equal((await login(TOKEN, { host: `localhost:${port}`, origin: `http://LOCALHOST:${port}` })).status, 303);
    assert.equal((await login(TOKEN, { origin: origin.replace('http', 'https') })).status, 303, 'behind something that has TLS');
  });

  test('a wrong token shows the form again, without a word of it', async (t) => {
    const { login, log } = await start(t);
    const wrong = ['', 'x', TOKEN.slice(1), `${TOKEN}x`, ` ${TOKEN}`, TOKEN.toUpperCase(), '"><script>alert(1)</script>'];
    for (const token of wrong) {
      const got = await login(token);
      assert.deepEqual([got.status, got.headers['set-cookie']], [401, undefined], token);
      assert.match(got.body, /role="alert">That is not the token/);
      if (token.length > 1) assert.doesNotMatch(got.body, new RegExp(token.replaceAll(/[^\w]/g, '.')));
    }
    assert.doesNotMatch(JSON.stringify(log), /script/);
  });

  test('only a small form is read, and one token in it', async (t) => {
    const { ask, origin } = await start(t);
    const post = (body: string, headers: http.OutgoingHttpHeaders = {}) =>
      ask('/login', {
        method: 'POST',
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body,
      });
    const token = encodeURIComponent(TOKEN);
    const cases: [string, http.OutgoingHttpHeaders, number][] = [
      [`token=${token}&token=${token}`, {}, 401],
      [`Token=${token}`, {}, 401],
      ['', {}, 401],
      [`token=${token}`, { 'content-type': 'text/plain' }, 415],
      [`token=${token}`, { 'content-type': 'multipart/form-data; boundary=x' }, 415],
      [JSON.stringify({ token: TOKEN }), { 'content-type': 'application/json' }, 415],
      [`token=${token}&x=${'x'.repeat(5000)}`, {}, 413],
      [`token=${token}&x=${'x'.repeat(5000)}`, { 'transfer-encoding': 'chunked' }, 413],
      [`token=${token}`, { 'transfer-encoding': 'chunked' }, 303],
      [`token=${token}&other=1`, { 'content-type': 'APPLICATION/x-www-form-urlencoded; charset=utf-8' }, 303],
    ];
    for (const [body, headers, status] of cases) {
      assert.equal((await post(body, headers)).status, status, `${body.slice(0, 50)} ${JSON.stringify(headers)}`);
    }
  });

  test('methods that are not there', async (t) => {
    const { ask, enter, origin } = await start(t);
    const cookie = await enter();
    const cases: [string, string, string][] = [
      ['PUT', '/login', 'GET, HEAD, POST'],
      ['GET', '/logout', 'POST'],
      ['HEAD', '/logout', 'POST'],
      ['POST', '/', 'GET, HEAD'],
      ['POST', '/status.json', 'GET, HEAD'],
      ['DELETE', '/page/page.css', 'GET, HEAD'],
    ];
    for (const [method, path, allow] of cases) {
      const got = await ask(path, { method, headers: { cookie, origin } });
      assert.deepEqual([got.status, got.headers.allow], [405, allow], `${method} ${path}`);
    }
  });

  test('ten wrong tokens a minute, by form or by head; then nothing is heard, and the log tells once', async (t) => {
    const { ask, login, time, log, enter } = await start(t);
    const cookie = await enter();
    for (let i = 0; i < 5; i++) {
      assert.equal((await login(`wrong-${i}`)).status, 401);
      assert.equal((await ask('/metrics', { headers: { authorization: `Bearer wrong-${i}` } })).status, 401);
    }
    const late = await login(TOKEN);
    assert.deepEqual([late.status, late.headers['set-cookie'], late.headers['retry-after']], [429, undefined, '60']);
    assert.match(late.body, /Too many wrong tokens/);
    assert.equal((await ask('/metrics', { headers: { authorization: `Bearer ${TOKEN}` } })).status, 429);
    assert.equal((await ask('/status.json', { headers: { cookie } })).status, 200, 'who is in stays in');
    assert.equal(log.lines.filter((line) => line.level === 'warn').length, 1);
    time.now += 60_000;
    assert.equal((await ask('/metrics', { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200);
    await enter();
  });

  test('without a token there is no login, and the page has nothing to end', async (t) => {
    const admin = createAdmin({
      options: { address: { host: '127.0.0.1', port: 0 } },
      health: () => ({ ready: true, reasons: [] }),
      metrics: () => '',
      status: () => ({}),
      log: new KeptLog(),
    });
    const { port } = await admin.listen();
    t.after(() => admin.close());
    const base = `http://127.0.0.1:${port}`;
    const page = await (await fetch(`${base}/`)).text();
    assert.doesNotMatch(page, /logout/);
    assert.deepEqual([(await fetch(`${base}/login`)).status, (await fetch(`${base}/logout`)).status], [404, 404]);
  });
});

describe('failed tries', () => {
  test('count by address, by /64 in IPv6, in windows of a minute', () => {
    const tries = new FailedTries(2);
    assert.equal(tries.failed('192.0.2.1', 0), false);
    assert.equal(tries.wait('192.0.2.1', 0), 0);
    assert.equal(tries.failed('::ffff:192.0.2.1', 30_000), true);
    assert.equal(tries.wait('192.0.2.1', 30_000), 30);
    assert.equal(tries.wait('192.0.2.2', 30_000), 0);
    assert.equal(tries.wait('192.0.2.1', 60_000), 0);
    tries.failed('2001:db8:0:1::1', 0);
    tries.failed('2001:db8:0:1:ffff::2', 0);
    assert.equal(tries.wait('2001:db8:0:1::3', 0), 60);
    assert.equal(tries.wait('2001:db8:0:2::1', 0), 0);
  });

  test('the table is bounded', () => {
    const tries = new FailedTries(1, 3);
    for (const last of [1, 2, 3, 4]) tries.failed(`192.0.2.${last}`, 0);
    assert.deepEqual(
      [1, 2, 3, 4].map((last) => tries.wait(`192.0.2.${last}`, 0)),
      [0, 60, 60, 60],
    );
  });
});

describe('sessions', () => {
  test('are bounded: the oldest ends', () => {
    const sessions = new Sessions(() => 0);
    const ids = Array.from({ length: 65 }, () => sessions.open());
    assert.equal(sessions.size, 64);
    assert.equal(new Set(ids).size, 65);
    assert.deepEqual([sessions.has(ids[0]), sessions.has(ids[1]), sessions.has(ids[64])], [false, true, true]);
    sessions.close(ids[1]);
    sessions.close('another');
    assert.deepEqual([sessions.size, sessions.has(ids[1])], [63, false]);
  });

  test('a cookie is found beside others, its name exactly', () => {
    const cookie = new SessionCookie(1, false);
    assert.deepEqual(cookie.read(undefined), []);
    assert.deepEqual(cookie.read('a=1;portcullis-admin-1=x ;portcullis-admin-12=y; portcullis-admin-1=z=z'), ['x', 'z=z']);
  });
});

test('who leaves in the middle of a login, or never ends it, harms nobody', async (t) => {
  const { ask, port, origin } = await start(t);
  const head = `POST /login HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: ${origin}\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
  for (const rest of [
    'Content-Length: 100\r\n\r\ntoken=',
    'Transfer-Encoding: chunked\r\n\r\n5\r\ntok',
    'Content-Length: 100\r\n\r\n',
  ]) {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(head + rest);
    assert.equal((await ask('/login')).status, 200, 'the listener goes on');
    socket.destroy();
  }
  assert.equal((await ask('/login')).status, 200);
});
