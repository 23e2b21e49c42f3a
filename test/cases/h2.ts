import type { CatalogueCode } from '../../src/exchange/decision.ts';
import {
  type ErrorName,
  END_HEADERS,
  END_STREAM,
  data,
  frame,
  get,
  HAS_PRIORITY,
  HEADERS,
  headers,
  PADDED,
  ping,
  post,
  priority,
  settings,
  uint32,
  windowUpdate,
} from '../support/h2-raw.ts';
import { encodeAndRemember, encodeFields, type Field, indexed, tableSize } from '../support/hpack.ts';

/**
 * What clients may and may not say on an HTTP/2 connection, as frames. The request in question is on stream 1. `threat` is the class of
 * attack in the project's list of threats.
 */
export interface H2Stop {
  readonly threat: number;
  readonly why: string;
  readonly frames: readonly Buffer[];
  /** What the refusal says; its status is the one of the catalogue, as over HTTP/1. */
  readonly code: CatalogueCode;
  /** RFC 9113 calls it malformed: behind the answer, the stream is reset with PROTOCOL_ERROR. */
  readonly malformed: boolean;
}

/** What ends the whole connection, with this error in GOAWAY. */
export interface H2Break {
  readonly threat: number;
  readonly why: string;
  readonly frames: readonly Buffer[];
  readonly error: ErrorName;
}

/** What the service must see, exactly once. */
export interface H2Pass {
  readonly threat: number;
  readonly why: string;
  readonly frames: readonly Buffer[];
  readonly status?: number;
  /** undefined: the gateway answers by itself. */
  readonly seen:
    | {
        readonly target: string;
        readonly method?: string;
        readonly body?: string;
        readonly has?: readonly Field[];
        readonly lacks?: readonly string[];
      }
    | undefined;
}

const malformed = (threat: number, code: CatalogueCode, why: string, ...frames: Buffer[]): H2Stop => ({
  threat,
  code,
  why,
  frames,
  malformed: true,
});
const refused = (threat: number, code: CatalogueCode, why: string, ...frames: Buffer[]): H2Stop => ({
  threat,
  code,
  why,
  frames,
  malformed: false,
});
const breaks = (threat: number, error: ErrorName, why: string, ...frames: Buffer[]): H2Break => ({ threat, error, why, frames });
const passes = (threat: number, why: string, seen: H2Pass['seen'], ...frames: Buffer[]): H2Pass => ({
  threat,
  why,
  seen,
  frames,
});

const show = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
const without = (name: string, fields: readonly Field[] = get()): Field[] => fields.filter(([field]) => field !== name);
const having = (name: string, value: string, fields: readonly Field[] = get()): Field[] =>
  fields.map(([field, old]) => [field, field === name ? value : old]);
const many = (count: number, make: (i: number) => Field): Field[] => Array.from({ length: count }, (_, i) => make(i));
/** A POST whose body comes in these pieces, the last one with the end of the stream. */
const upload = (more: readonly Field[], ...pieces: string[]): Buffer[] => [
  headers(1, post('/x', more), { end: pieces.length === 0 }),
  ...pieces.map((piece, i) => data(1, piece, i === pieces.length - 1)),
];
/** A POST with a body, and trailers or what is there in their place. */
const trailed = (...frames: Buffer[]): Buffer[] => [headers(1, post('/x'), { end: false }), data(1, 'hello'), ...frames];

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';

// ---- H2.CL: the length is that of the frames, whatever a field says

