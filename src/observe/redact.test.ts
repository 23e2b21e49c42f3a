import assert from 'node:assert/strict';
import test from 'node:test';
import { guardLog, Redaction } from './redact.ts';

/** What a log says of these, as text. */
function logged(message: string, fields?: Record<string, unknown>, personal?: ReadonlySet<string>): string {
  const lines: string[] = [];
  const show = (value: unknown): unknown =>
    value instanceof Error ? { message: value.message, stack: value.stack, cause: show(value.cause) } : value;
  const say = (text: string, more?: Record<string, unknown>) =>
    void lines.push(text + JSON.stringify(more ?? {}, (_, value: unknown) => show(value)));
  guardLog({ info: say, warn: say, error: say }, personal).warn(message, fields);
  return lines.join('\n');
}

const MARK = 'MARK5f2c9d';

/** Texts that hold a credential: the mark must not be seen. */
const CREDENTIALS = [
  `cannot reach http://user:${MARK}@orders.internal/x`,
  `cannot reach https://${MARK}@orders.internal/x`,
  `redis://:${MARK}@127.0.0.1:6379`,
  `authorization: Bearer ${MARK}`,
  `Authorization: ${MARK}`,
  `a header {"authorization":"Bearer ${MARK}"}`,
  `a header {"Cookie": "a=b; session=${MARK}"}`,
  `cookie: a=b; c=${MARK}; d=e`,
  `set-cookie: id=${MARK}; HttpOnly`,
  `X-Api-Key: ${MARK}`,
  `GET /a?access_token=${MARK}&b=c`,
  `GET /a?b=c&api_key=${MARK}`,
  `grant_type=x&client_secret=${MARK}&client_assertion=${MARK}`,
  `password="${MARK} with spaces" next`,
  `Basic dXNlcjpwYXNzd29yZA${MARK}`,
  `DPoP ${MARK}.x`,
  `token eyJhbGciOiJub25lIn0.eyJzdWIiOiJ${MARK}.${MARK} was refused`,
  `key pcl_0123456789${MARK}`,
  `-----BEGIN PRIVATE KEY-----\n${MARK}\n-----END PRIVATE KEY-----`,
  `Error: cannot be reached: Cookie: ${MARK}`,
  `url=/a?access_token=${MARK}`,
  `reason=password=${MARK}`,
  `{"a":"b","password":"a\\"${MARK}"}`,
  JSON.stringify({ body: JSON.stringify({ password: `a"${MARK}` }) }),
  JSON.stringify({ body: JSON.stringify({ name: 'x', access_token: MARK, last: 1 }) }),
  `-----BEGIN RSA PRIVATE KEY-----\n${MARK}`,
];

/** What people must be able to read. */
const PLAIN = [
  'the keys of an issuer cannot be read, its tokens get 503',
  'there is no secret LATE: looked in the environment',
  'the value of secret:FROM_ENV does not fit here',
  'portcullis.yaml:3:5: admin.token: a token needs at least 16 characters',
  'listener public: the address 127.0.0.1:8080 is taken',
  'http://127.0.0.1:9001/x?limit=20&sort=-created',
  'mail to somebody@example.com',
  'code: ENOENT, status=404',
];

test('no text of the log shows a credential', () => {
  for (const text of CREDENTIALS) {
    const all = logged(text, {
      reason: text,
      list: [text],
      deep: { a: { b: text } },
      error: new Error(text, { cause: new Error(text) }),
    });
    assert.ok(!all.includes(MARK), all);
  }
});

test('what holds none is shown as it is', () => {
  for (const text of PLAIN) assert.ok(logged(text).startsWith(text), logged(text));
  assert.match(logged('x', { error: Object.assign(new Error('plain'), { code: 'EACCES' }) }), /plain/);
});

test('fields with the name of a credential, and bytes, are not shown', () => {
  const all = logged('x', {
    authorization: MARK,
    deep: { Cookie: [MARK] },
    body: Buffer.from(MARK),
    headers: { 'x-api-key': MARK },
  });
  assert.ok(!all.includes(MARK) && !all.includes(Buffer.from(MARK).toString('base64')), all);
  assert.match(all, /10 bytes/);
});

