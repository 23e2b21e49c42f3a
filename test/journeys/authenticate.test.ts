/** Who is let in and who is not, through the whole gateway over sockets, and what a service sees of it. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createKey } from '../../src/authenticate/api-key/changes.ts';
import { createHashKey, readHashKey } from '../../src/authenticate/api-key/hash-key.ts';
import { EMPTY, formatKeyFile } from '../../src/authenticate/api-key/key-file.ts';
import { forgedNames, ownSpellings } from '../cases/forged-headers.ts';
import { keysInHeader, tokenClasses, transport } from '../cases/tokens.ts';
import { type Asker, http1Asker, http2Asker, type Reply } from '../support/ask.ts';
import { certificateFolder, type Shown, TestCa } from '../support/client-certificates.ts';
import { type Echo, fieldsOf, type SeenRequest, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { visit } from '../support/mtls-client.ts';
import { parseResponse, rawRequest } from '../support/raw.ts';
import { tlsFiles } from '../support/tls.ts';
import { algorithms, audience, base64url, claims, foreign, issuer, keys, keySet, token } from '../support/tokens.ts';

const OTHER = 'https://other.test';

let echo: Echo;
let gateway: Gateway;
let h1: Asker;
let h2: Asker;
/** Counts who fetches what a token names. */
let bait: Server;
let fetched = 0;
let apiKey = '';
/** Of the files that the configuration names. */
let dir = '';

async function keyFiles(): Promise<Record<string, string | Buffer>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'portcullis-keys-'));
  const hashKeyPath = path.join(folder, 'keys.yaml.key');
  await createHashKey(hashKeyPath);
  const issue = createKey(EMPTY, readHashKey(hashKeyPath), { id: 'acme', scopes: ['orders:read'] }, Date.now());
  apiKey = issue.key;
  const hashKey = await readFile(hashKeyPath);
  await rm(folder, { recursive: true });
  return { 'keys.yaml': formatKeyFile(issue.file), 'hash.key': hashKey };
}