const LENGTHS = ['+5', '-5', '0x5', '5,5', '5, 5', '', ' 5', '5 ', '5e0', '99999999999999999999', '5;q=1', 'five'];
const lengths: H2Stop[] = [
  ...LENGTHS.map((value) =>
    malformed(42, 'body-framing', `content-length: ${show(value)}`, ...upload([['content-length', value]], 'hello')),
  ),
  malformed(42, 'body-framing', 'content-length: 0, and a request as body', ...upload([['content-length', '0']], SMUGGLED)),
  malformed(42, 'body-framing', 'content-length is too small', ...upload([['content-length', '3']], 'hello')),
  malformed(
    42,
    'body-framing',
    'content-length is too small, which a second frame shows',
    ...upload([['content-length', '3']], 'hel', 'lo'),
  ),
  malformed(
    42,
    'body-framing',
    'content-length is too small, which an empty frame shows',
    ...upload([['content-length', '5']], 'hello', 'x'),
  ),
  malformed(42, 'body-framing', 'content-length is too large', ...upload([['content-length', '9']], 'hello')),
  malformed(42, 'body-framing', 'content-length, and no body', ...upload([['content-length', '5']])),
  malformed(
    42,
    'body-framing',
    'content-length, and trailers in place of a body',
    headers(1, post('/x', [['content-length', '5']]), { end: false }),
    headers(1, [['x', 'y']]),
  ),
  malformed(
    42,
    'body-framing',
    'two content-length that agree',
    ...upload(
      [
        ['content-length', '5'],
        ['content-length', '5'],
      ],
      'hello',
    ),
  ),
  malformed(
    42,
    'body-framing',
    'two content-length',
    ...upload(
      [
        ['content-length', '5'],
        ['content-length', '6'],
      ],
      'hello',
    ),
  ),
  malformed(42, 'body-framing', 'content_length', ...upload([['content_length', '5']], 'hello')),
];

// ---- H2.TE and other fields of an HTTP/1 connection

const connectionFields: H2Stop[] = [
  ...['chunked', 'gzip', 'identity', ''].map((value) =>
    malformed(
      42,
      'body-framing',
      `transfer-encoding: ${show(value)}`,
      ...upload([['transfer-encoding', value]], `0\r\n\r\n${SMUGGLED}`),
    ),
  ),
  malformed(42, 'body-framing', 'transfer_encoding', ...upload([['transfer_encoding', 'chunked']], `0\r\n\r\n${SMUGGLED}`)),
  ...(
    [
      ['connection', 'close'],
      ['connection', 'keep-alive'],
      ['connection', 'x-forwarded-for'],
      ['connection', ''],
      ['keep-alive', 'timeout=5'],
      ['proxy-connection', 'keep-alive'],
      ['upgrade', 'websocket'],
      ['upgrade', 'h2c'],
      ['te', 'gzip'],
      ['te', 'trailers, deflate'],
      ['te', ''],
    ] as const
  ).map(([name, value]) => malformed(42, 'header-invalid', `${name}: ${show(value)}`, headers(1, get('/x', [[name, value]])))),
];

// ---- bytes that no field has

const NAMES = [
  'X-A',
  'a b',
  'a:b',
  'a\0',
  'a\n',
  'a\r\nb',
  'a\xe9',
  '',
  'a ',
  ' a',
  'a\t',
  'a"',
  'a(',
  'a=',
  'a/b',
  'transfer-encoding\r\nx',
  'host\0',
  ':',
  '::a',
];
const VALUES = [
  'a\rb',
  'a\nb',
  'a\r\nb: c',
  `a\r\n\r\n${SMUGGLED}`,
  'a\0b',
  '\0',
  'a\x0bb',
  'a\x1bb',
  'a\x7fb',
  ' a',
  'a ',
  '\ta',
  'a\t',
  ' ',
  '\r\n',
];
const fieldBytes: H2Stop[] = [
  ...NAMES.map((name) => malformed(42, 'header-invalid', `a field called ${show(name)}`, headers(1, get('/x', [[name, 'v']])))),
  ...VALUES.map((value) => malformed(42, 'header-invalid', `the value ${show(value)}`, headers(1, get('/x', [['x-a', value]])))),
  malformed(
    42,
    'header-invalid',
    'a line break in a value that is remembered',
    headers(1, Buffer.concat([encodeFields(get('/x')), encodeAndRemember(['x-a', 'a\r\nb'])])),
  ),
  malformed(
    42,
    'header-invalid',
    'a line break in user-agent',
    headers(1, get('/x', [['user-agent', 'a\r\nx-forwarded-for: 127.0.0.1']])),
  ),
  malformed(42, 'header-invalid', 'a line break in cookie', headers(1, get('/x', [['cookie', 'a=1\nb=2']]))),
];

