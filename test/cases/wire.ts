import type { CatalogueCode } from '../../src/exchange/decision.ts';

/**
 * What clients may and may not write on an HTTP/1 connection, as bytes (latin1, one character per byte). `threat` is the class of
 * attack in the project's list of threats. In every case of `stops` the runner hides one more request behind the bytes, which must never be read as one.
 */
export interface Stop {
  readonly threat: number;
  readonly why: string;
  readonly bytes: string;
  readonly status: number;
  readonly code: CatalogueCode;
}

/** What a request looks like to the service. */
export interface Seen {
  readonly method?: string;
  readonly target: string;
  readonly body?: string;
  /** Fields that must be there once, with this value. */
  readonly has?: Readonly<Record<string, string>>;
  /** Fields that must not be there, in whatever spelling a service may take for the same. */
  readonly lacks?: readonly string[];
}

export interface Pass {
  readonly threat: number;
  readonly why: string;
  readonly bytes: string;
  /** The statuses of all answers, in order; 200 where it is left out. */
  readonly statuses?: readonly number[];
  readonly seen: readonly Seen[];
  /** The connection closes behind the last answer. */
  readonly closes?: boolean;
  /** Holds only where the bytes come in one piece: the body of a refused request is skipped when it is there, and not waited for. */
  readonly inOnePiece?: boolean;
}

const lines = (...fields: string[]): string => fields.map((field) => `${field}\r\n`).join('');
/** A head: request line, `Host: a` and these fields. */
const head = (line: string, ...fields: string[]): string => `${line}\r\n${lines('Host: a', ...fields)}\r\n`;
const get = (...fields: string[]): string => head('GET /x HTTP/1.1', ...fields);
const post = (...fields: string[]): string => head('POST /x HTTP/1.1', ...fields);
const CHUNKED = 'Transfer-Encoding: chunked';
/** A chunked POST with this body. */
const chunked = (body: string): string => post(CHUNKED) + body;
const SMUGGLED = head('GET /smuggled HTTP/1.1');

const stop = (threat: number, status: number, code: CatalogueCode, why: string, bytes: string): Stop => ({
  threat,
  status,
  code,
  why,
  bytes,
});

// ---- 1: two lengths

const both = (why: string, bytes: string): Stop => stop(1, 400, 'body-framing', why, bytes);
const twoLengths: Stop[] = [
  both('CL then TE (CL.TE)', `${post('Content-Length: 6', CHUNKED)}0\r\n\r\nG`),
  both('TE then CL (TE.CL)', `${post(CHUNKED, 'Content-Length: 4')}5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n`),
  both('CL of the whole chunked body', `${post('Content-Length: 5', CHUNKED)}0\r\n\r\n`),
  both('CL 0 and TE', `${post('Content-Length: 0', CHUNKED)}0\r\n\r\n`),
  both('CL and TE identity', `${post('Content-Length: 0', 'Transfer-Encoding: identity')}`),
  both('CL and TE gzip, chunked', `${post('Content-Length: 5', 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`),
  both('CL and an empty TE', `${post('Content-Length: 0', 'Transfer-Encoding:')}`),
  both('CL and TE in a GET', `${get('Content-Length: 5', CHUNKED)}0\r\n\r\n`),
  both('CL and TE in a DELETE', `${head('DELETE /x HTTP/1.1', 'Content-Length: 5', CHUNKED)}0\r\n\r\n`),
  both('CL and TE in an OPTIONS', `${head('OPTIONS /x HTTP/1.1', CHUNKED, 'Content-Length: 5')}0\r\n\r\n`),
  both('CL and TE in HTTP/1.0', `${head('POST /x HTTP/1.0', 'Content-Length: 5', CHUNKED)}0\r\n\r\n`),
  both('CL and TE that Connection names', `${post('Content-Length: 5', CHUNKED, 'Connection: Transfer-Encoding')}0\r\n\r\n`),
  both('CL that Connection names, and TE', `${post('Content-Length: 5', CHUNKED, 'Connection: Content-Length')}0\r\n\r\n`),
  both('TE.TE with an obfuscated second', `${post(CHUNKED, 'Transfer-encoding: cow')}0\r\n\r\n`),
];

// ---- 2: disguises of Transfer-Encoding

const coding = (status: 400 | 501, code: CatalogueCode, fields: string[]): Stop[] =>
  fields.map((field) => stop(2, status, code, JSON.stringify(field), `${post(field)}0\r\n\r\n`));
const disguises: Stop[] = [
  ...coding(400, 'header-invalid', [
    'Transfer-Encoding : chunked',
    'Transfer-Encoding\t: chunked',
    'Transfer-Encoding:\x0bchunked',
    'Transfer-Encoding: \x0cchunked',
    'Transfer-Encoding: chunked\x00',
    'Transfer-Encoding: \x7fchunked',
    ' Transfer-Encoding: chunked',
    '\tTransfer-Encoding: chunked',
    'Transfer-Encoding: x\r\n chunked',
    'Transfer-Encoding:\r\n chunked',
    'Transfer-Encoding: x\nTransfer-Encoding: chunked',
    'Transfer-Encoding: x\rTransfer-Encoding: chunked',
    'Transfer Encoding: chunked',
    'Transfer-Encoding\x00: chunked',
    'Transfer-Encodin\xe7: chunked',
    '"Transfer-Encoding": chunked',
    'Transfer-Encoding; chunked',
    'X: y\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r',
  ]),
  ...coding(400, 'body-framing', [
    'Transfer-Encoding: "chunked"',
    "Transfer-Encoding: 'chunked', ",
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: chunked,',
    'Transfer-Encoding: ,chunked',
    'Transfer-Encoding: chunked;q=1',
    'Transfer-Encoding: chunked; ',
    'Transfer-Encoding: chunked foo',
    'Transfer-Encoding:\tchunked',
    'Transfer-Encoding: \tchunked',
    'Transfer-Encoding: chunked\t',
    'Transfer-Encoding: chunked \t ',
    'Transfer-Encoding: c hunked',
    'Transfer-Encoding: chun\xe2\x84\xaaed',
    'Transfer-Encoding: \xa0chunked',
    'Transfer-Encoding: \xef\xbb\xbfchunked',
    'Transfer-Encoding: chunked\x85',
    'Transfer-Encoding:',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
    'Transfer_Encoding: chunked',
    'transfer_encoding: chunked',
    'Transfer.Encoding: chunked',
    'Transfer~Encoding: chunked',
    'Content_Length: 5',
    'CONTENT_LENGTH: 5',
    'Content.Length: 5',
  ]),
  ...coding(501, 'transfer-coding', [
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: identity',
    'Transfer-Encoding: gzip',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: identity, chunked',
    'Transfer-Encoding: x-chunked',
  ]),
];

// ---- 3: HTTP/1.0