before(async () => {
  echo = await startEcho();
  bait = createServer((_request, answer) => {
    fetched++;
    answer.end(JSON.stringify(keySet([foreign.rs])));
  });
  await new Promise<void>((resolve) => bait.listen(0, '127.0.0.1', resolve));
  const files = {
    'jwks.json': JSON.stringify(keySet()),
    'other.json': JSON.stringify(keySet([foreign.es])),
    ...(await keyFiles()),
  };
  dir = await mkdtemp(path.join(tmpdir(), 'portcullis-authenticate-'));
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(dir, name), content, { mode: 0o600 });
  const jwt = (of: string, jwks: string, names: string) =>
    `{ jwt: { issuer: "${of}", audience: ${audience}, jwks: ${path.join(dir, jwks)}, algorithms: [${names}] } }`;
  gateway = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
services:
  s: ${echo.url}
  trusting: { targets: ["${echo.url}"], credentials: forward }
authentication:
  staff: ${jwt(issuer, 'jwks.json', algorithms.join())}
  others: ${jwt(OTHER, 'other.json', 'ES256')}
  partners: { api-key: { keys: ${path.join(dir, 'keys.yaml')}, hash-key: ${path.join(dir, 'hash.key')} } }
routes:
  - { path: /jwt/**, service: s, authentication: [staff] }
  - { path: /several/**, service: s, authentication: [others, staff, partners] }
  - { path: /keys/**, service: s, authentication: [partners] }
  - { path: /trusting/**, service: trusting, authentication: [staff, partners] }
  - { path: /open/**, service: s, authentication: none }
`);
  h1 = http1Asker(gateway.port('plain'));
  h2 = http2Asker(gateway.port('secure'));
});

after(async () => {
  h1?.close();
  h2?.close();
  await gateway?.stop();
  await echo?.stop();
  bait?.closeAllConnections();
  bait?.close();
  await rm(dir, { recursive: true, force: true });
});

const bearer = (one: string) => ({ host: 'api.test', authorization: `Bearer ${one}` });

/** Asks, and says whether it passed: then exactly one request has reached the service. */
async function ask(
  asker: Asker,
  question: Parameters<Asker['ask']>[0],
): Promise<{ reply: Reply; seen: SeenRequest | undefined; code: string }> {
  const before = echo.requests.length;
  const reply = await asker.ask(question);
  const seen = echo.requests.slice(before);
  assert.equal(seen.length, reply.status === 200 ? 1 : 0, `${reply.status}: ${seen.length} requests reached the service`);
  const code = reply.status === 200 ? 'passed' : String((JSON.parse(reply.body.toString()) as { code: string }).code);
  return { reply, seen: seen[0], code };
}

/** The code that the record has for this answer. */
async function recorded({ headers }: Reply): Promise<unknown> {
  const id = String(headers['x-request-id']);
  for (let more = 1; ; more++) {
    const records = await gateway.records();
    const record = records.find((one) => one.request_id === id);
    if (record !== undefined) return record;
    assert.ok(more < 1000, `no record of ${id}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('tokens', () => {
  for (const index of [...tokenClasses.keys(), tokenClasses.length]) {
    const classOf = () => tokenClasses[index] ?? keysInHeader(`http://127.0.0.1:${(bait.address() as AddressInfo).port}`);
    test(`class ${tokenClasses[index]?.name ?? 'keys in the header'}`, async () => {
      const { stop, pass } = classOf();
      for (const asker of [h1, h2]) {
        for (const [what, expected, one] of stop) {
          const { reply, code } = await ask(asker, { path: '/jwt/x', headers: bearer(one) });
          assert.deepEqual([reply.status, code], [401, expected], `${asker.name}: ${what}`);
          assert.equal(reply.headers['www-authenticate'], 'Bearer realm="api", error="invalid_token"', what);
          assert.equal(reply.headers['cache-control'], 'no-store');
        }
        for (const [what, one] of pass) {
          const { reply } = await ask(asker, { path: '/jwt/x', headers: bearer(one) });
          assert.equal(reply.status, 200, `${asker.name}: ${what}: ${String(reply.body)}`);
        }
      }
      assert.equal(fetched, 0, 'what a token names was fetched');
    });
  }

  test('the record has the code and the method, and nothing of the token', async () => {
    const one = token(claims({ aud: 'stock' }));
    const { reply } = await ask(h1, { path: '/jwt/x', headers: bearer(one) });
    const refused = (await recorded(reply)) as { decision: Record<string, unknown>; caller?: unknown };
    assert.deepEqual([refused.decision.room, refused.decision.code], ['authenticate', 'token-audience']);
    assert.equal(refused.caller, undefined);
    const passed = await ask(h1, { path: '/jwt/x', headers: bearer(token()) });
    const record = (await recorded(passed.reply)) as { caller: unknown; decision?: unknown };
    assert.deepEqual(record.caller, { by: 'jwt', name: 'staff', subject: 'u-17' });
    assert.equal(record.decision, undefined);
    const everything = JSON.stringify(await gateway.records()) + gateway.stderr() + gateway.stdout();
    for (const part of one.split('.')) assert.ok(!everything.includes(part), 'a part of a token is in the record or the log');
  });
});

describe('transport', () => {
  for (const one of transport) {
    test(one.name, async () => {
      const before = echo.requests.length;
      const target = `/jwt/x${one.query === undefined ? '' : `?${one.query}`}`;
      const lines = [
        `${one.body === undefined ? 'GET' : 'POST'} ${target} HTTP/1.1`,
        'Host: api.test',
        'Connection: close',
        ...one.lines,
      ];
      const answer = parseResponse(
        await rawRequest(gateway.port('plain'), `${lines.join('\r\n')}\r\n\r\n${one.body ?? ''}`, { timeout: 20_000 }),
      );
      const expected = one.code === undefined ? 200 : (one.status ?? 401);
      assert.equal(answer.status, expected, String(answer.body));
      if (one.code !== undefined) assert.equal((JSON.parse(String(answer.body)) as { code: string }).code, one.code);
      assert.equal(echo.requests.length - before, one.code === undefined ? 1 : 0);
      if (one.code === 'token-missing') assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="api"');
    });
  }
});

describe('several methods on one route', () => {
  const at = '/several/x';
  test('each of them lets its own callers in', async () => {
    const cases: [Record<string, string>, string][] = [
      [bearer(token()), 'staff'],
      [bearer(token(claims({ iss: OTHER }), {}, foreign.es)), 'others'],
      [{ host: 'api.test', 'x-api-key': apiKey }, 'partners'],
    ];
    for (const asker of [h1, h2]) {
      for (const [headers, name] of cases) {
        const { seen } = await ask(asker, { path: at, headers });
        assert.deepEqual(fieldsOf(seen as SeenRequest, 'x-portcullis-caller'), [name]);
      }
    }
  });

  test('a token counts for its own issuer’s keys, audience and algorithms only', async () => {
    const cases: [string, string][] = [
      [token(claims({ iss: OTHER })), 'token-algorithm'],
      [token(claims({ iss: OTHER }), {}, keys.es), 'token-signature'],
      [token(claims(), {}, foreign.es), 'token-signature'],
      [token(claims({ iss: 'https://third.test' })), 'token-algorithm'],
      [token(claims({ iss: 'https://third.test' }), {}, keys.es), 'token-issuer'],
      [token(claims({ iss: [OTHER, issuer] }), {}, keys.es), 'token-issuer'],
      [token(claims({ exp: 1 })), 'token-expired'],
      ['opaque', 'token-malformed'],
    ];
    for (const [one, expected] of cases) {
      const { reply, code } = await ask(h1, { path: at, headers: bearer(one) });
      assert.deepEqual([reply.status, code], [401, expected]);
    }
  });

  test('two credentials are refused, both good or not', async () => {
    const good = token();
    const cases: Record<string, string | string[]>[] = [
      { ...bearer(good), 'x-api-key': apiKey },
      { ...bearer(good), 'x-api-key': 'nonsense' },
      { ...bearer('nonsense'), 'x-api-key': apiKey },
      { ...bearer(good), 'X-Api-Key': '' },
      { host: 'api.test', 'x-api-key': [apiKey, apiKey] },
      { host: 'api.test', 'x-api-key': [apiKey, 'nonsense'] },
    ];
    for (const asker of [h1, h2]) {
      for (const headers of cases) {
        const { reply, code } = await ask(asker, { path: at, headers });
        assert.deepEqual([reply.status, code], [401, 'credentials-ambiguous'], JSON.stringify(headers).slice(0, 60));
      }
      const { code } = await ask(asker, { path: `${at}?access_token=x`, headers: { host: 'api.test', 'x-api-key': apiKey } });
      assert.equal(code, 'credentials-ambiguous');
    }
  });

  test('the challenges name every way in', async () => {
    const { reply, code } = await ask(h2, { path: at, headers: { host: 'api.test' } });
    assert.equal(code, 'credentials-missing');
    assert.match(String(reply.headers['www-authenticate']), /^Bearer realm="api", ApiKey /);
    const keyOnly = await ask(h1, { path: '/keys/x', headers: { host: 'api.test', authorization: `Bearer ${token()}` } });
    assert.equal(keyOnly.code, 'key-missing');
    assert.doesNotMatch(String(keyOnly.reply.headers['www-authenticate']), /Bearer/);
  });
});

describe('an open route', () => {
  test('looks at no credential, and the service gets it as it is', async () => {
    const cases: Record<string, string>[] = [
      bearer('nonsense'),
      bearer(token(claims({ exp: 1 }))),
      { host: 'api.test', authorization: 'Basic eDp5', 'x-api-key': 'nonsense' },
    ];
    for (const asker of [h1, h2]) {
      for (const headers of cases) {
        const { seen } = await ask(asker, { path: '/open/x?access_token=x', headers });
        assert.deepEqual(fieldsOf(seen as SeenRequest, 'authorization'), [headers.authorization]);
        assert.deepEqual(fieldsOf(seen as SeenRequest, 'x-portcullis-caller'), []);
      }
    }
  });
});

describe('what the service is told', () => {
  /** Spellings that some server takes for the same name. */
  const spellings = (name: string) => [
    name,
    name.toUpperCase(),
    name.replaceAll('-', '_'),
    name.replace('-', '_'),
    name.replaceAll('-', '.'),
    `${name}_`,
    name.replace(/-(\w)/g, (_, letter: string) => `-${letter.toUpperCase()}`),
  ];
  /** CGI, WSGI and PHP: capitals, and everything else `_`. */
  const asCgi = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  const identity = forgedNames.filter((name) => /portcullis|user|consumer|auth|jwt|scope|role|group|claim|ident/.test(name));

  test('nobody can forge who he is, known or not, in any spelling', async () => {
    assert.ok(identity.length > 30);
    const routes: [string, Record<string, string>, string[]][] = [
      ['/open/x', {}, []],
      ['/jwt/x', { authorization: `Bearer ${token()}` }, ['staff', 'u-17', 'orders:read']],
      [
        '/trusting/x',
        { authorization: `Bearer ${token(claims({ sub: undefined, scope: undefined }), { typ: 'JWT' })}` },
        ['staff'],
      ],
      ['/keys/x', { 'x-api-key': apiKey }, ['partners', 'acme', 'orders:read']],
    ];
    for (const [at, credential, expected] of routes) {
      for (const name of identity) {
        const forged = spellings(name).filter((one) => !/^(?:proxy-)?authorization$/i.test(one));
        const lines = [...new Set(forged)].map((one) => `${one}: FORGED`);
        const own = Object.entries(credential).map(([field, value]) => `${field}: ${value}`);
        const before = echo.requests.length;
        const text = [`GET ${at} HTTP/1.1`, 'Host: api.test', 'Connection: close', ...lines, ...own].join('\r\n');
        const answer = parseResponse(await rawRequest(gateway.port('plain'), `${text}\r\n\r\n`, { timeout: 20_000 }));
        assert.equal(answer.status, 200, `${at} ${name}: ${String(answer.body)}`);
        const seen = echo.requests[before];
        assert.doesNotMatch(seen.raw.toString('latin1'), /FORGED/, `${at} ${name}`);
        const told = seen.headers.filter(([field]) => asCgi(field).startsWith('X_PORTCULLIS')).map(([, value]) => value);
        assert.deepEqual(told, expected, `${at} ${name}`);
      }
    }
  });

  test('nor by a name that only reads like ours', async () => {
    const credential = { authorization: `Bearer ${token()}` };
    for (const at of ['/open/x', '/jwt/x']) {
      const headers = at === '/jwt/x' ? credential : {};
      const lines = [...ownSpellings.map((name) => `${name}: FORGED`), ...Object.entries(headers).map((pair) => pair.join(': '))];
      const before = echo.requests.length;
      const text = [`GET ${at} HTTP/1.1`, 'Host: api.test', 'Connection: close', ...lines].join('\r\n');
      const answer = parseResponse(await rawRequest(gateway.port('plain'), `${text}\r\n\r\n`, { timeout: 20_000 }));
      assert.equal(answer.status, 200, String(answer.body));
      assert.doesNotMatch(echo.requests[before].raw.toString('latin1'), /FORGED/);
      const forged = Object.fromEntries(ownSpellings.map((name) => [name.toLowerCase(), 'FORGED']));
      const { seen } = await ask(h2, { path: at, headers: { host: 'api.test', ...forged, ...headers } });
      assert.doesNotMatch((seen as SeenRequest).raw.toString('latin1'), /FORGED/);
    }
  });

  test('nor over HTTP/2, nor in trailers', async () => {
    for (const [at, credential] of [
      ['/open/x', {}],
      ['/jwt/x', { authorization: `Bearer ${token()}` }],
    ] as const) {
      const names = [...new Set(identity.flatMap(spellings).map((name) => name.toLowerCase()))];
      for (let from = 0; from < names.length; from += 40) {
        const headers = Object.fromEntries(names.slice(from, from + 40).map((name) => [name, 'FORGED']));
        for (const name of ['proxy-connection', 'authorization']) delete headers[name];
        const { seen } = await ask(h2, { path: at, headers: { host: 'api.test', ...headers, ...credential } });
        assert.doesNotMatch((seen as SeenRequest).raw.toString('latin1'), /FORGED/);
      }
    }
    const chunked = `POST /open/x HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: x-portcullis-subject\r\n\r\n1\r\na\r\n0\r\nX-Portcullis-Subject: FORGED\r\n\r\n`;
    const before = echo.requests.length;
    parseResponse(await rawRequest(gateway.port('plain'), chunked, { timeout: 20_000 }));
    assert.doesNotMatch(echo.requests[before].raw.toString('latin1'), /FORGED/);
  });

  test('`Connection` takes none of it away', async () => {
    const own = `Authorization: Bearer ${token()}\r\nConnection: close, X-Portcullis-Caller, X-Portcullis-Subject, Authorization, X-Request-Id`;
    const before = echo.requests.length;
    parseResponse(
      await rawRequest(gateway.port('plain'), `GET /jwt/x HTTP/1.1\r\nHost: api.test\r\n${own}\r\n\r\n`, { timeout: 20_000 }),
    );
    assert.deepEqual(fieldsOf(echo.requests[before], 'x-portcullis-subject'), ['u-17']);
  });

  test('whatever stands in a token stays one visible value', async () => {
    const subjects: [string, string][] = [
      ['a\r\nX-Portcullis-Scopes: admin', 'a%0D%0AX-Portcullis-Scopes:%20admin'],
      ['a\0b', 'a%00b'],
      ['Zoë 名', 'Zo%C3%AB%20%E5%90%8D'],
      ['50%41', '50%2541'],
      [' a ', '%20a%20'],
      ['\u007f\u0085\u2028', '%7F%C2%85%E2%80%A8'],
    ];
    for (const asker of [h1, h2]) {
      for (const [sub, expected] of subjects) {
        const { seen, reply } = await ask(asker, { path: '/jwt/x', headers: bearer(token(claims({ sub }))) });
        assert.deepEqual(fieldsOf(seen as SeenRequest, 'x-portcullis-subject'), [expected]);
        assert.deepEqual(fieldsOf(seen as SeenRequest, 'x-portcullis-scopes'), ['orders:read']);
        const record = (await recorded(reply)) as { caller: { subject: string } };
        assert.equal(record.caller.subject, sub);
      }
    }
  });

  test('the credential goes to those services only that ask for it', async () => {
    const good = token();
    const cases: [string, Record<string, string>, string[], string[]][] = [
      ['/jwt/x', bearer(good), [], []],
      ['/trusting/x', bearer(good), [`Bearer ${good}`], []],
      ['/keys/x', { host: 'api.test', 'x-api-key': apiKey }, [], []],
      ['/trusting/x', { host: 'api.test', 'x-api-key': apiKey }, [], [apiKey]],
      // No credential for a method of this route: it goes on like everything that is not ours.
      ['/keys/x', { host: 'api.test', 'x-api-key': apiKey, authorization: 'Basic eDp5' }, ['Basic eDp5'], []],
    ];
    for (const asker of [h1, h2]) {
      for (const [at, headers, authorization, key] of cases) {
        const { seen } = await ask(asker, { path: at, headers });
        assert.deepEqual(fieldsOf(seen as SeenRequest, 'authorization'), authorization, at);
        assert.deepEqual(fieldsOf(seen as SeenRequest, 'x-api-key'), key, at);
      }
    }
  });
});

test('a token that passed does not pass for another that only begins like it', async () => {
  const good = token();
  assert.equal((await ask(h1, { path: '/jwt/x', headers: bearer(good) })).code, 'passed');
  const [header, , signature] = good.split('.');
  const other = `${header}.${base64url(JSON.stringify(claims({ sub: 'admin' })))}.${signature}`;
  for (let round = 0; round < 2; round++)
    assert.equal((await ask(h1, { path: '/jwt/x', headers: bearer(other) })).code, 'token-signature');
});

test('a certificate and a token: two credentials where the route names both, and a proof where the token is bound', async () => {
  await using folder = await certificateFolder();
  const files = await tlsFiles(['a.test']);
  const ca = await TestCa.root(folder.dir, 'root');
  const [mine, other] = [await ca.issue('mine', { subject: '/CN=mine' }), await ca.issue('other', { subject: '/CN=other' })];
  const thumbprint = new X509Certificate(await readFile(mine.certificate)).fingerprint256.replaceAll(':', '');
  const bound = token(claims({ cnf: { 'x5t#S256': Buffer.from(thumbprint, 'hex').toString('base64url') } }));
  const { certificate, key } = files.of('a.test');
  const start = (mode: string) => `
listeners:
  public:
    address: 127.0.0.1:0
    tls: { certificate: ${certificate}, key: ${key}, client-certificates: { ca: ${ca.certificate}, mode: ${mode} } }
services: { s: "${echo.url}" }
authentication:
  staff: { jwt: { issuer: "${issuer}", audience: ${audience}, jwks: ${path.join(dir, 'jwks.json')}, algorithms: [RS256] } }
  machines: { mtls: {} }
routes:
  - { path: /jwt/**, service: s, authentication: [staff] }
  - { path: /both/**, service: s, authentication: [staff, machines] }
`;
  const cases: [string, Shown | undefined, string | undefined, number, string | undefined][] = [
    ['/both/x', mine, undefined, 200, undefined],
    ['/both/x', undefined, token(), 200, undefined],
    ['/both/x', mine, token(), 401, 'credentials-ambiguous'],
    ['/both/x', mine, 'nonsense', 401, 'credentials-ambiguous'],
    ['/both/x', undefined, undefined, 401, 'credentials-missing'],
    ['/jwt/x', mine, token(), 200, undefined],
    ['/jwt/x', mine, undefined, 401, 'token-missing'],
    ['/jwt/x', mine, bound, 200, undefined],
    ['/jwt/x', other, bound, 401, 'token-bound'],
    ['/jwt/x', undefined, bound, 401, 'token-bound'],
    ['/jwt/x', mine, bound, 200, undefined],
  ];
  {
    await using certified = await startGateway(start('optional'));
    for (const [at, shown, one, status, code] of cases) {
      const before = echo.requests.length;
      const headers = one === undefined ? undefined : { authorization: `Bearer ${one}` };
      const answer = await visit({ port: certified.port('public'), servername: 'a.test', path: at, shown, headers });
      assert.deepEqual([answer.status, answer.code], [status, code], `${at} ${answer.error}`);
      assert.equal(echo.requests.length - before, status === 200 ? 1 : 0);
    }
  }
  await files.remove();
});