// ---- pseudo fields

const pseudo: H2Stop[] = [
  malformed(42, 'target-invalid', 'no :method', headers(1, without(':method'))),
  malformed(42, 'target-invalid', 'no :scheme', headers(1, without(':scheme'))),
  malformed(42, 'target-invalid', 'no :path', headers(1, without(':path'))),
  malformed(42, 'host-invalid', 'neither :authority nor host', headers(1, without(':authority'))),
  malformed(42, 'target-invalid', 'no field at all', headers(1, [])),
  ...[':method', ':scheme', ':authority', ':path'].map((name) =>
    malformed(
      42,
      'header-invalid',
      `${name} twice`,
      headers(1, [...get('/x'), [name, get('/x').find(([one]) => one === name)?.[1] ?? '']]),
    ),
  ),
  malformed(42, 'header-invalid', 'two :path that differ', headers(1, [...get('/x'), [':path', '/smuggled']])),
  malformed(42, 'header-invalid', 'an unknown one', headers(1, [...get('/x'), [':foo', 'x']])),
  malformed(42, 'header-invalid', ':status in a request', headers(1, [...get('/x'), [':status', '200']])),
  malformed(42, 'header-invalid', ':Path', headers(1, [...get('/x'), [':Path', '/x']])),
  malformed(42, 'header-invalid', 'one behind other fields', headers(1, [...without(':path'), ['x', 'y'], [':path', '/x']])),
  malformed(
    42,
    'header-invalid',
    'one twice, behind other fields',
    headers(
      1,
      get('/x', [
        ['x', 'y'],
        [':path', '/smuggled'],
      ]),
    ),
  ),
  malformed(42, 'header-invalid', 'one in trailers', ...trailed(headers(1, [[':path', '/smuggled']]))),
];

// ---- :path, :scheme, :authority

const PATHS = [
  '',
  'x',
  '*',
  'http://h/',
  'https://h/',
  'https://evil/x',
  '?x',
  '/x#y',
  '/x?y#z',
  '/x?y z',
  '/x?a\r\nb',
  'http:',
  '\0',
  ' /x',
];
const AMBIGUOUS = [
  '/a%2fb',
  '/a%2Fb',
  '/a%5cb',
  '/a\\b',
  '/a%00',
  '/a;b',
  '/a%3bb',
  '/..%2f',
  '/../x',
  '/%2e%2e/x',
  '/a b',
  '/a\0',
  '/a\r\nb',
  '/\xe9',
  '/%ff',
  '/%c0%af',
  '/a%',
  '/%u002f',
];
const AUTHORITIES = [
  '',
  'a@h',
  'h/evil',
  'h evil',
  'h:0',
  'h:99999',
  'h:',
  'h,h',
  'h\0',
  'h\r\nx: y',
  '[::1',
  'h#',
  'h?',
  '.h',
  'h..h',
  '127.1',
];
const targets: H2Stop[] = [
  ...PATHS.map((path) => malformed(42, 'target-invalid', `:path ${show(path)}`, headers(1, get(path)))),
  ...AMBIGUOUS.map((path) => refused(14, 'path-ambiguous', `:path ${show(path)}`, headers(1, get(path)))),
  ...['http', 'ftp', 'HTTPS', '', 'https://x', 'https:', 'htt ps', 'https\r\nx: y'].map((scheme) =>
    malformed(42, 'target-invalid', `:scheme ${show(scheme)}`, headers(1, having(':scheme', scheme, get('/x')))),
  ),
  ...AUTHORITIES.map((host) =>
    malformed(42, 'host-invalid', `:authority ${show(host)}`, headers(1, having(':authority', host, get('/x')))),
  ),
  malformed(42, 'host-invalid', 'host is not :authority', headers(1, get('/x', [['host', 'evil']]))),
  malformed(42, 'host-invalid', 'host is not :authority, in its port', headers(1, get('/x', [['host', 'h:8443']]))),
  malformed(42, 'host-invalid', 'host is empty', headers(1, get('/x', [['host', '']]))),
  malformed(42, 'host-invalid', 'userinfo in host', headers(1, [...without(':authority', get('/x')), ['host', 'a@h']])),
  malformed(
    42,
    'host-invalid',
    'two host',
    headers(
      1,
      get('/x', [
        ['host', 'h'],
        ['host', 'h'],
      ]),
    ),
  ),
];

