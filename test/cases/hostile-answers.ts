import type { CatalogueCode } from '../../src/errors/catalogue.ts';
import type { Script } from '../support/hostile-service.ts';

/** What becomes of the call. */
export interface Expected {
  /** Status that is passed on; 0 or absent: no head is. */
  readonly status?: number;
  readonly body?: string;
  readonly trailers?: readonly string[];
  readonly fault?: CatalogueCode;
  /** The call waits on, until whoever made it gives up. */
  readonly waits?: true;
}

/** One way in which a service answers, bad or good, and what the client must make of it. */
export interface AnswerCase {
  readonly name: string;
  /** Numbers of the classes in the page of threats. */
  readonly threats: readonly number[];
  readonly script: Script;
  readonly method?: 'GET' | 'HEAD';
  readonly upgrade?: true;
  readonly expected: Expected;
  /** The connection serves the next call as well. Everything bad must end it. */
  readonly reused: boolean;
  /** Where undici differs, with the reason. */
  readonly undici?: { readonly reason: string; readonly expected?: Expected; readonly reused?: boolean };
}

const OK = 'HTTP/1.1 200 OK\r\n';
const HELLO = `${OK}Content-Length: 5\r\n\r\nhello`;
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const EVIL = 'HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 4\r\n\r\nevil';

type More = Partial<AnswerCase>;
type Bytes = string | Script;

const script = (bytes: Bytes): Script => (typeof bytes === 'string' ? { pieces: [bytes] } : bytes);

/** Refused as malformed; the connection ends. */
function bad(threats: number[], name: string, bytes: Bytes, more: More = {}): AnswerCase {
  return { name, threats, script: script(bytes), expected: { fault: 'upstream-malformed' }, reused: false, ...more };
}

/** The head passes, then the body turns out to be bad. */
function badBody(threats: number[], name: string, body: string, more: More = {}): AnswerCase {
  return bad(threats, name, CHUNKED + body, { expected: { status: 200, fault: 'upstream-malformed' }, ...more });
}

function good(threats: number[], name: string, bytes: Bytes, expected: Expected, more: More = {}): AnswerCase {
  return { name, threats, script: script(bytes), expected: { status: 200, ...expected }, reused: true, ...more };
}

/** A good answer whose connection is not used again. */
function last(threats: number[], name: string, bytes: Bytes, expected: Expected, more: More = {}): AnswerCase {
  return good(threats, name, bytes, expected, { reused: false, ...more });
}

const hello: Expected = { status: 200, body: 'hello' };