const oldVersions: Stop[] = [
  stop(3, 400, 'body-framing', 'TE in HTTP/1.0', `${head('POST /x HTTP/1.0', CHUNKED)}0\r\n\r\n`),
  stop(
    3,
    400,
    'body-framing',
    'TE in HTTP/1.0 with keep-alive',
    `${head('POST /x HTTP/1.0', CHUNKED, 'Connection: keep-alive')}0\r\n\r\n`,
  ),
  stop(3, 400, 'body-framing', 'TE in a GET of HTTP/1.0', `${head('GET /x HTTP/1.0', CHUNKED)}0\r\n\r\n`),
  stop(3, 400, 'body-framing', 'TE identity in HTTP/1.0', head('POST /x HTTP/1.0', 'Transfer-Encoding: identity')),
];

// ---- 4: Content-Length

const lengths: Stop[] = [
  ...[
    '+5',
    '-5',
    '-0',
    '0x5',
    '5.0',
    '5e0',
    '1e1',
    '5,5',
    '5, 5',
    '5,6',
    '5 5',
    '5;',
    "'5'",
    '"5"',
    '٥',
    '\xb2',
    '0b1',
    '5_0',
    'five',
    'NaN',
    'Infinity',
    '',
    '=5',
    '5\xa0',
  ].map((value) =>
    stop(
      4,
      400,
      'body-framing',
      `Content-Length: ${JSON.stringify(value)}`,
      `${post(`Content-Length: ${Buffer.from(value, value === '٥' ? 'utf8' : 'latin1').toString('latin1')}`)}hello`,
    ),
  ),
  ...['18446744073709551617', '9223372036854775808', '4294967296000000', '0000000000000005'].map((value) =>
    stop(4, 400, 'body-framing', `Content-Length: ${value}: too many digits`, `${post(`Content-Length: ${value}`)}hello`),
  ),
  stop(4, 400, 'body-framing', 'two that agree', `${post('Content-Length: 5', 'Content-Length: 5')}hello`),
  stop(4, 400, 'body-framing', 'two that differ', `${post('Content-Length: 5', 'Content-Length: 0')}hello`),
  stop(4, 400, 'body-framing', 'two in different case', `${post('content-length: 5', 'CONTENT-LENGTH: 5')}hello`),
  stop(4, 400, 'body-framing', 'one of them empty', `${post('Content-Length: 5', 'Content-Length:')}hello`),
  stop(4, 400, 'header-invalid', 'space before the colon', `${post('Content-Length : 5')}hello`),
  stop(4, 400, 'header-invalid', 'on a folded line', `${post('Content-Length:\r\n 5')}hello`),
  stop(4, 400, 'body-framing', 'behind a tab', `${post('Content-Length:\t5')}hello`),
  stop(4, 400, 'body-framing', 'before a tab', `${post('Content-Length: 5\t')}hello`),
  stop(4, 400, 'header-invalid', 'behind a NUL', `${post('Content-Length: \x005')}hello`),
  stop(4, 400, 'header-invalid', 'behind a vertical tab', `${post('Content-Length: \x0b5')}hello`),
  stop(4, 400, 'body-framing', 'odd in a GET too', get('Content-Length: +0')),
  stop(4, 400, 'body-framing', 'odd in HTTP/1.0 too', head('GET /x HTTP/1.0', 'Content-Length: +0')),
  stop(4, 413, 'body-too-large', 'beyond the bound of the route', `${post('Content-Length: 999999999999999')}hello`),
];

// ---- 5 and 6: chunks