// ---- :method

const methods: H2Stop[] = [
  ...[
    'TRACE',
    'TRACK',
    'get',
    'FOO',
    '',
    'GET ',
    ' GET',
    'GE T',
    'GET\0',
    'GET / HTTP/1.1\r\nx: y',
    'PRI',
    'PURGE',
    '__proto__',
  ].map((method) => refused(13, 'method-unknown', `:method ${show(method)}`, headers(1, having(':method', method, get('/x'))))),
  refused(
    13,
    'method-unknown',
    'CONNECT',
    headers(1, [
      [':method', 'CONNECT'],
      [':authority', 'h:443'],
    ]),
  ),
  refused(13, 'method-unknown', 'CONNECT with scheme and path', headers(1, having(':method', 'CONNECT', get('/x')))),
  refused(
    42,
    'method-unknown',
    'extended CONNECT',
    headers(1, [...having(':method', 'CONNECT', get('/x')), [':protocol', 'websocket']], { end: false }),
  ),
  refused(42, 'method-unknown', ':protocol without CONNECT', headers(1, [...get('/x'), [':protocol', 'websocket']])),
];

// ---- size and number

const sizes: H2Stop[] = [
  refused(19, 'headers-too-large', 'a value of 17 kB', headers(1, get('/x', [['x-a', 'a'.repeat(17_000)]]))),
  refused(19, 'headers-too-large', 'a value of 40 kB, in three frames', headers(1, get('/x', [['x-a', 'a'.repeat(40_000)]]))),
  refused(19, 'headers-too-large', 'a name of 17 kB', headers(1, get('/x', [['a'.repeat(17_000), 'v']]))),
  refused(
    19,
    'headers-too-large',
    '101 fields',
    headers(
      1,
      get(
        '/x',
        many(101, (i) => [`x-${i}`, 'v']),
      ),
    ),
  ),
  refused(
    19,
    'headers-too-large',
    '2,000 fields',
    headers(
      1,
      get(
        '/x',
        many(2000, (i) => [`x-${i}`, 'v']),
      ),
    ),
  ),
  refused(
    19,
    'headers-too-large',
    '5,000 times a field of one byte, from the table',
    headers(1, Buffer.concat([encodeFields(get('/x')), encodeAndRemember(['a', 'b']), ...Array<Buffer>(5000).fill(indexed(62))])),
  ),
  refused(
    19,
    'headers-too-large',
    'cookie crumbs of 20 kB',
    headers(
      1,
      get(
        '/x',
        many(1000, (i) => ['cookie', `a${i}=01234567`]),
      ),
    ),
  ),
  refused(19, 'target-too-long', 'a path of 9 kB', headers(1, get(`/${'a'.repeat(9000)}`))),
  refused(19, 'target-too-long', 'a query of 40 kB', headers(1, get(`/x?${'a'.repeat(40_000)}`))),
  refused(
    19,
    'body-too-large',
    'content-length beyond `body`',
    headers(1, post('/x', [['content-length', '2000000']]), { end: false }),
  ),
];

// ---- fields that may come once, expectations, trailers