export const answerCases: readonly AnswerCase[] = [
  // 1, 3: two lengths, or a length that only one side sees
  good([1], 'Content-Length', HELLO, hello),
  good([1], 'chunked', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`, hello),
  good([1], 'Chunked in other case', `${OK}TRANSFER-encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, hello),
  last([3], 'neither: until the close', { pieces: [`${OK}\r\nhello`], then: 'close' }, hello),
  last([3], 'HTTP/1.0 until the close', { pieces: ['HTTP/1.0 200 OK\r\n\r\nhello'], then: 'close' }, hello),
  last([3], 'HTTP/1.0 with a length', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', hello),
  good([3], 'HTTP/1.0 kept alive', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello', hello),
  bad([1, 39], 'Content-Length and Transfer-Encoding', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  bad([1, 39], 'Transfer-Encoding and Content-Length', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`),
  bad([3], 'Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', {
    undici: { reason: 'its handlers are not told the version', expected: hello },
  }),

  // 2: odd codings
  ...['gzip', 'gzip, chunked', 'chunked, chunked', 'identity', 'xchunked', '"chunked"', 'chunked;q=1', ''].map((coding) =>
    bad([2], `Transfer-Encoding: ${coding}`, `${OK}Transfer-Encoding: ${coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`),
  ),
  bad([2], 'Transfer-Encoding twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  bad([2], 'Transfer-Encoding with a space before the colon', `${OK}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`),
  bad([2], 'Transfer-Encoding with a vertical tab', `${OK}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`),
  good([2], 'a name that looks like it', `${OK}Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello`, hello),

  // 4: odd lengths
  ...['+5', '-5', '0x5', '5,5', '5, 5', '5 5', '', '5.0', '5e0', '1234567890123456', '18446744073709551621', 'five'].map(
    (length) => bad([4], `Content-Length: ${length}`, `${OK}Content-Length: ${length}\r\n\r\nhello`),
  ),
  bad([4, 39], 'the same Content-Length twice', `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`),
  bad([4, 39], 'two different Content-Length', `${OK}Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello!`),
  good([4], 'Content-Length with leading zeros', `${OK}Content-Length: 0005\r\n\r\nhello`, hello),
  good([4], 'Content-Length with white space around', `${OK}Content-Length: \t 5 \r\n\r\nhello`, hello, {
    undici: {
      reason: 'takes the space behind the number for a digit',
      expected: { status: 200, body: 'hello', fault: 'upstream-closed' },
      reused: false,
    },
  }),
  good([4], 'Content-Length: 0', `${OK}Content-Length: 0\r\n\r\n`, { body: '' }),

  // answers without a body
  good(
    [4],
    'HEAD with a length',
    `${OK}Content-Length: 5\r\n\r\n`,
    { body: '' },
    {
      method: 'HEAD',
      undici: { reason: 'closes after every HEAD', reused: false },
    },
  ),
  last([39], 'HEAD with a body', HELLO, { body: '' }, { method: 'HEAD' }),
  last([39], 'HEAD with an answer behind', `${OK}Content-Length: 5\r\n\r\n${EVIL}`, { body: '' }, { method: 'HEAD' }),
  good([4], '204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '' }),
  last([39], '204 with a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', { status: 204, body: '' }),
  last([39], '204 with chunks', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', {
    status: 204,
    body: '',
  }),
  good(
    [4],
    '304 with a length',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    { status: 304, body: '' },
    {
      undici: { reason: 'does not use a connection again after a 304 with a length', reused: false },
    },
  ),
  last([39], '304 with a body', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello', { status: 304, body: '' }),

  // 39: more than one answer
  last([39], 'an answer behind the answer', HELLO + EVIL, hello),
  last([39], 'an answer behind chunks', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n${EVIL}`, hello),
  last([39], 'one byte too many', `${HELLO}!`, hello),
  last([39], 'a CRLF too many', `${HELLO}\r\n`, hello, {
    undici: { reason: 'llhttp skips empty lines between answers', reused: true },
  }),
  last([39], 'an answer to nobody, a little later', { pieces: [HELLO, EVIL], pause: 30 }, hello),
  last([39], 'an answer to nobody behind an empty one', `${OK}Content-Length: 0\r\n\r\n${EVIL}`, { body: '' }),
  last([39], 'the end behind the answer, a little later', { pieces: [HELLO, ''], pause: 10, then: 'close' }, hello),

  // 5: chunk grammar
  ...[
    '5 \r\nhello',
    ' 5\r\nhello',
    '+5\r\nhello',
    '-5\r\nhello',
    '0x5\r\nhello',
    'g\r\nhello',
    '\r\nhello',
    '5\nhello',
    '5\rhello',
  ].map((chunk) => badBody([5], `chunk ${JSON.stringify(chunk)}`, `${chunk}\r\n0\r\n\r\n`)),
  badBody([5], 'a chunk size that overflows', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'),
  badBody([5], 'a chunk size of 2^64 + 5', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  badBody([5], 'a chunk longer than its size', '5\r\nhello!\r\n0\r\n\r\n', {
    expected: { status: 200, body: 'hello', fault: 'upstream-malformed' },
  }),
  badBody([5], 'a chunk that ends with LF', '5\r\nhello\n0\r\n\r\n', {
    expected: { status: 200, body: 'hello', fault: 'upstream-malformed' },
  }),
  badBody([5], 'a bare LF behind the last chunk', '0\n\r\n'),
  good([5], 'chunk sizes with zeros and upper case', `${CHUNKED}0005\r\nhello\r\nA\r\n0123456789\r\n000\r\n\r\n`, {
    body: 'hello0123456789',
  }),

  // 6: extensions and trailers
  good([6], 'chunk extensions', `${CHUNKED}5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n`, hello),
  badBody([6], 'a chunk extension of 20,000 bytes', `5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`, {
    undici: { reason: 'its parser does not bound what it skips', expected: hello, reused: true },
  }),
  badBody([6], '5,000 chunks with extensions', `${'1;x\r\na\r\n'.repeat(5000)}0\r\n\r\n`, {
    expected: { status: 200, fault: 'upstream-malformed' },
    undici: {
      reason: 'its parser does not bound what it skips',
      expected: { status: 200, body: 'a'.repeat(5000) },
      reused: true,
    },
  }),
  badBody([6], 'a chunk extension with a bare LF', '5;a\nb\r\nhello\r\n0\r\n\r\n'),
  good([6], 'a trailer', `${CHUNKED}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`, { body: 'hello', trailers: ['x-sum', '1'] }),
  badBody([6], 'trailers of 20,000 bytes', `0\r\n${`X: ${'y'.repeat(96)}\r\n`.repeat(200)}\r\n`),
  badBody([6], '300 trailers', `0\r\n${'X: y\r\n'.repeat(300)}\r\n`, {
    undici: { reason: 'bounds the bytes of trailers, not their number', expected: { status: 200, body: '' }, reused: true },
  }),
  badBody([6], 'a trailer without colon', '0\r\nX\r\n\r\n'),
  badBody([6], 'a folded trailer', '0\r\nX: y\r\n z\r\n\r\n'),
  good([6], 'a trailer named Content-Length stays apart', `${CHUNKED}5\r\nhello\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n`, {
    body: 'hello',
  }),

  // 7: interim answers
  good(
    [7],
    '102 and 103 before the answer',
    `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${HELLO}`,
    hello,
  ),
  good([7], '100 before the answer', `HTTP/1.1 100 Continue\r\n\r\n${HELLO}`, hello, {
    undici: {
      reason: 'takes a 100 that it did not ask for as a bad answer',
      expected: { fault: 'upstream-malformed' },
      reused: false,
    },
  }),
  good([39], '16 interim answers', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(16) + HELLO, hello),
  bad([39], '17 interim answers', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17) + HELLO),
  bad([39], 'interim answers without end', {
    pieces: ['HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
    pause: 0,
    endless: true,
  }),

  // 8: upgrades
  bad(
    [8, 39],
    '101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  ),
  bad([8, 39], '101 without fields', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  bad([8], '101 to h2c', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n', { upgrade: true }),
  last(
    [8],
    '426 to an upgrade',
    'HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello',
    { status: 426, body: 'hello' },
    {
      upgrade: true,
      reused: true,
      undici: { reason: 'closes after an upgrade that failed', reused: false },
    },
  ),

  // 9: fields
  ...(
    [
      ['a field with a bare LF', 'X: a\nY: b\r\n'],
      ['a field with a bare CR', 'X: a\rY: b\r\n'],
      ['a field with CR CR LF', 'X: a\r\r\n'],
      ['a field with NUL', 'X: a\0b\r\n'],
      ['a field with a control character', 'X: a\x01b\r\n'],
      ['a field with DEL', 'X: a\x7fb\r\n'],
      ['a folded field', 'X: a\r\n b\r\n'],
      ['a fold in the first field', ' X: a\r\n'],
      ['a space before the colon', 'X : a\r\n'],
      ['no name', ': a\r\n'],
      ['no colon', 'X\r\n'],
      ['a name with a control character', 'X\x01: a\r\n'],
      ['a name with a slash', 'X/Y: a\r\n'],
    ] as const
  ).map(([name, field]) => bad([9], name, `${OK}${field}Content-Length: 5\r\n\r\nhello`)),
  good([9], 'latin1 in a value', `${OK}X: caf\xe9\r\nContent-Length: 5\r\n\r\nhello`, hello),
  good([9], 'an empty value', `${OK}X:\r\nContent-Length: 5\r\n\r\nhello`, hello),

  // 10: versions and status codes
  ...['HTTP/2.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/1.10', 'http/1.1', 'HTTP 1.1', 'ICY'].map((version) =>
    bad([10], `version ${version}`, `${version} 200 OK\r\nContent-Length: 5\r\n\r\nhello`, {
      undici:
        version === 'HTTP/2.0' || version === 'HTTP/0.9' ? { reason: 'llhttp reads these versions', expected: hello } : undefined,
    }),
  ),
  ...['000', '099', '99', '1000', '20', '600', '999', '2x0', '-20', ' 200'].map((status) =>
    bad([10], `status ${status}`, `HTTP/1.1 ${status} OK\r\nContent-Length: 5\r\n\r\nhello`),
  ),
  good([10], 'no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello', hello),
  good([10], 'an empty reason phrase', 'HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello', hello),
  bad([10], 'a status line with a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello'),
  bad([10], 'HTTP/0.9: a body and nothing else', { pieces: ['<html>hello</html>\r\n'], then: 'close' }),
  bad([10], 'an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  bad([10], 'HTTP/2 SETTINGS', '\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0'),
  bad([10], 'a TLS alert', '\x15\x03\x01\0\x02\x02\x28'),
  bad([10], 'a request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  bad([10], 'junk', '\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4\xf3\xf2'),
  bad([10], 'an empty line before the answer', `\r\n${HELLO}`, {
    undici: { reason: 'llhttp skips empty lines before an answer', expected: hello, reused: true },
  }),

  // 19, 39: large heads
  good([39], 'a head of 7 KiB', `${OK}X: ${'y'.repeat(7000)}\r\nContent-Length: 5\r\n\r\nhello`, hello),
  bad([39], 'a head of 100 KiB', `${OK}X: ${'y'.repeat(100_000)}\r\nContent-Length: 5\r\n\r\nhello`),
  good([39], '200 fields', `${OK}${'X: y\r\n'.repeat(199)}Content-Length: 5\r\n\r\nhello`, hello),
  bad([39], '201 fields', `${OK}${'X: y\r\n'.repeat(200)}Content-Length: 5\r\n\r\nhello`),
  bad([39], 'a name without end', { pieces: ['HTTP/1.1 200 OK\r\n', 'x'.repeat(9000)], pause: 0 }),
  bad([39], 'a head without end, a field at a time', {
    pieces: [OK, ...Array<string>(300).fill(`A: ${'b'.repeat(60)}\r\n`)],
    pause: 0,
  }),
  bad([39], 'a value without end, a byte at a time', { pieces: [`${OK}A: `, ...Array<string>(12_000).fill('b')], pause: 0 }),
  bad(
    [39],
    'a reason phrase without end',
    { pieces: ['HTTP/1.1 200 ', ...Array<string>(60).fill('OK '.repeat(1000))], pause: 0 },
    {
      undici: { reason: 'does not bound the reason phrase; the call waits', expected: { waits: true } },
    },
  ),

  // 39: ends, silences, drips
  {
    name: 'closed without an answer',
    threats: [39],
    script: { pieces: [''], then: 'close' },
    expected: { fault: 'upstream-closed' },
    reused: false,
  },
  {
    name: 'reset without an answer',
    threats: [39],
    script: { pieces: [''], then: 'reset' },
    expected: { fault: 'upstream-closed' },
    reused: false,
  },
  {
    name: 'closed in the status line',
    threats: [39],
    script: { pieces: ['HTTP/1.1 20'], then: 'close' },
    expected: { fault: 'upstream-closed' },
    reused: false,
  },
  {
    name: 'closed in the head',
    threats: [39],
    script: { pieces: [`${OK}X: y`], then: 'close' },
    expected: { fault: 'upstream-closed' },
    reused: false,
  },
  {
    name: 'closed in a body with a length',
    threats: [39],
    script: { pieces: [`${OK}Content-Length: 9\r\n\r\nhello`], then: 'close' },
    expected: { status: 200, body: 'hello', fault: 'upstream-closed' },
    reused: false,
  },
  {
    name: 'closed in a chunked body',
    threats: [39],
    script: { pieces: [`${CHUNKED}5\r\nhello\r\n`], then: 'close' },
    expected: { status: 200, body: 'hello', fault: 'upstream-closed' },
    reused: false,
  },
  {
    name: 'closed in a chunk',
    threats: [39],
    script: { pieces: [`${CHUNKED}9\r\nhello`], then: 'close' },
    expected: { status: 200, body: 'hello', fault: 'upstream-closed' },
    reused: false,
  },
  {
    name: 'reset in a body with a length',
    threats: [39],
    script: { pieces: [`${OK}Content-Length: 9\r\n\r\nhello`], then: 'reset' },
    expected: { status: 200, body: 'hello', fault: 'upstream-closed' },
    reused: false,
  },
  {
    name: 'reset in a body that ends with the connection',
    threats: [39],
    script: { pieces: [`${OK}\r\nhello`], then: 'reset' },
    expected: { status: 200, body: 'hello', fault: 'upstream-closed' },
    reused: false,
    undici: { reason: 'takes a reset for the end of such a body', expected: hello },
  },
  { name: 'silence', threats: [39], script: { pieces: [] }, expected: { waits: true }, reused: false },
  { name: 'silence in the head', threats: [39], script: { pieces: [`${OK}X: y\r\n`] }, expected: { waits: true }, reused: false },
  {
    name: 'silence in the body',
    threats: [39],
    script: { pieces: [`${OK}Content-Length: 9\r\n\r\nhello`] },
    expected: { status: 200, body: 'hello', waits: true },
    reused: false,
  },
  good([39], 'a byte at a time', { pieces: [...HELLO], pause: 0 }, hello),
  good(
    [39],
    'chunks a byte at a time',
    { pieces: [...`${CHUNKED}5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n`], pause: 0 },
    { body: 'hello', trailers: ['a', 'b'] },
  ),

  // 15: what belongs to the connection, and whether it is kept
  last([39], 'Connection: close', `${OK}Connection: close\r\nContent-Length: 5\r\n\r\nhello`, hello),
  last([39], 'Connection with close among others', `${OK}Connection: X-A, Close\r\nContent-Length: 5\r\n\r\nhello`, hello),
  last([39], 'Keep-Alive: timeout=1', `${OK}Keep-Alive: timeout=1\r\nContent-Length: 5\r\n\r\nhello`, hello),
  good(
    [39],
    'Keep-Alive: timeout=60',
    `${OK}Connection: Keep-Alive\r\nKeep-Alive: max=5, timeout=60\r\nContent-Length: 5\r\n\r\nhello`,
    hello,
  ),
  good(
    [15],
    'fields of the connection go',
    `${OK}Connection: keep-alive, x-hop\r\nX-Hop: 1\r\nProxy-Connection: x\r\nTE: x\r\nContent-Length: 5\r\n\r\nhello`,
    hello,
  ),
];
