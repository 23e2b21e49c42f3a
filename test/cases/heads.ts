import type { CatalogueCode } from '../../src/exchange/decision.ts';
import type { Framing } from '../../src/exchange/read-head.ts';

/** A head whose syntax is in order; what it means is asked. GET / over plain HTTP/1.1 unless it says otherwise. */
export interface HeadCase {
  readonly name: string;
  readonly method?: string;
  readonly target?: string;
  readonly version?: '1.0' | '1.1' | '2';
  readonly secure?: boolean;
  readonly headers: readonly string[];
  readonly pseudo?: { readonly authority?: string; readonly scheme?: string };
}
export interface GoodHead extends HeadCase {
  /** What the head must say; `headers` are the fields that are left, in order. */
  readonly expect: {
    readonly host?: string;
    readonly authority?: string;
    readonly path?: string;
    readonly headers?: readonly string[];
  };
}
export interface BadHead extends HeadCase {
  readonly code: CatalogueCode;
  readonly status: number;
}

const h2 = { version: '2', secure: true } as const;
const H = ['host', 'h'] as const;

export const goodHeads: readonly GoodHead[] = [
  { name: 'the plainest', headers: H, expect: { host: 'h', authority: 'h', path: '/', headers: H } },
  { name: 'a host with a port', headers: ['host', 'H.Example:8080'], expect: { host: 'h.example', authority: 'h.example:8080' } },
  { name: 'HTTP/1.0 without Host', version: '1.0', headers: [], expect: { host: '', authority: '', headers: [] } },
  { name: 'HTTP/1.0 with Host', version: '1.0', headers: H, expect: { host: 'h', headers: H } },
  {
    name: 'HTTP/1.0, absolute target, no Host',
    version: '1.0',
    target: 'http://h:81/a',
    headers: [],
    expect: { authority: 'h:81', path: '/a', headers: ['host', 'h:81'] },
  },
  { name: 'absolute target that agrees with Host', target: 'http://h/a', headers: H, expect: { host: 'h', path: '/a' } },
  { name: 'absolute target with the usual port', target: 'http://h:80/a', headers: H, expect: { host: 'h', authority: 'h:80' } },
  { name: 'absolute target in another case', target: 'http://H/a', headers: H, expect: { host: 'h', authority: 'h' } },
  { name: 'absolute https target over TLS', target: 'https://h/', secure: true, headers: H, expect: { host: 'h' } },
  { name: 'OPTIONS *', method: 'OPTIONS', target: '*', headers: H, expect: { path: '*' } },
  { name: 'a WebDAV method', method: 'PROPFIND', headers: H, expect: { path: '/' } },
  { name: 'QUERY', method: 'QUERY', headers: H, expect: { path: '/' } },
  {
    name: 'two Accept',
    headers: [...H, 'accept', 'a/b', 'accept', 'c/d'],
    expect: { headers: [...H, 'accept', 'a/b', 'accept', 'c/d'] },
  },
  { name: 'two If-None-Match', headers: [...H, 'if-none-match', '"a"', 'if-none-match', '"b"'], expect: {} },
  { name: 'two X-Forwarded-For', headers: [...H, 'x-forwarded-for', '1.1.1.1', 'x-forwarded-for', '2.2.2.2'], expect: {} },
  { name: 'two User-Agent', headers: [...H, 'user-agent', 'a', 'user-agent', 'b'], expect: {} },
  {
    name: 'two cookies are one',
    headers: ['cookie', 'a=1', ...H, 'cookie', 'b=2', 'x', 'y', 'cookie', 'c=3'],
    expect: { headers: ['cookie', 'a=1; b=2; c=3', ...H, 'x', 'y'] },
  },
  { name: 'one cookie stays', headers: [...H, 'cookie', 'a=1'], expect: { headers: [...H, 'cookie', 'a=1'] } },
  {
    name: 'Connection: close',
    headers: [...H, 'connection', 'close', 'x-a', '1'],
    expect: { headers: [...H, 'connection', 'close', 'x-a', '1'] },
  },
  {
    name: 'Connection names a field',
    headers: [...H, 'connection', 'x-a', 'x-a', '1', 'x-b', '2'],
    expect: { headers: [...H, 'connection', 'x-a', 'x-b', '2'] },
  },
  {
    name: 'Connection names a field in another case',
    headers: [...H, 'connection', 'close ,\tX-A', 'x-a', '1', 'x-a', '2'],
    expect: { headers: [...H, 'connection', 'close ,\tX-A'] },
  },
  {
    name: 'two Connection fields',
    headers: [...H, 'connection', 'x-a', 'x-a', '1', 'connection', 'x-b', 'x-b', '2'],
    expect: { headers: [...H, 'connection', 'x-a', 'connection', 'x-b'] },
  },
  { name: 'Connection names what is not there', headers: [...H, 'connection', 'x-a'], expect: {} },
  {
    name: 'Connection is odd',
    headers: [...H, 'connection', ', ,a b,"x-a",', 'x-a', '1'],
    expect: { headers: [...H, 'connection', ', ,a b,"x-a",', 'x-a', '1'] },
  },
  ...[
    'authorization',
    'cookie',
    'content-type',
    'content-length',
    'content-encoding',
    'host',
    'origin',
    'referer',
    'range',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'forwarded',
    'x-real-ip',
    'x-request-id',
    'traceparent',
    'x-portcullis-caller',
    'x-api-key',
    'dpop',
    'x-csrf-token',
    'cf-connecting-ip',
    'sec-fetch-site',
    'access-control-request-method',
    'if-match',
    'cache-control',
    'client-cert',
  ].map((name): GoodHead => {
    const value = name === 'host' ? 'h' : name === 'content-length' ? '0' : 'v';
    const headers = [...(name === 'host' ? [] : H), name, value, 'connection', `close, ${name}`];
    return { name: `Connection cannot name ${name} away`, headers, expect: { headers } };
  }),
  {
    name: 'HTTP/2, :authority only',
    ...h2,
    headers: ['accept', '*/*'],
    pseudo: { authority: 'H:8443', scheme: 'https' },
    expect: { host: 'h', authority: 'h:8443', headers: ['accept', '*/*', 'host', 'h:8443'] },
  },
  { name: 'HTTP/2, host only', ...h2, headers: H, pseudo: { scheme: 'https' }, expect: { host: 'h', headers: H } },
  {
    name: 'HTTP/2, both agree',
    ...h2,
    headers: H,
    pseudo: { authority: 'h', scheme: 'https' },
    expect: { host: 'h', headers: H },
  },
  {
    name: 'HTTP/2, both agree but for the usual port',
    ...h2,
    headers: H,
    pseudo: { authority: 'h:443', scheme: 'https' },
    expect: { authority: 'h:443' },
  },
  {
    name: 'HTTP/2, crumbs',
    ...h2,
    headers: [...H, 'cookie', 'a=1', 'cookie', 'b=2'],
    expect: { headers: [...H, 'cookie', 'a=1; b=2'] },
  },
  { name: 'HTTP/2, te: trailers', ...h2, headers: [...H, 'te', 'trailers'], expect: {} },
  { name: 'HTTP/2, obs-text in a value', ...h2, headers: [...H, 'x-name', 'J\xfcrgen'], expect: {} },
  { name: 'HTTP/2, a tab inside a value', ...h2, headers: [...H, 'x-name', 'a\tb'], expect: {} },
  { name: 'HTTP/2, an empty value', ...h2, headers: [...H, 'x-name', ''], expect: {} },
  {
    name: 'HTTP/2, OPTIONS *',
    ...h2,
    method: 'OPTIONS',
    target: '*',
    headers: [],
    pseudo: { authority: 'h' },
    expect: { path: '*' },
  },
];