const others: H2Stop[] = [
  refused(
    36,
    'content-type',
    'two content-type',
    ...upload(
      [
        ['content-type', 'a/b'],
        ['content-type', 'c/d'],
      ],
      'hello',
    ),
  ),
  malformed(
    28,
    'header-invalid',
    'two authorization',
    headers(
      1,
      get('/x', [
        ['authorization', 'a'],
        ['authorization', 'b'],
      ]),
    ),
  ),
  refused(7, 'expectation-failed', 'an unknown expectation', ...upload([['expect', 'foo']], 'hello')),
  malformed(6, 'header-invalid', 'trailers that do not end the stream', ...trailed(headers(1, [['x', 'y']], { end: false }))),
  malformed(
    6,
    'header-invalid',
    'trailers without a field that do not end the stream',
    ...trailed(headers(1, Buffer.alloc(0), { end: false })),
  ),
  malformed(6, 'header-invalid', 'a line break in trailers', ...trailed(headers(1, [['x', 'a\r\nb: c']]))),
  malformed(6, 'header-invalid', 'an upper-case name in trailers', ...trailed(headers(1, [['X-A', 'b']]))),
];

export const h2Stops: readonly H2Stop[] = [
  ...lengths,
  ...connectionFields,
  ...fieldBytes,
  ...pseudo,
  ...targets,
  ...methods,
  ...sizes,
  ...others,
];

// ---- what ends the connection

const open = (): Buffer => headers(1, post('/x'), { end: false });
const unended = (): Buffer => frame(HEADERS, END_STREAM, 1, encodeFields(get('/x')));