test('fields that are marked as personal are hidden with the same care', () => {
  const personal = new Set(['email', 'x-customer']);
  for (const text of [`email=${MARK}&a=b`, `{"email":"${MARK}"}`, `X-Customer: ${MARK} and more`, `Email: ${MARK}`]) {
    assert.ok(!logged(text, { reason: text }, personal).includes(MARK), text);
    assert.ok(logged(text).includes(MARK), 'nothing was marked');
  }
});

test('a cycle, and what is very deep, ends', () => {
  const cycle: Record<string, unknown> = { a: 1 };
  cycle.self = cycle;
  assert.match(logged('x', { cycle }), /…/);
});

test('no text makes the search slow', () => {
  const texts = [
    'a',
    '-',
    'eyJ',
    'eyJ-',
    'a=',
    '"a":"',
    '//',
    'a: ',
    'Bearer ',
    '-----BEGIN PRIVATE KEY-----',
    'pcl_',
    '"\\',
    'a.eyJ',
  ].map((piece) => piece.repeat(200_000 / piece.length));
  for (const text of texts) {
    const began = performance.now();
    logged(text);
    const took = performance.now() - began;
    assert.ok(took < 1000, `${text.slice(0, 20)} took ${took} ms`);
  }
});

const routes = ['/users/{email}', '/users/{email}/orders/{id}', '/files/**', '/orders/{id}', '/users/me'];
const redaction = (more: object = {}) =>
  new Redaction({ parameters: ['email'], fields: [], subject: 'keep', address: 'keep', ...more }, routes);

test('the value of a marked parameter is not in a path', () => {
  const cases: [path: string, route: string | undefined, shown: string][] = [
    ['/users/bob%40example.com', '/users/{email}', '/users/{email}'],
    ['/users/bob/orders/7', '/users/{email}/orders/{id}', '/users/{email}/orders/7'],
    ['/users/me', '/users/me', '/users/me'],
    ['/orders/7', '/orders/{id}', '/orders/7'],
    ['/files/a/b', '/files/**', '/files/a/b'],
    ['/users/bob/else', undefined, '/users/…'],
    ['/USERS/bob', undefined, '/USERS/…'],
    ['/%75sers/bob', undefined, '/%75sers/…'],
    ['/users', undefined, '/users'],
    ['/nothing/here', undefined, '/nothing/here'],
    ['*', undefined, '*'],
  ];
  for (const [path, route, shown] of cases) assert.equal(redaction().path(path, route), shown, path);
  assert.equal(redaction().unreadPath('/users/bob%zz?x'), '…');
});

test('a wildcard shows no more of a path than the marked route would', () => {
  const both = new Redaction({ parameters: ['email'], fields: [], subject: 'keep', address: 'keep' }, [
    '/users/{email}',
    '/users/**',
    '/**',
  ]);
  assert.equal(both.path('/users/bob/x', '/users/**'), '/users/…');
  assert.equal(both.path('/else/bob', '/**'), '/else/bob');
});

test('without marks nothing is changed', () => {
  const open = new Redaction(undefined, routes);
  assert.equal(open.path('/users/bob', '/users/{email}'), '/users/bob');
  assert.equal(open.unreadPath('http://user:pw@h/users/bob?a=b'), '/users/bob');
  assert.equal(open.unreadPath('user:pw@h:80'), 'h:80');
  assert.equal(open.address('203.0.113.7'), '203.0.113.7');
});

test('an address can be shown as its network', () => {
  const network = redaction({ address: 'network' });
  const cases = {
    '203.0.113.7': '203.0.113.0',
    '2001:db8:1:2::9': '2001:db8:1::',
    '2001:db8::1': '2001:db8:0::',
    '::1': '0:0:0::',
  };
  for (const [address, shown] of Object.entries(cases)) assert.equal(network.address(address), shown);
});