const bad = (
  code: CatalogueCode,
  status: number,
  name: string,
  headers: readonly string[],
  more: Omit<HeadCase, 'name' | 'headers'> = {},
): BadHead => ({
  name,
  headers,
  code,
  status,
  ...more,
});

const twice = (name: string, code: CatalogueCode): BadHead =>
  bad(code, 400, `two ${name}`, [...(name === 'host' ? [] : H), name, '1', 'x', 'y', name, '1']);

export const badHeads: readonly BadHead[] = [
  ...[
    'CONNECT',
    'TRACE',
    'TRACK',
    'PRI',
    'get',
    'Get',
    'GETS',
    'G',
    '',
    'GET ',
    'FOO',
    '__proto__',
    'constructor',
    'DEBUG',
    'PURGE',
    'GE\xcf',
  ].map((method) => bad('method-unknown', 501, `method ${JSON.stringify(method)}`, H, { method })),
  bad('host-invalid', 400, 'no Host', []),
  bad('host-invalid', 400, 'no Host, absolute target', [], { target: 'http://h/' }),
  bad('host-invalid', 400, 'empty Host', ['host', '']),
  bad('host-invalid', 400, 'empty Host in HTTP/1.0', ['host', ''], { version: '1.0' }),
  bad('host-invalid', 400, 'two Host in HTTP/1.0', ['host', 'h', 'host', 'h'], { version: '1.0' }),
  bad('host-invalid', 400, 'userinfo', ['host', 'a@b']),
  bad('host-invalid', 400, 'a path', ['host', 'h/evil']),
  bad('host-invalid', 400, 'a list', ['host', 'a, b']),
  bad('host-invalid', 400, 'Host differs from the target', ['host', 'good.example'], { target: 'http://evil.example/' }),
  bad('host-invalid', 400, 'Host differs in the port', ['host', 'h:81'], { target: 'http://h/' }),
  bad('host-invalid', 400, 'Host extends the target', ['host', 'h.evil.example'], { target: 'http://h/' }),
  bad('target-invalid', 400, 'an https target over plain', H, { target: 'https://h/' }),
  bad('target-invalid', 400, 'an http target over TLS', H, { target: 'http://h/', secure: true }),
  bad('target-invalid', 400, 'a fragment', H, { target: '/a#b' }),
  bad('path-ambiguous', 400, 'an encoded slash', H, { target: '/a%2fb' }),
  twice('host', 'host-invalid'),
  twice('content-length', 'body-framing'),
  twice('transfer-encoding', 'body-framing'),
  twice('content-type', 'content-type'),
  ...[
    'authorization',
    'proxy-authorization',
    'content-location',
    'content-range',
    'content-disposition',
    'range',
    'if-range',
    'if-modified-since',
    'if-unmodified-since',
    'origin',
    'referer',
    'expect',
    'idempotency-key',
    'access-control-request-method',
    'sec-websocket-key',
    'sec-websocket-version',
    'sec-fetch-site',
    'sec-fetch-mode',
    'sec-fetch-dest',
  ].map((name) => twice(name, 'header-invalid')),
  ...['transfer_encoding', 'content_length', 'transfer.encoding', 'content.length', 'transfer~encoding', 'content|length'].map(
    (name) => bad('body-framing', 400, `${name}, a look-alike`, [...H, name, 'chunked']),
  ),
  ...['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'transfer-encoding'].map((name) =>
    bad('header-invalid', 400, `HTTP/2, ${name}`, [...H, name, 'x'], h2),
  ),
  bad('header-invalid', 400, 'HTTP/2, te: gzip', [...H, 'te', 'gzip'], h2),
  bad('header-invalid', 400, 'HTTP/2, te: trailers, deflate', [...H, 'te', 'trailers, deflate'], h2),
  ...['X-A', '', 'a b', 'a:b', ':path', 'a\0', 'a\n', 'a\xe9', 'a"b', 'a(b)', 'a,b', 'a/b', 'a@b'].map((name) =>
    bad('header-invalid', 400, `HTTP/2, name ${JSON.stringify(name)}`, [...H, name, 'v'], h2),
  ),
  ...['a\rb', 'a\nb', 'a\r\nx-b: c', 'a\0b', 'a\x0bb', 'a\x7fb', ' a', 'a ', '\ta', 'a\t', '\u0130'].map((value) =>
    bad('header-invalid', 400, `HTTP/2, value ${JSON.stringify(value)}`, [...H, 'x-a', value], h2),
  ),
  bad('host-invalid', 400, 'HTTP/2 without any host', [], { ...h2, pseudo: { scheme: 'https' } }),
  bad('host-invalid', 400, 'HTTP/2, :authority is malformed', [], { ...h2, pseudo: { authority: 'a@b' } }),
  bad('host-invalid', 400, 'HTTP/2, :authority is empty', H, { ...h2, pseudo: { authority: '' } }),
  bad('host-invalid', 400, 'HTTP/2, both disagree', H, { ...h2, pseudo: { authority: 'evil.example' } }),
  bad('host-invalid', 400, 'HTTP/2, both disagree in the port', H, { ...h2, pseudo: { authority: 'h:8443' } }),
  bad('host-invalid', 400, 'HTTP/2, host is malformed', ['host', 'a b'], { ...h2, pseudo: { authority: 'h' } }),
  bad('target-invalid', 400, 'HTTP/2, :scheme http over TLS', H, { ...h2, pseudo: { scheme: 'http' } }),
  bad('target-invalid', 400, 'HTTP/2, :scheme with more in it', H, { ...h2, pseudo: { scheme: 'https://evil.example/?' } }),
  bad('target-invalid', 400, 'HTTP/2, :scheme in upper case', H, { ...h2, pseudo: { scheme: 'HTTPS' } }),
  bad('target-invalid', 400, 'HTTP/2, an absolute :path', H, { ...h2, target: 'https://h/' }),
  bad('target-invalid', 400, 'HTTP/2, an empty :path', H, { ...h2, target: '' }),
];