export const h2Breaks: readonly H2Break[] = [
  breaks(42, 'PROTOCOL_ERROR', 'a request on stream 0', headers(0, get('/x'))),
  breaks(42, 'PROTOCOL_ERROR', 'a request on stream 2', headers(2, get('/x'))),
  breaks(42, 'PROTOCOL_ERROR', 'DATA on a stream that was never begun', data(1, 'x')),
  breaks(42, 'PROTOCOL_ERROR', 'DATA on stream 0', data(0, 'x')),
  breaks(42, 'STREAM_CLOSED', 'DATA behind the end of a stream', headers(1, get('/x')), data(1, SMUGGLED)),
  breaks(42, 'STREAM_CLOSED', 'HEADERS behind the end of a stream', headers(1, get('/x')), headers(1, get('/smuggled'))),
  breaks(42, 'STREAM_CLOSED', 'trailers twice', ...trailed(headers(1, [['x', 'y']]), headers(1, [['x', 'y']]))),
  breaks(42, 'STREAM_CLOSED', 'DATA behind RST_STREAM', open(), frame(3, 0, 1, uint32(8)), data(1, 'x')),
  breaks(
    42,
    'STREAM_CLOSED',
    'a stream with a number below the last one',
    headers(3, get('/x')),
    frame(3, 0, 3, uint32(8)),
    headers(1, get('/smuggled')),
  ),
  breaks(42, 'PROTOCOL_ERROR', 'PUSH_PROMISE', frame(5, END_HEADERS, 1, Buffer.concat([uint32(2), encodeFields(get('/x'))]))),
  breaks(42, 'PROTOCOL_ERROR', 'a frame of its own connection within a field section', unended(), ping()),
  breaks(42, 'PROTOCOL_ERROR', 'CONTINUATION of another stream', unended(), frame(9, END_HEADERS, 3)),
  breaks(42, 'PROTOCOL_ERROR', 'an unknown frame within a field section', unended(), frame(0xee, 0, 1)),
  breaks(42, 'PROTOCOL_ERROR', 'CONTINUATION of nothing', frame(9, END_HEADERS, 1, encodeFields(get('/x')))),
  breaks(
    42,
    'PROTOCOL_ERROR',
    'a stream that depends on itself',
    frame(HEADERS, END_STREAM | END_HEADERS | HAS_PRIORITY, 1, Buffer.concat([uint32(1), Buffer.of(9), encodeFields(get('/x'))])),
  ),
  breaks(
    42,
    'PROTOCOL_ERROR',
    'padding that is longer than its frame',
    frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, Buffer.concat([Buffer.of(255), encodeFields(get('/x'))])),
  ),
  breaks(42, 'PROTOCOL_ERROR', 'padded DATA without a length of the padding', open(), frame(0, PADDED, 1)),
  breaks(42, 'FRAME_SIZE_ERROR', 'a frame of 16,385 bytes', frame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.alloc(16_385))),
  breaks(42, 'FRAME_SIZE_ERROR', 'the head of a frame of 16 MB', Buffer.of(0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1)),
  breaks(42, 'FRAME_SIZE_ERROR', 'settings that are cut off', frame(4, 0, 0, 'abcde')),
  breaks(42, 'FRAME_SIZE_ERROR', 'a ping of 7 bytes', frame(6, 0, 0, '1234567')),
  breaks(42, 'FLOW_CONTROL_ERROR', 'INITIAL_WINDOW_SIZE of 2 GiB', settings([4, 0x8000_0000])),
  breaks(
    42,
    'FLOW_CONTROL_ERROR',
    'INITIAL_WINDOW_SIZE that takes a stream beyond 2 GiB',
    open(),
    windowUpdate(1, 0x7fff_0000),
    settings([4, 0x7fff_ffff]),
  ),
  breaks(42, 'PROTOCOL_ERROR', 'MAX_FRAME_SIZE of 1', settings([5, 1])),
  breaks(42, 'PROTOCOL_ERROR', 'ENABLE_PUSH of 2', settings([2, 2])),
  breaks(43, 'FLOW_CONTROL_ERROR', 'the window of the connection beyond 2 GiB', windowUpdate(0, 0x7fff_ffff)),
  breaks(43, 'PROTOCOL_ERROR', 'the window of the connection wider by 0', windowUpdate(0, 0)),
  breaks(43, 'PROTOCOL_ERROR', 'the window of a stream wider by 0', open(), windowUpdate(1, 0)),
  breaks(43, 'COMPRESSION_ERROR', 'a section that cannot be decoded', headers(1, Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff))),
  breaks(43, 'COMPRESSION_ERROR', 'a field with index 0', headers(1, Buffer.of(0x80))),
  breaks(43, 'COMPRESSION_ERROR', 'a field that is not in the table', headers(1, Buffer.of(0xc8))),
  breaks(43, 'COMPRESSION_ERROR', 'a string without end', headers(1, Buffer.of(0x00, 0x7f))),
  breaks(
    43,
    'COMPRESSION_ERROR',
    'a table larger than it may be',
    headers(1, Buffer.concat([tableSize(4097), encodeFields(get('/x'))])),
  ),
  breaks(
    43,
    'COMPRESSION_ERROR',
    'a hundred changes of the table',
    headers(1, Buffer.concat([...Array<Buffer>(100).fill(tableSize(0)), encodeFields(get('/x'))])),
  ),
  breaks(
    43,
    'COMPRESSION_ERROR',
    'a change of the table behind a field',
    headers(1, Buffer.concat([encodeFields(get('/x')), tableSize(0)])),
  ),
  breaks(43, 'ENHANCE_YOUR_CALM', 'a value of 1 MB', headers(1, get('/x', [['x-a', 'a'.repeat(1_000_000)]]))),
  breaks(43, 'ENHANCE_YOUR_CALM', 'a path of 70 kB', headers(1, get(`/${'a'.repeat(70_000)}`))),
  breaks(43, 'ENHANCE_YOUR_CALM', 'trailers of 100 kB', ...trailed(headers(1, [['x', 'a'.repeat(100_000)]]))),
  breaks(
    43,
    'ENHANCE_YOUR_CALM',
    'a field of 4 kB, 16,000 times from the table',
    headers(
      1,
      Buffer.concat([
        encodeFields(get('/x')),
        encodeAndRemember(['a', 'x'.repeat(4000)]),
        ...Array<Buffer>(16_000).fill(indexed(62)),
      ]),
    ),
  ),
];