const chunk = (why: string, body: string): Stop => stop(5, 400, 'body-malformed', why, chunked(body));
const chunks: Stop[] = [
  chunk('bare LF behind the size', '5\nhello\r\n0\r\n\r\n'),
  chunk('bare CR behind the size', '5\rhello\r\n0\r\n\r\n'),
  chunk('bare LF behind the data', '5\r\nhello\n0\r\n\r\n'),
  chunk('bare CR behind the data', '5\r\nhello\r0\r\n\r\n'),
  chunk('no line end behind the data', '5\r\nhello0\r\n\r\n'),
  chunk('data longer than told', '5\r\nhello!\r\n0\r\n\r\n'),
  chunk('data shorter than told', '5\r\nhell\r\n0\r\n\r\n'),
  chunk('bare LF at the last chunk', '0\n\r\n'),
  chunk('bare LF at the end', '0\r\n\n'),
  chunk('bare CR at the end', '0\r\n\rX'),
  chunk('an extension that a bare LF ends (TERM.EXT)', '5;a\nhello\r\n0\r\n\r\n'),
  chunk('a bare CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'),
  chunk('a NUL in an extension', '5;a\x00\r\nhello\r\n0\r\n\r\n'),
  chunk('an extension without name', '5;\r\nhello\r\n0\r\n\r\n'),
  chunk('two semicolons', '5;;a\r\nhello\r\n0\r\n\r\n'),
  chunk('an extension without value', '5;a=\r\nhello\r\n0\r\n\r\n'),
  chunk('an extension with two values', '5;a=b=c\r\nhello\r\n0\r\n\r\n'),
  chunk('a quote that does not end', '5;a="b\r\nhello\r\n0\r\n\r\n'),
  chunk('a quote in the middle', '5;a=b"c"\r\nhello\r\n0\r\n\r\n'),
  chunk('something behind a quote', '5;a="b"c\r\nhello\r\n0\r\n\r\n'),
  chunk('a quoted name', '5;"a"=b\r\nhello\r\n0\r\n\r\n'),
  chunk('a line end in a quoted extension', '5;a="\r\nhello\r\n0\r\n\r\n"\r\n'),
  chunk('a plus sign', '+5\r\nhello\r\n0\r\n\r\n'),
  chunk('a minus sign', '-5\r\nhello\r\n0\r\n\r\n'),
  chunk('0x', '0x5\r\nhello\r\n0\r\n\r\n'),
  chunk('space before the size', ' 5\r\nhello\r\n0\r\n\r\n'),
  chunk('space behind the size', '5 \r\nhello\r\n0\r\n\r\n'),
  chunk('tab behind the size', '5\t\r\nhello\r\n0\r\n\r\n'),
  chunk('space before an extension', '5 ;a=b\r\nhello\r\n0\r\n\r\n'),
  chunk('no size', '\r\nhello\r\n0\r\n\r\n'),
  chunk('only an extension', ';a=b\r\nhello\r\n0\r\n\r\n'),
  chunk('not hexadecimal', 'g\r\nhello\r\n0\r\n\r\n'),
  chunk('an underscore', '1_0\r\nhello\r\n0\r\n\r\n'),
  chunk('a comma', '5,5\r\nhello\r\n0\r\n\r\n'),
  chunk('a full-width digit', '\xef\xbc\x95\r\nhello\r\n0\r\n\r\n'),
  chunk('overflow of 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  chunk('overflow of 2^53', '20000000000005\r\nhello\r\n0\r\n\r\n'),
  chunk('F…F', 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n'),
  chunk('more zeros than any number has', `${'0'.repeat(64)}5\r\nhello\r\n0\r\n\r\n`),
  chunk('an empty line between chunks', '5\r\nhello\r\n\r\n0\r\n\r\n'),
  chunk('Content-Length in the trailers', '5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n'),
  chunk('Transfer-Encoding in the trailers', '5\r\nhello\r\n0\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n'),
  chunk('junk where the trailers begin', '0\r\njunk\r\n\r\n'),
  chunk('space before the colon in a trailer', '0\r\nX : y\r\n\r\n'),
  chunk('a folded trailer', '0\r\nX: y\r\n z\r\n\r\n'),
  chunk('a trailer with an empty name', '0\r\n: y\r\n\r\n'),
  chunk('a NUL in a trailer', '0\r\nX: \x00\r\n\r\n'),
  chunk('a bare LF in the trailers', '0\r\nX: y\n\r\n'),
  chunk('a request where the trailers should be', `0\r\n${SMUGGLED}`),
  stop(5, 400, 'body-malformed', 'in a GET too', `${get(CHUNKED)}5\nhello\r\n0\r\n\r\n`),
  stop(5, 413, 'body-too-large', 'a chunk beyond the bound of the route', chunked(`800\r\n${'x'.repeat(0x800)}\r\n0\r\n\r\n`)),
  stop(5, 413, 'body-too-large', 'many chunks beyond it', chunked(`${'10\r\n0123456789abcdef\r\n'.repeat(65)}0\r\n\r\n`)),
];
const floods: Stop[] = [
  stop(6, 400, 'body-malformed', 'an extension of 5 KB', chunked(`5;${'a'.repeat(5000)}\r\nhello\r\n0\r\n\r\n`)),
  stop(
    6,
    400,
    'body-malformed',
    'extensions of 5 KB together',
    chunked(`${`1;${'a'.repeat(49)}\r\nx\r\n`.repeat(100)}0\r\n\r\n`),
  ),
  stop(6, 400, 'body-malformed', '65 trailer fields', chunked(`0\r\n${'X: y\r\n'.repeat(65)}\r\n`)),
  stop(6, 400, 'body-malformed', 'trailers of 9 KB', chunked(`0\r\nX: ${'y'.repeat(9000)}\r\n\r\n`)),
];

// ---- 7: bodies of refused requests, expectations

const bodies: Stop[] = [
  stop(
    7,
    400,
    'path-ambiguous',
    'a request hidden in the body of a refused one',
    `${head('POST /a%2fb HTTP/1.1', `Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`,
  ),
  stop(
    7,
    400,
    'path-ambiguous',
    'a request hidden in its chunks',
    `${head('POST /a%2fb HTTP/1.1', CHUNKED)}${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ),
  stop(
    7,
    400,
    'path-ambiguous',
    'a body that is never complete',
    `${head('POST /a%2fb HTTP/1.1', 'Content-Length: 1000')}${SMUGGLED}`,
  ),
  stop(7, 413, 'body-too-large', 'a request hidden in a body that is too large', `${post('Content-Length: 2000')}${SMUGGLED}`),
  stop(
    7,
    404,
    'route-not-found',
    'no route, and a body that is not complete',
    `${head('POST /nowhere HTTP/1.1', 'Content-Length: 1000')}${SMUGGLED}`,
  ),
  stop(
    7,
    405,
    'method-not-allowed',
    'not this method, and a body that is not complete',
    `${head('POST /get-only HTTP/1.1', CHUNKED)}${(999).toString(16)}\r\n${SMUGGLED}`,
  ),
  stop(
    7,
    404,
    'route-not-found',
    'no route, and a chunk that is malformed',
    `${head('POST /nowhere HTTP/1.1', CHUNKED)}+5\r\n${SMUGGLED}`,
  ),
  stop(7, 417, 'expectation-failed', 'another expectation', `${post('Expect: 200-ok', 'Content-Length: 5')}hello`),
  stop(7, 417, 'expectation-failed', 'an empty expectation', `${post('Expect:', 'Content-Length: 5')}hello`),
  stop(
    7,
    417,
    'expectation-failed',
    'a list of expectations',
    `${post('Expect: 100-continue, 100-continue', 'Content-Length: 5')}hello`,
  ),
  stop(7, 417, 'expectation-failed', 'an expectation with junk (0.CL)', `${get('Expect: y 100-continue')}`),
  stop(7, 417, 'expectation-failed', 'in HTTP/1.0 too', head('POST /x HTTP/1.0', 'Expect: x', 'Content-Length: 0')),
  stop(
    7,
    400,
    'header-invalid',
    'two expectations',
    `${post('Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 5')}hello`,
  ),
  stop(
    7,
    400,
    'header-invalid',
    'an expectation on a folded line',
    `${post('Expect:\r\n 100-continue', 'Content-Length: 5')}hello`,
  ),
  stop(
    7,
    400,
    'body-framing',
    'an expectation and two lengths',
    `${post('Expect: 100-continue', 'Content-Length: 5', CHUNKED)}0\r\n\r\n`,
  ),
  stop(
    7,
    404,
    'route-not-found',
    'expected, and refused: what follows is the body',
    `${head('POST /nowhere HTTP/1.1', 'Expect: 100-continue', `Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`,
  ),
  stop(
    7,
    413,
    'body-too-large',
    'expected, and refused as too large',
    `${post('Expect: 100-continue', 'Content-Length: 5000')}${SMUGGLED}`,
  ),
];

// ---- 8: upgrades

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const upgrade = (...fields: string[]): string => get('Connection: Upgrade', 'Upgrade: websocket', ...fields);
const upgrades: Stop[] = [
  stop(8, 426, 'upgrade-refused', 'WebSocket version 8', upgrade(KEY, 'Sec-WebSocket-Version: 8')),
  stop(8, 426, 'upgrade-refused', 'WebSocket version 777', upgrade(KEY, 'Sec-WebSocket-Version: 777')),
  stop(8, 426, 'upgrade-refused', 'WebSocket version 13 and others', upgrade(KEY, 'Sec-WebSocket-Version: 13, 8')),
  stop(8, 426, 'upgrade-refused', 'no WebSocket version', upgrade(KEY)),
  stop(8, 400, 'header-invalid', 'no key', upgrade('Sec-WebSocket-Version: 13')),
  stop(8, 400, 'header-invalid', 'a key of other length', upgrade('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: YQ==')),
  stop(
    8,
    400,
    'header-invalid',
    'a key that is not base64',
    upgrade('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=='),
  ),
  stop(
    8,
    400,
    'header-invalid',
    'a key with bits where none belong',
    upgrade('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZZ=='),
  ),
  stop(8, 400, 'header-invalid', 'two keys', upgrade('Sec-WebSocket-Version: 13', KEY, KEY)),
  stop(
    8,
    400,
    'body-framing',
    'a handshake with a body',
    `${upgrade('Sec-WebSocket-Version: 13', KEY, 'Content-Length: 5')}hello`,
  ),
  stop(8, 400, 'body-framing', 'a handshake with chunks', `${upgrade('Sec-WebSocket-Version: 13', KEY, CHUNKED)}0\r\n\r\n`),
  stop(8, 400, 'protocol-error', 'the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
];

// ---- 9: the syntax of fields

const field = (why: string, ...fields: string[]): Stop => stop(9, 400, 'header-invalid', why, get(...fields));
const fields: Stop[] = [
  field('bare LF', 'X: y\nZ: 1'),
  field('bare CR', 'X: y\rZ: 1'),
  field('CR CR LF', 'X: y\r'),
  field('LF CR', 'X: y\n\rZ: 1'),
  field('NUL in a value', 'X: a\x00b'),
  field('NUL in a name', 'X\x00: a'),
  field('DEL in a value', 'X: a\x7f'),
  ...['\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x1f'].map((c) =>
    field(`control character ${JSON.stringify(c)} in a value`, `X: a${c}b`),
  ),
  field('a folded line with a space', 'X: a', ' b'),
  field('a folded line with a tab', 'X: a', '\tb'),
  field('a folded first field', ' X: a'),
  field('a folded empty line', 'X: a', ' '),
  field('space before the colon', 'X : a'),
  field('tab before the colon', 'X\t: a'),
  field('an empty name (CVE-2023-25725)', ': a'),
  field('a name of one space', ' : a'),
  field('no colon', 'X'),
  field('no colon, two words', 'X a'),
  field('a name with a space', 'X Y: a'),
  field('a name with a parenthesis', 'X(): a'),
  field('a name with a slash', 'X/Y: a'),
  field('a name with an at sign', 'X@Y: a'),
  field('a name beyond ASCII', 'X\xe9: a'),
  field('a name in quotes', '"X": a'),
  stop(9, 400, 'request-line', 'bare LF behind the request line', `GET /x HTTP/1.1\nHost: a\r\n\r\n`),
  stop(9, 400, 'header-invalid', 'bare LF as the empty line', `GET /x HTTP/1.1\r\nHost: a\r\n\n`),
  stop(9, 400, 'header-invalid', 'LF LF', `GET /x HTTP/1.1\r\nHost: a\n\n`),
  stop(9, 400, 'header-invalid', 'CR and something else as the empty line (CVE-2025-23167)', `GET /x HTTP/1.1\r\nHost: a\r\n\rX`),
  stop(9, 400, 'header-invalid', 'a bare CR before Host', `GET /x HTTP/1.1\r\n\rHost: a\r\n\r\n`),
];

// ---- 10: the request line

const line = (why: string, text: string, code: CatalogueCode = 'request-line'): Stop =>
  stop(10, 400, code, why, `${text}\r\nHost: a\r\n\r\n`);
const requestLines: Stop[] = [
  line('HTTP/0.9', 'GET /x'),
  line('HTTP/0.9 with a space', 'GET /x '),
  line('only a method', 'GET'),
  line('only a method and a space', 'GET '),
  line('no target', 'GET HTTP/1.1'),
  line('two spaces behind the method', 'GET  /x HTTP/1.1'),
  line('two spaces behind the target', 'GET /x  HTTP/1.1'),
  line('space behind the version', 'GET /x HTTP/1.1 '),
  line('tab behind the method', 'GET\t/x HTTP/1.1'),
  line('tab behind the target', 'GET /x\tHTTP/1.1', 'target-invalid'),
  line('space before the method', ' GET /x HTTP/1.1'),
  line('tab before the method', '\tGET /x HTTP/1.1'),
  line('lower-case version', 'GET /x http/1.1'),
  line('mixed-case version', 'GET /x Http/1.1'),
  line('version without number', 'GET /x HTTP'),
  line('version 1', 'GET /x HTTP/1'),
  line('version 1.', 'GET /x HTTP/1.'),
  line('version 1.10', 'GET /x HTTP/1.10'),
  line('version 01.1', 'GET /x HTTP/01.1'),
  line('version 1,1', 'GET /x HTTP/1,1'),
  line('version +1.1', 'GET /x HTTP/+1.1'),
  line('another protocol', 'GET /x ICY/1.1'),
  line('four words', 'GET /x y HTTP/1.1'),
  line('a NUL in the method', 'G\x00T /x HTTP/1.1'),
  line('a slash in the method', 'G/T /x HTTP/1.1'),
  line('a method in quotes', '"GET" /x HTTP/1.1'),
  line('a method beyond ASCII', 'G\xcbT /x HTTP/1.1'),
  line('a NUL in the target', 'GET /x\x00 HTTP/1.1', 'target-invalid'),
  line('a control character in the target', 'GET /x\x1f HTTP/1.1', 'target-invalid'),
  line('raw UTF-8 in the target', 'GET /\xc3\xa9 HTTP/1.1', 'target-invalid'),
  line('a bare CR in the request line', 'GET /x\r HTTP/1.1'),
  ...['0.9', '1.2', '1.9', '2.0', '3.0', '9.9'].map((version) =>
    stop(10, 505, 'http-version', `version ${version}`, head(`GET /x HTTP/${version}`)),
  ),
  stop(10, 400, 'request-line', 'two empty lines before the request', `\r\n\r\n${get()}`),
  stop(10, 400, 'request-line', 'a bare LF before the request', `\n${get()}`),
  stop(10, 400, 'request-line', 'a bare CR before the request', `\r${get()}`),
  stop(10, 400, 'protocol-error', 'a PROXY header that nobody expects', `PROXY TCP4 10.0.0.1 10.0.0.2 1000 80\r\n${get()}`),
  stop(10, 400, 'protocol-error', 'PROXY UNKNOWN', `PROXY UNKNOWN\r\n${get()}`),
  stop(
    10,
    400,
    'request-line',
    'a binary PROXY header',
    `\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c\x0a\x00\x00\x01\x0a\x00\x00\x02\x03\xe8\x00P${get()}`,
  ),
  stop(10, 400, 'protocol-error', 'TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  stop(10, 400, 'request-line', 'SSLv2 on a plain port', '\x80\x2e\x01\x00\x02\x00'),
];

// ---- 11: forms of the target

const target = (text: string, why = text, method = 'GET'): Stop =>
  stop(11, 400, 'target-invalid', why, head(`${method} ${text} HTTP/1.1`));
const targets: Stop[] = [
  target('/x#y', 'a fragment'),
  target('/x?q#y', 'a fragment behind the query'),
  target('#', 'only a fragment'),
  target('http://a/x#y', 'a fragment in absolute form'),
  target('*', 'asterisk form in a GET'),
  target('a:80', 'authority form in a GET'),
  target('x', 'no slash'),
  target('?x', 'only a query'),
  target('\\x', 'a backslash'),
  target('http:/x', 'half an absolute form'),
  target('http:///x', 'absolute form without host'),
  target('http://', 'absolute form without anything'),
  target('ftp://a/x', 'another scheme'),
  target('ws://a/x', 'the scheme of WebSockets'),
  target('javascript://a/x', 'a script'),
  target('file:///etc/passwd', 'a file'),
  target('https://a/x', 'https on a plain port'),
  target('http://user@a/x', 'absolute form with userinfo'),
  target('http://user:pass@a/x', 'absolute form with a password'),
  target('http://a:99999/x', 'absolute form with a port that is none'),
  target('http://a:80:80/x', 'absolute form with two ports'),
  target('http://a\\@b/x', 'absolute form with a backslash'),
  target('http://[::1/x', 'absolute form with half a bracket'),
  stop(11, 400, 'host-invalid', 'absolute form for another host', head('GET http://internal.example/x HTTP/1.1')),
  stop(11, 400, 'host-invalid', 'absolute form for another port', head('GET http://a:8080/x HTTP/1.1')),
  stop(11, 400, 'host-invalid', 'absolute form of a longer host', head('GET http://a.evil.example/x HTTP/1.1')),
];

// ---- 12: Host

const host = (why: string, ...fields: string[]): Stop =>
  stop(12, 400, 'host-invalid', why, `GET /x HTTP/1.1\r\n${lines(...fields)}\r\n`);
const hosts: Stop[] = [
  host('missing'),
  host('missing, with others there', 'X-Forwarded-Host: a'),
  host('two that agree', 'Host: a', 'Host: a'),
  host('two that differ', 'Host: a', 'Host: b'),
  host('two, one in upper case', 'Host: a', 'HOST: b'),
  host('two, one empty', 'Host: a', 'Host:'),
  host('two, with another field between', 'Host: a', 'X: y', 'Host: b'),
  ...[
    '',
    'a b',
    'a/b',
    'a?b',
    'a#b',
    'a@b',
    'user:pass@a',
    'a:b',
    'a:',
    'a:0',
    'a:65536',
    'a:080',
    'a:80:80',
    'a,b',
    'a, b',
    '.',
    '..',
    '.a',
    'a..b',
    '[::1',
    '::1',
    '[::1]x',
    '[fe80::1%25eth0]',
    '127.1',
    '0x7f000001',
    '2130706433',
    '256.1.1.1',
    'a\\b',
    'a%2eb',
    'a\xe9',
    'a"',
    'a<b',
    'a;b',
    'a=b',
    'http://a',
    'a'.repeat(64),
    `${'a.'.repeat(127)}aa`,
  ].map((value) => host(JSON.stringify(value.length > 40 ? `${value.slice(0, 8)}… (${value.length})` : value), `Host: ${value}`)),
  stop(12, 400, 'header-invalid', 'space before the colon', 'GET /x HTTP/1.1\r\nHost : a\r\n\r\n'),
  stop(12, 400, 'header-invalid', 'a folded Host', 'GET /x HTTP/1.1\r\nHost:\r\n a\r\n\r\n'),
  stop(12, 400, 'header-invalid', 'a NUL in it', 'GET /x HTTP/1.1\r\nHost: a\x00b\r\n\r\n'),
  stop(12, 400, 'host-invalid', 'malformed in HTTP/1.0', 'GET /x HTTP/1.0\r\nHost: a@b\r\n\r\n'),
  stop(12, 400, 'host-invalid', 'two in HTTP/1.0', 'GET /x HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n'),
];

// ---- 13: methods

const methods: Stop[] = [
  ...[
    'CONNECT',
    'TRACE',
    'TRACK',
    'PRI',
    'get',
    'Get',
    'gET',
    'GETS',
    'GE',
    'FOO',
    'DEBUG',
    'PROXY',
    'SSTP_DUPLEX_POST',
    'M-SEARCH',
    'PURGE',
    '$',
    '__proto__',
    'constructor',
    'toString',
  ].map((method) => stop(13, 501, 'method-unknown', method, head(`${method} /x HTTP/1.1`))),
  stop(13, 501, 'method-unknown', 'CONNECT with an authority', 'CONNECT internal:22 HTTP/1.1\r\nHost: internal:22\r\n\r\n'),
  stop(13, 501, 'method-unknown', 'a method of 33 characters', head(`${'A'.repeat(33)} /x HTTP/1.1`)),
  stop(13, 501, 'method-unknown', 'a method of 20,000 characters', head(`${'A'.repeat(20_000)} /x HTTP/1.1`)),
  stop(13, 501, 'method-unknown', 'TRACE with a body', `${head('TRACE /x HTTP/1.1', 'Content-Length: 5')}hello`),
];

// ---- 14: paths

const path = (text: string): Stop => stop(14, 400, 'path-ambiguous', text.slice(0, 60), head(`GET ${text} HTTP/1.1`));
const paths: Stop[] = [
  '/..',
  '/../x',
  '/x/../../y',
  '/%2e%2e/x',
  '/x/%2e%2e/%2e%2e/y',
  '/x/.%2e/y',
  '/x/%2E./y',
  '/.%2e',
  '/x%2fy',
  '/x%2Fy',
  '/x%5cy',
  '/x%5Cy',
  '/x\\y',
  '/x/..%2fy',
  '/x/..%5cy',
  '/x/..;/y',
  '/x;y',
  '/x;a=b/y',
  '/x%3by',
  '/x/..%3b/y',
  '/x%00',
  '/x%0d%0aSet-Cookie:y',
  '/x%0a',
  '/x%7f',
  '/x%1f',
  '/x%252e',
  '/x%252fy',
  '/%25%32%65/x',
  '/x%c0%ae',
  '/x%c0%afy',
  '/x%e0%80%af',
  '/x%f0%80%80%af',
  '/x%ff',
  '/x%c3',
  '/x%u002e',
  '/x%u2215',
  '/x%',
  '/x%4',
  '/x%zz',
  '/x%-1',
  '/x%%32%65',
  '//../x',
  '/x//../y',
  '/x/%20../y',
  '/x/..%20/y',
  '/%ef%bc%8e%ef%bc%8e/y',
  '/x%c2%80',
  '/x%c2%85y',
].map(path);

// ---- 19: sizes

const sizes: Stop[] = [
  stop(19, 414, 'target-too-long', 'a target of one byte too many', head(`GET /${'x'.repeat(8192)} HTTP/1.1`)),
  stop(19, 414, 'target-too-long', 'a query of 9 KB', head(`GET /x?${'q'.repeat(9000)} HTTP/1.1`)),
  stop(19, 414, 'target-too-long', 'a target of 100 KB', head(`GET /${'x'.repeat(100_000)} HTTP/1.1`)),
  stop(19, 431, 'headers-too-large', 'one field of 17 KB', get(`X: ${'y'.repeat(17_000)}`)),
  stop(19, 431, 'headers-too-large', 'one field of 70 KB', get(`X: ${'y'.repeat(70_000)}`)),
  stop(19, 431, 'headers-too-large', 'a name of 70 KB', get(`${'y'.repeat(70_000)}: x`)),
  stop(
    19,
    431,
    'headers-too-large',
    'fields of one byte too many',
    get(`X: ${'y'.repeat(16 * 1024 - 'Host: a\r\nX: \r\n'.length + 1)}`),
  ),
  stop(19, 431, 'headers-too-large', '101 fields', get(...Array.from({ length: 100 }, (_, i) => `X-${i}: y`))),
  stop(
    19,
    431,
    'headers-too-large',
    '2,001 fields, the last of which would frame the body',
    get(...Array.from({ length: 2000 }, () => 'X:'), CHUNKED),
  ),
];

// ---- 28: credentials

const credentials: Stop[] = [
  stop(28, 400, 'header-invalid', 'two Authorization fields', get('Authorization: Bearer a', 'Authorization: Bearer b')),
  stop(28, 400, 'header-invalid', 'two that agree', get('Authorization: Bearer a', 'Authorization: Bearer a')),
  stop(28, 400, 'header-invalid', 'two in different case', get('authorization: Basic YTpi', 'AUTHORIZATION: Bearer a')),
  stop(
    28,
    400,
    'header-invalid',
    'two Proxy-Authorization fields',
    get('Proxy-Authorization: Basic YTpi', 'Proxy-Authorization: Basic YTpi'),
  ),
  stop(
    36,
    400,
    'content-type',
    'two Content-Type fields',
    `${post('Content-Type: application/json', 'Content-Type: text/plain', 'Content-Length: 2')}{}`,
  ),
];

export const stops: readonly Stop[] = [
  ...twoLengths,
  ...disguises,
  ...oldVersions,
  ...lengths,
  ...chunks,
  ...floods,
  ...bodies,
  ...upgrades,
  ...fields,
  ...requestLines,
  ...targets,
  ...hosts,
  ...methods,
  ...paths,
  ...sizes,
  ...credentials,
];

// ---- what passes

const pass = (threat: number, why: string, bytes: string, seen: readonly Seen[], more: Partial<Pass> = {}): Pass => ({
  threat,
  why,
  bytes,
  seen,
  ...more,
});
const one = (threat: number, why: string, bytes: string, seen: Partial<Seen> = {}): Pass =>
  pass(threat, why, bytes, [{ target: '/x', ...seen }]);
const five = ['/x/1', '/x/2', '/x/3', '/x/4', '/x/5'];
const hello = { method: 'POST', body: 'hello' };

const framing: Pass[] = [
  one(1, 'a body with a length', `${post('Content-Length: 5')}hello`, {
    ...hello,
    has: { 'content-length': '5' },
    lacks: ['transfer-encoding'],
  }),
  one(1, 'a chunked body', chunked('5\r\nhello\r\n0\r\n\r\n'), {
    ...hello,
    has: { 'transfer-encoding': 'chunked' },
    lacks: ['content-length'],
  }),
  one(1, 'a body that looks like a request', `${post(`Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`, {
    method: 'POST',
    body: SMUGGLED,
  }),
  one(1, 'a GET with a body', `${get('Content-Length: 5')}hello`, { body: 'hello' }),
  one(1, 'a DELETE with a body', `${head('DELETE /x HTTP/1.1', 'Content-Length: 5')}hello`, { method: 'DELETE', body: 'hello' }),
  one(2, 'CHUNKED in upper case', `${post('TRANSFER-ENCODING: CHUNKED')}5\r\nhello\r\n0\r\n\r\n`, hello),
  one(2, 'blanks around the coding', `${post('Transfer-Encoding:   chunked  ')}5\r\nhello\r\n0\r\n\r\n`, hello),
  one(2, 'no blank before the coding', `${post('Transfer-Encoding:chunked')}5\r\nhello\r\n0\r\n\r\n`, hello),
  one(2, 'TE: trailers is for us alone', get('TE: trailers', 'Connection: TE'), { lacks: ['te', 'connection'] }),
  pass(3, 'HTTP/1.0 with a length', `${head('POST /x HTTP/1.0', 'Content-Length: 5')}hello`, [{ target: '/x', ...hello }], {
    closes: true,
  }),
  pass(3, 'HTTP/1.0 with keep-alive', `${head('POST /x HTTP/1.0', 'Content-Length: 5', 'Connection: keep-alive')}hello`, [
    { target: '/x', ...hello },
  ]),
  pass(
    3,
    'a body without length in HTTP/1.0 is none',
    `${head('POST /x HTTP/1.0')}${SMUGGLED}`,
    [{ target: '/x', method: 'POST', body: '' }],
    { closes: true },
  ),
  pass(3, 'HTTP/1.0 without Host', 'GET /x HTTP/1.0\r\n\r\n', [{ target: '/x' }], { closes: true }),
  one(4, 'Content-Length: 0', post('Content-Length: 0'), { method: 'POST', body: '' }),
  one(4, 'leading zeros', `${post('Content-Length: 000005')}hello`, hello),
  one(4, 'blanks around the number', `${post('Content-Length:   5  ')}hello`, hello),
  one(4, 'no length at all', post(), { method: 'POST', body: '' }),
  one(5, 'two chunks', chunked('3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'), hello),
  one(5, 'chunks of one byte', chunked('1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n'), hello),
  one(5, 'hexadecimal in both cases', chunked(`A\r\n0123456789\r\nb\r\n01234567890\r\n0\r\n\r\n`), {
    method: 'POST',
    body: '012345678901234567890',
  }),
  one(5, 'leading zeros', chunked('0005\r\nhello\r\n000\r\n\r\n'), hello),
  one(5, 'no data', chunked('0\r\n\r\n'), { method: 'POST', body: '' }),
  one(5, 'data that looks like chunks', chunked('a\r\n\r\n0\r\n\r\nabc\r\n0\r\n\r\n'), {
    method: 'POST',
    body: '\r\n0\r\n\r\nabc',
  }),
  one(6, 'an extension', chunked('5;a=b;c="d;\\"e \\\\";f\r\nhello\r\n0;g\r\n\r\n'), hello),
  one(
    6,
    'trailers, which are dropped',
    chunked('5\r\nhello\r\n0\r\nX-Trailer: y\r\nAuthorization: Bearer x\r\nHost: b\r\n\r\n'),
    {
      ...hello,
      has: { host: 'a' },
      lacks: ['x-trailer', 'authorization', 'content-length'],
    },
  ),
  one(6, 'Trailer (it killed proxies on node:http)', get('Trailer: X'), { lacks: ['trailer'] }),
  pass(
    7,
    'five in a pipeline',
    five.map((to) => head(`GET ${to} HTTP/1.1`)).join(''),
    five.map((to) => ({ target: to })),
  ),
  pass(7, 'bodies in a pipeline', `${post('Content-Length: 5')}hello${chunked('5\r\nhello\r\n0\r\n\r\n')}${get()}`, [
    { target: '/x', ...hello },
    { target: '/x', ...hello },
    { target: '/x' },
  ]),
  pass(7, 'the pipeline ends where it is told to', `${get('Connection: close')}${SMUGGLED}`, [{ target: '/x' }], {
    closes: true,
  }),
  pass(7, 'a refusal in a pipeline ends it', `${get()}${head('GET /a%2fb HTTP/1.1')}${SMUGGLED}`, [{ target: '/x' }], {
    closes: true,
    statuses: [200, 400],
  }),
  pass(
    7,
    'no route, with a body that is complete',
    `${head('POST /nowhere HTTP/1.1', 'Content-Length: 5')}hello${get()}`,
    [{ target: '/x' }],
    { statuses: [404, 200], inOnePiece: true },
  ),
  pass(
    7,
    'no route, with chunks that are complete',
    `${head('POST /nowhere HTTP/1.1', CHUNKED)}5\r\nhello\r\n0\r\n\r\n${get()}`,
    [{ target: '/x' }],
    { statuses: [404, 200], inOnePiece: true },
  ),
  pass(7, 'not this method, and the next request', `${head('DELETE /get-only HTTP/1.1')}${get()}`, [{ target: '/x' }], {
    statuses: [405, 200],
  }),
  pass(7, 'an expectation without body', `${get('Expect: 100-continue')}`, [{ target: '/x', lacks: ['expect'] }]),
  pass(
    7,
    'the body sent without waiting',
    `${post('Expect: 100-continue', 'Content-Length: 5')}hello${get()}`,
    [{ target: '/x', ...hello, lacks: ['expect'] }, { target: '/x' }],
    { statuses: [200, 200] },
  ),
  pass(7, '100-Continue in other case', `${post('Expect: 100-Continue', 'Content-Length: 5')}hello`, [
    { target: '/x', ...hello },
  ]),
  pass(
    7,
    'an expectation in HTTP/1.0 is no expectation',
    `${head('POST /x HTTP/1.0', 'Expect: 100-continue', 'Content-Length: 5')}hello`,
    [{ target: '/x', ...hello }],
    { closes: true },
  ),
  pass(
    7,
    '204 and 304 have no body',
    `${head('GET /x/status/204 HTTP/1.1')}${head('GET /x/status/304 HTTP/1.1')}${get()}`,
    [{ target: '/x/status/204' }, { target: '/x/status/304' }, { target: '/x' }],
    { statuses: [204, 304, 200] },
  ),
];

const versionsAndForms: Pass[] = [
  one(
    8,
    'h2c is not for services',
    get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'),
    { lacks: ['upgrade', 'http2-settings', 'connection'] },
  ),
  one(
    8,
    'h2c beside websocket',
    get('Connection: Upgrade', 'Upgrade: h2c, websocket', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'),
    { lacks: ['upgrade', 'http2-settings'] },
  ),
  one(8, 'an upgrade to TLS', get('Connection: Upgrade', 'Upgrade: TLS/1.0'), { lacks: ['upgrade'] }),
  one(8, 'Upgrade that Connection does not name', get('Upgrade: websocket'), { lacks: ['upgrade'] }),
  one(8, 'a POST is no handshake', `${post('Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 5')}hello`, {
    ...hello,
    lacks: ['upgrade'],
  }),
  pass(
    8,
    'HTTP/1.0 has no upgrade',
    head('GET /x HTTP/1.0', 'Connection: Upgrade', 'Upgrade: websocket'),
    [{ target: '/x', lacks: ['upgrade'] }],
    { closes: true },
  ),
  pass(
    8,
    'a handshake that the service declines, and bytes behind it',
    `${upgrade('Sec-WebSocket-Version: 13', KEY)}${head('GET /x/next HTTP/1.1')}`,
    [{ target: '/x', has: { upgrade: 'websocket' } }, { target: '/x/next' }],
  ),
  one(9, 'an empty value', get('X:', 'Y: '), { has: { x: '', y: '' } }),
  one(9, 'blanks around a value', get('X: \t a b \t '), { has: { x: 'a b' } }),
  one(9, 'a tab in a value', get('X: a\tb'), { has: { x: 'a\tb' } }),
  one(9, 'bytes beyond ASCII in a value', get('X: caf\xe9'), { has: { x: 'caf\xe9' } }),
  one(9, 'a colon in a value', get('X: a:b: c'), { has: { x: 'a:b: c' } }),
  one(9, 'cookies in two fields are one', get('Cookie: a=1', 'Cookie: b=2'), { has: { cookie: 'a=1; b=2' } }),
  one(10, 'an empty line before the request', `\r\n${get()}`),
  pass(10, 'an empty line between two', `${get()}\r\n${get()}`, [{ target: '/x' }, { target: '/x' }]),
  pass(10, 'an empty line behind a body', `${post('Content-Length: 5')}hello\r\n${get()}`, [
    { target: '/x', ...hello },
    { target: '/x' },
  ]),
  pass(10, 'an empty line behind the last request', `${post('Content-Length: 5')}hello\r\n`, [{ target: '/x', ...hello }]),
  one(11, 'absolute form', head('GET http://a/x HTTP/1.1'), { has: { host: 'a' } }),
  one(11, 'absolute form in upper case', head('GET HTTP://A/x HTTP/1.1'), { has: { host: 'a' } }),
  one(11, 'absolute form with the usual port', head('GET http://a:80/x HTTP/1.1')),
  pass(11, 'absolute form without path', head('GET http://a HTTP/1.1'), [{ target: '/', has: { host: 'a' } }]),
  pass(11, 'absolute form with a query', head('GET http://a/x?b=http://c/ HTTP/1.1'), [{ target: '/x?b=http://c/' }]),
  pass(11, 'absolute form in HTTP/1.0 without Host', 'GET http://a/x HTTP/1.0\r\n\r\n', [{ target: '/x', has: { host: 'a' } }], {
    closes: true,
  }),
  pass(11, 'two slashes are one, and no host', head('GET //evil.example/x HTTP/1.1'), [
    { target: '/evil.example/x', has: { host: 'a' } },
  ]),
  pass(11, 'a URL in the path is a path', head('GET /http://evil.example/ HTTP/1.1'), [
    { target: '/http:/evil.example/', has: { host: 'a' } },
  ]),
  ...[
    'a',
    'A.example',
    'a:8080',
    'a.example.',
    '127.0.0.1',
    '127.0.0.1:80',
    '[::1]',
    '[::1]:8080',
    'xn--bcher-kva.example',
    'a_b',
    'a-b',
  ].map((value) =>
    pass(12, `Host: ${value}`, `GET /x HTTP/1.1\r\nHost: ${value}\r\n\r\n`, [
      { target: '/x', has: { host: value.toLowerCase().replace(/\.$/, '') } },
    ]),
  ),
  one(12, 'hOsT', 'GET /x HTTP/1.1\r\nhOsT:a\r\n\r\n', { has: { host: 'a' } }),
  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) =>
    one(13, method, head(`${method} /x HTTP/1.1`), { method }),
  ),
];

const forwarded: Pass[] = [
  ...(
    [
      ['/%78/%61', '/x/a'],
      ['/x/./y', '/x/y'],
      ['/y/../x', '/x'],
      ['/x//y', '/x/y'],
      ['/x/', '/x/'],
      ['/x/%7Ey', '/x/~y'],
      ['/x/caf%c3%a9', '/x/caf%C3%A9'],
      ['/x/y%20z', '/x/y%20z'],
      ['/x?a=%2f..%00', '/x?a=%2f..%00'],
      ['/x?', '/x?'],
      ['/x/100%25', '/x/100%25'],
      ['/x/...', '/x/...'],
      ['/x/a:b@c', '/x/a:b@c'],
      ['/x?a=b?c', '/x?a=b?c'],
    ] as const
  ).map(([from, to]) => pass(14, `${from} is ${to}`, head(`GET ${from} HTTP/1.1`), [{ target: to }])),
  one(15, 'fields that Connection names go', get('Connection: X-One, X-Two', 'X-One: 1', 'X-Two: 2', 'X-Three: 3'), {
    lacks: ['x-one', 'x-two', 'connection'],
    has: { 'x-three': '3' },
  }),
  one(
    15,
    'those that carry security stay',
    get(
      'Connection: Authorization, Cookie, X-Forwarded-For, X-Api-Key, Content-Type',
      'Authorization: Bearer a',
      'Cookie: a=1',
      'X-Api-Key: k',
    ),
    {
      has: { authorization: 'Bearer a', cookie: 'a=1', 'x-api-key': 'k', 'x-forwarded-for': '127.0.0.1' },
    },
  ),
  one(15, 'Connection cannot take ours away', get('Connection: X-Request-Id, X-Forwarded-Proto, X-Forwarded-Host, traceparent'), {
    has: { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'a', 'x-forwarded-for': '127.0.0.1' },
  }),
  one(15, 'Connection cannot take Host away', get('Connection: Host'), { has: { host: 'a' } }),
  one(15, 'Connection cannot take the length away', `${post('Connection: Content-Length', 'Content-Length: 5')}hello`, {
    ...hello,
    has: { 'content-length': '5' },
  }),
  one(
    15,
    'hop-by-hop fields',
    get(
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Trailer: X',
      'Proxy-Authorization: Basic YTpi',
      'Proxy-Authenticate: x',
      'Trailers: X',
      'Proxy: http://evil.example',
    ),
    {
      lacks: [
        'keep-alive',
        'proxy-connection',
        'te',
        'trailer',
        'proxy-authorization',
        'proxy-authenticate',
        'trailers',
        'proxy',
      ],
    },
  ),
];

/** Names under which a service is told who calls, from where, or what is meant: none of them may come from the client. */
const spoofed = {
  16: [
    'Forwarded',
    'X-Forwarded',
    'X-Forwarded-Port',
    'X-Forwarded-Server',
    'X-Forwarded-Prefix',
    'X-Forwarded-Uri',
    'X-Forwarded-Ssl',
    'X-Forwarded-Client-Cert',
    'X-Real-IP',
    'X-Client-IP',
    'Client-IP',
    'True-Client-IP',
    'X-Cluster-Client-IP',
    'CF-Connecting-IP',
    'CF-IPCountry',
    'Fastly-Client-IP',
    'X-Azure-ClientIP',
    'X-Envoy-External-Address',
    'X-Originating-IP',
    'X-Remote-IP',
    'X-Remote-Addr',
    'X-ProxyUser-Ip',
  ],
  17: [
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Override-URL',
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X-Original-Method',
    'X-Original-Host',
    'X-Host',
    'X-HTTP-Host-Override',
    'X-Accel-Redirect',
    'X-Sendfile',
    'X-Middleware-Subrequest',
  ],
  18: [
    'X-Portcullis-Caller',
    'X-Portcullis-Subject',
    'X-Portcullis-Scopes',
    'X-Portcullis-Anything',
    'X-User',
    'X-User-Id',
    'X-Username',
    'X-Consumer-Username',
    'X-Consumer-Id',
    'X-Authenticated-User',
    'X-Authenticated-Userid',
    'X-Auth-Request-User',
    'X-Auth-Request-Email',
    'X-Scopes',
    'X-Roles',
    'X-Groups',
    'X-JWT-Assertion',
    'X-JWT-Claims',
    'Remote-User',
    'X-Remote-User',
    'X-WebAuth-User',
    'X-SSL-Client-DN',
    'SSL-Client-Cert',
    'Client-Cert',
    'X-Goog-Authenticated-User-Email',
    'X-Amzn-Oidc-Identity',
    'X-MS-Client-Principal',
    'Tailscale-User-Login',
    'X-Token-Claims',
    'X-Admin',
  ],
} as const;

const spellings: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toLowerCase(),
  (name) => name.toUpperCase(),
  (name) => name.replaceAll('-', '_'),
  (name) => name.replace('-', '_'),
  (name) => name.replaceAll('-', '.'),
  (name) => name.replaceAll('-', '~'),
];

const spoofs: Pass[] = Object.entries(spoofed).flatMap(([threat, names]) =>
  names.map((name) => {
    const fields = [...new Set(spellings.map((spell) => spell(name)))].map((spelled) => `${spelled}: spoofed`);
    return one(Number(threat), `${name} in ${fields.length} spellings`, get(...fields, `Connection: ${name}`), { lacks: [name] });
  }),
);

const overwritten: Pass[] = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Request-Id'].map((name) => {
  const fields = [...new Set(spellings.map((spell) => spell(name)))].map((spelled) => `${spelled}: spoofed`);
  const ours: Record<string, string> = { 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Proto': 'http', 'X-Forwarded-Host': 'a' };
  return one(16, `${name} is ours`, get(...fields, `Connection: ${name}`), name in ours ? { has: { [name]: ours[name] } } : {});
});

const inBounds: Pass[] = [
  pass(19, 'a target that just fits', head(`GET /x/${'y'.repeat(8189)} HTTP/1.1`), [{ target: `/x/${'y'.repeat(8189)}` }]),
  one(19, 'fields that just fit', get(`X: ${'y'.repeat(16 * 1024 - 'Host: a\r\nX: \r\n'.length)}`)),
  one(19, '100 fields', get(...Array.from({ length: 99 }, (_, i) => `X-${i}: y`)), { has: { 'x-98': 'y' } }),
  one(19, 'both bounds at once', `GET /x?${'q'.repeat(8189)} HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(16_000)}\r\n\r\n`, {
    target: `/x?${'q'.repeat(8189)}`,
  }),
  one(28, 'one Authorization', get('Authorization: Bearer a'), { has: { authorization: 'Bearer a' } }),
  one(28, 'the same field many times, where lists are allowed', get('Accept: a', 'Accept: b')),
];

export const passes: readonly Pass[] = [...framing, ...versionsAndForms, ...forwarded, ...spoofs, ...overwritten, ...inBounds];