/** How long the body is, by the fields alone. */
export interface FramingCase {
  readonly headers: readonly string[];
  readonly version?: '1.0' | '1.1' | '2';
  readonly expect: Framing | CatalogueCode;
}

const length = (value: string, expect: FramingCase['expect']): FramingCase => ({ headers: ['content-length', value], expect });
const coding = (value: string, expect: FramingCase['expect']): FramingCase => ({ headers: ['transfer-encoding', value], expect });

export const framings: readonly FramingCase[] = [
  { headers: [], expect: { kind: 'none' } },
  { headers: [], version: '1.0', expect: { kind: 'none' } },
  { headers: [], version: '2', expect: { kind: 'none' } },
  { headers: ['content-length', '7'], version: '2', expect: { kind: 'length', length: 7 } },
  { headers: ['content-length', '7'], version: '1.0', expect: { kind: 'length', length: 7 } },
  length('0', { kind: 'length', length: 0 }),
  length('42', { kind: 'length', length: 42 }),
  length('007', { kind: 'length', length: 7 }),
  length('999999999999999', { kind: 'length', length: 999_999_999_999_999 }),
  ...[
    '',
    ' ',
    '+5',
    '-5',
    '-0',
    '5.0',
    '5e1',
    '0x5',
    '0b1',
    '0o7',
    '5,5',
    '5, 5',
    '5 5',
    ' 5',
    '5 ',
    '5;a',
    '5a',
    'a5',
    '٣',
    '\xb2',
    '1_0',
    "1'0",
    'NaN',
    'Infinity',
    '5\n',
    '9999999999999999',
    '18446744073709551616',
  ].map((value) => length(value, 'body-framing')),
  coding('chunked', { kind: 'chunked' }),
  coding('Chunked', { kind: 'chunked' }),
  coding('CHUNKED', { kind: 'chunked' }),
  ...['gzip', 'gzip, chunked', 'gzip ,\tchunked', 'identity', 'deflate', 'xchunked', 'x-chunked', 'cow'].map((value) =>
    coding(value, 'transfer-coding'),
  ),
  ...[
    '',
    ' ',
    'chunked,',
    ',chunked',
    'chunked, chunked',
    'chunked,chunked',
    'chunked, identity',
    'chunked, gzip',
    'chunked;a=b',
    '"chunked"',
    "chunked 'x'",
    ' chunked',
    'chunked ',
    '\x0bchunked',
    'chunked\x0b',
    'chunked\0',
    'chunked\r',
    'chun\tked',
    'chunkeds',
    'chunked-',
    'chun\u212aed',
    'gzip,,chunked',
    'gzip chunked',
  ].map((value) => coding(value, 'body-framing')),
  { headers: ['transfer-encoding', 'chunked'], version: '1.0', expect: 'body-framing' },
  { headers: ['transfer-encoding', 'chunked'], version: '2', expect: 'body-framing' },
  { headers: ['transfer-encoding', 'gzip'], version: '1.0', expect: 'body-framing' },
  { headers: ['content-length', '5', 'transfer-encoding', 'chunked'], expect: 'body-framing' },
  { headers: ['transfer-encoding', 'chunked', 'content-length', '5'], expect: 'body-framing' },
  { headers: ['transfer-encoding', 'gzip', 'content-length', '5'], expect: 'body-framing' },
  { headers: ['content-length', '5', 'content-length', '5'], expect: 'body-framing' },
  { headers: ['content-length', '5', 'content-length', '6'], expect: 'body-framing' },
  { headers: ['transfer-encoding', 'chunked', 'transfer-encoding', 'chunked'], expect: 'body-framing' },
  { headers: ['transfer-encoding', 'identity', 'transfer-encoding', 'chunked'], expect: 'body-framing' },
  { headers: ['content-length', '', 'content-length', '5'], expect: 'body-framing' },
  { headers: ['transfer-encoding', '', 'transfer-encoding', 'chunked'], expect: 'body-framing' },
];