// ---- what must pass

const padded = Buffer.concat([Buffer.of(10), encodeFields(get('/x')), Buffer.alloc(10)]);
/** HEADERS with one field, and every other field in a frame of its own. */
const inPieces = (fields: readonly Field[]): Buffer[] =>
  fields.map((field, i) =>
    frame(
      i === 0 ? HEADERS : 9,
      (i === 0 ? END_STREAM : 0) | (i === fields.length - 1 ? END_HEADERS : 0),
      1,
      encodeFields([field]),
    ),
  );

export const h2Passes: readonly H2Pass[] = [
  passes(
    42,
    'the plainest request',
    { target: '/x', method: 'GET', lacks: ['content-length', 'transfer-encoding', 'te'] },
    headers(1, get('/x')),
  ),
  passes(
    42,
    'content-length that is right',
    { target: '/x', body: 'hello', has: [['content-length', '5']], lacks: ['transfer-encoding'] },
    ...upload([['content-length', '5']], 'hello'),
  ),
  passes(
    42,
    'content-length that is right, in many frames',
    { target: '/x', body: 'hello', has: [['content-length', '5']] },
    ...upload([['content-length', '5']], 'h', 'e', '', 'llo', ''),
  ),
  passes(42, 'content-length: 0', { target: '/x', body: '' }, ...upload([['content-length', '0']], '')),
  passes(
    42,
    'no content-length',
    { target: '/x', body: 'hello', has: [['transfer-encoding', 'chunked']] },
    ...upload([], 'hel', 'lo'),
  ),
  passes(
    42,
    'a body that looks like a request',
    { target: '/x', body: `0\r\n\r\n${SMUGGLED}` },
    ...upload([], `0\r\n\r\n${SMUGGLED}`),
  ),
  passes(42, 'te: trailers', { target: '/x', lacks: ['te'] }, headers(1, get('/x', [['te', 'trailers']]))),
  passes(
    42,
    'http2-settings is of HTTP/1 and dropped',
    { target: '/x', lacks: ['http2-settings'] },
    headers(1, get('/x', [['http2-settings', 'AAMAAABkAAQAAP__']])),
  ),
  passes(42, 'expect: 100-continue', { target: '/x', body: 'hello' }, ...upload([['expect', '100-continue']], 'hello')),
  passes(42, 'an empty value', { target: '/x', has: [['x-a', '']] }, headers(1, get('/x', [['x-a', '']]))),
  passes(
    42,
    'a tab and a space within a value',
    { target: '/x', has: [['x-a', 'a\tb c']] },
    headers(1, get('/x', [['x-a', 'a\tb c']])),
  ),
  passes(
    42,
    'bytes above ASCII in a value',
    { target: '/x', has: [['x-a', 'J\xfcrgen']] },
    headers(1, get('/x', [['x-a', 'J\xfcrgen']])),
  ),
  passes(42, 'pseudo fields in another order', { target: '/x' }, headers(1, get('/x').reverse())),
  passes(
    42,
    'host alone',
    { target: '/x', has: [['host', 'h']] },
    headers(1, [...without(':authority', get('/x')), ['host', 'h']]),
  ),
  passes(42, 'host and :authority agree', { target: '/x', has: [['host', 'h']] }, headers(1, get('/x', [['host', 'H']]))),
  passes(
    42,
    'host and :authority agree but for the usual port',
    { target: '/x', has: [['host', 'h']] },
    headers(1, get('/x', [['host', 'h:443']])),
  ),
  passes(
    42,
    ':authority in upper case with a port',
    { target: '/x', has: [['host', 'h.example:8443']] },
    headers(1, having(':authority', 'H.Example:8443', get('/x'))),
  ),
  passes(
    42,
    'cookie crumbs are one field',
    { target: '/x', has: [['cookie', 'a=1; b=2; c=3']] },
    headers(
      1,
      get('/x', [
        ['cookie', 'a=1'],
        ['x', 'y'],
        ['cookie', 'b=2'],
        ['cookie', 'c=3'],
      ]),
    ),
  ),
  passes(
    19,
    '200 crumbs are still one field',
    {
      target: '/x',
      has: [
        [
          'cookie',
          many(200, (i) => ['', `a=${i}`])
            .map(([, value]) => value)
            .join('; '),
        ],
      ],
    },
    headers(
      1,
      get(
        '/x',
        many(200, (i) => ['cookie', `a=${i}`]),
      ),
    ),
  ),
  passes(
    19,
    '100 fields',
    { target: '/x', has: [['x-99', 'v']] },
    headers(
      1,
      get(
        '/x',
        many(100, (i) => [`x-${i}`, 'v']),
      ),
    ),
  ),
  passes(
    19,
    'a value of 15 kB',
    { target: '/x', has: [['x-a', 'a'.repeat(15_000)]] },
    headers(1, get('/x', [['x-a', 'a'.repeat(15_000)]])),
  ),
  passes(19, 'a target of 8 kB', { target: `/${'a'.repeat(8000)}` }, headers(1, get(`/${'a'.repeat(8000)}`))),
  passes(14, 'a path that is not canonical', { target: '/b/c?d=%2f' }, headers(1, get('/a/../b/./%63?d=%2f'))),
  { ...passes(42, 'OPTIONS *', undefined, headers(1, having(':method', 'OPTIONS', get('*')))), status: 204 },
  passes(42, 'HEAD', { target: '/x', method: 'HEAD' }, headers(1, having(':method', 'HEAD', get('/x')))),
  passes(42, 'padding', { target: '/x' }, frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, padded)),
  passes(
    42,
    'padding of DATA',
    { target: '/x', body: 'hello' },
    open(),
    frame(0, END_STREAM | PADDED, 1, Buffer.concat([Buffer.of(200), Buffer.from('hello'), Buffer.alloc(200)])),
  ),
  passes(
    42,
    'a priority',
    { target: '/x' },
    priority(1),
    frame(HEADERS, END_STREAM | END_HEADERS | HAS_PRIORITY, 1, Buffer.concat([uint32(0), Buffer.of(9), encodeFields(get('/x'))])),
  ),
  passes(
    42,
    'CONTINUATION in good measure',
    { target: '/x', has: [['x-7', 'v']] },
    ...inPieces(
      get(
        '/x',
        many(8, (i) => [`x-${i}`, 'v']),
      ),
    ),
  ),
  passes(
    42,
    'fields from the table',
    { target: '/x', has: [['x-a', 'remembered']] },
    headers(1, Buffer.concat([encodeFields(get('/x')), encodeAndRemember(['x-a', 'remembered'])])),
  ),
  passes(
    42,
    'a table that is made smaller, and larger',
    { target: '/x' },
    headers(1, Buffer.concat([tableSize(0), tableSize(4096), encodeFields(get('/x'))])),
  ),
  passes(
    6,
    'trailers are dropped',
    { target: '/x', body: 'hello', lacks: ['x-t', 'trailer'] },
    ...trailed(headers(1, [['x-t', '1']])),
  ),
  passes(
    6,
    'trailers that name the framing are dropped',
    { target: '/x', body: 'hello', lacks: ['x-forwarded-host2', 'content-length'] },
    ...trailed(
      headers(1, [
        ['content-length', '1'],
        ['transfer-encoding', 'chunked'],
        ['x-forwarded-host2', 'evil'],
      ]),
    ),
  ),
  passes(6, 'trailers in place of a body', { target: '/x', body: '', lacks: ['x-t'] }, open(), headers(1, [['x-t', '1']])),
  passes(
    43,
    'some pings, settings, unknown frames',
    { target: '/x' },
    ...Array<Buffer>(20).fill(ping()),
    ...Array<Buffer>(20).fill(settings([4, 100_000])),
    ...Array<Buffer>(20).fill(frame(0xee, 0, 0, 'x')),
    headers(1, get('/x')),
  ),
];
