import assert from 'node:assert/strict';
import http from 'node:http';
import { Duplex } from 'node:stream';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { ConnectionInfo } from '../../src/exchange/exchange.ts';
import { ChunkedReader } from '../../src/exchange/http1/chunked-reader.ts';
import { HeadBuffer } from '../../src/exchange/http1/head-buffer.ts';
import { HeadReader, INCOMPLETE, MALFORMED } from '../../src/exchange/http1/head-reader.ts';
import { type ReadRequest, readRequest } from '../../src/listen/read-request.ts';
import { feed, Harness } from '../support/http1-harness.ts';
import { Random } from '../support/random.ts';

/**
 * Random and mutated messages through our reader and through llhttp (a server of node:http in memory): whatever ours accepts, llhttp
 * accepts too, with the same method, target, fields and body; and in pieces, ours reads the same as in one.
 *
 * `FUZZ_SECONDS=600 npm test -- test/fuzz/head-differential.test.ts` looks longer, `FUZZ_SEED=…` looks again.
 *
 * Where the two are known to differ, with ours the one that accepts:
 * - registered methods that llhttp does not know (WebDAV's versioning, RFC 3253 and 4437): these are left out;
 * - behind a WebSocket handshake llhttp takes the rest for the other protocol: the sequence ends there.
 */

interface Message {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Names in lower case, and values. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly complete: boolean;
}

const INFO: ConnectionInfo = { listener: 'fuzz', secure: false, peerAddress: '127.0.0.1', peerPort: 1, serverName: undefined };
const BOUNDS = { target: 8192, head: 16 * 1024, fields: 100 };

/** What our reader makes of pieces of a connection: the messages up to the first that it refuses. `ends` takes where each complete one ends. */
function readOurs(pieces: readonly Buffer[], ends: number[] = []): Message[] {
  const messages: Message[] = [];
  let taken = 0;
  let reading = new Reading(messages);
  for (const piece of pieces) {
    let rest: Buffer | undefined = piece;
    while (rest !== undefined && rest.length > 0 && reading.open) {
      rest = reading.take(rest);
      if (rest !== undefined) ends.push(taken + piece.length - rest.length);
      if (reading.done) reading = new Reading(messages);
    }
    taken += piece.length;
  }
  reading.giveUp();
  return messages;
}

/** One message as it arrives. */
class Reading {
  open = true;
  done = false;
  readonly #messages: Message[];
  readonly #reader = new HeadReader('request', BOUNDS);
  readonly #head = new HeadBuffer();
  readonly #chunked = new ChunkedReader();
  #request: ReadRequest | undefined;
  #headers: string[] = [];
  #body = '';

  constructor(messages: Message[]) {
    this.#messages = messages;
  }

  /** Takes bytes; gives back those behind the message. */
  take(bytes: Buffer): Buffer | undefined {
    return this.#request === undefined ? this.#takeHead(bytes) : this.#takeBody(this.#request, bytes);
  }

  #takeHead(bytes: Buffer): Buffer | undefined {
    const end = this.#head.read(this.#reader, bytes);
    if (end === INCOMPLETE) return undefined;
    if (end === MALFORMED) return this.#stop();
    this.#headers = this.#reader.headers.slice();
    const request = readRequest(this.#reader, INFO);
    if (request.kind === 'refusal') return this.#stop();
    this.#request = request;
    const rest = this.#head.bytes.subarray(end);
    return request.hasBody ? this.#takeBody(request, rest) : this.#finish(request, rest);
  }

  #takeBody(request: ReadRequest, bytes: Buffer): Buffer | undefined {
    if (request.length === undefined) {
      const end = this.#chunked.read(bytes, 0, (piece) => (this.#body += piece.toString('latin1')));
      if (this.#chunked.malformed) return this.#stop();
      return this.#chunked.done ? this.#finish(request, bytes.subarray(end)) : undefined;
    }
    const left = request.length - this.#body.length;
    this.#body += bytes.toString('latin1', 0, left);
    return this.#body.length === request.length ? this.#finish(request, bytes.subarray(left)) : undefined;
  }

  #finish(request: ReadRequest, rest: Buffer): Buffer | undefined {
    this.#tell(true);
    this.done = request.keepAlive && !request.upgrade;
    this.open = this.done;
    return rest;
  }

  #stop(): undefined {
    this.giveUp();
    this.open = false;
  }

  /** A message whose head was accepted, and whose body was not or did not come. */
  giveUp(): void {
    if (this.open && !this.done && this.#request !== undefined) this.#tell(false);
  }

  #tell(complete: boolean): void {
    const { method, target, version } = this.#reader;
    this.#messages.push({ method, target, version, headers: this.#headers, body: this.#body, complete });
  }
}

class Pipe extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
  override _final(done: () => void): void {
    done();
  }
}

type Theirs = { -readonly [K in keyof Message]: Message[K] };
let theirs: Theirs[] = [];
const server = http.createServer({ requireHostHeader: false, maxHeaderSize: 1024 * 1024 }, (request, response) => {
  const { method = '', url = '', httpVersion: version, rawHeaders } = request;
  const headers = rawHeaders.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text));
  const message: Theirs = { method, target: url, version, headers, body: '', complete: false };
  theirs.push(message);
  request.on('data', (chunk: Buffer) => (message.body += chunk.toString('latin1')));
  request.on('end', () => (message.complete = true));
  request.on('error', () => undefined);
  response.end();
});
server.maxHeadersCount = 0;
server.on('clientError', (_error, socket) => socket.destroy());
after(() => server.close());

/** Message by message: the server tells of the end of one a moment later, and not at all when it has met an error by then. */
async function readTheirs(bytes: Buffer, ends: readonly number[]): Promise<Theirs[]> {
  theirs = [];
  const pipe = new Pipe();
  const closed = new Promise((resolve) => pipe.on('close', resolve));
  server.emit('connection', pipe);
  let from = 0;
  for (const [i, end] of ends.entries()) {
    if (!pipe.destroyed) pipe.push(bytes.subarray(from, end));
    for (let turns = 0; turns < 10 && theirs[i]?.complete !== true && !pipe.destroyed; turns++) await turn();
    from = end;
  }
  if (!pipe.destroyed) pipe.push(bytes.subarray(from));
  pipe.push(null);
  await closed;
  return theirs;
}

function compare(ours: readonly Message[], other: readonly Message[]): void {
  for (const [i, message] of ours.entries()) {
    const same = other[i];
    assert.ok(same !== undefined, `llhttp refuses message ${i}`);
    assert.deepEqual({ ...same, body: '', complete: true }, { ...message, body: '', complete: true });
    if (message.complete) assert.deepEqual([same.complete, same.body], [true, message.body]);
  }
}

// ---- messages

const METHODS = [
  'GET',
  'GET',
  'POST',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'QUERY',
  'PROPFIND',
  'CONNECT',
  'TRACE',
  'get',
  'PRI',
  'M-SEARCH',
];
const TARGETS = [
  '/',
  '/x',
  '/x?a=b',
  '*',
  'http://a/x',
  'http://a',
  'a:80',
  '/%41',
  '//x',
  '/x#y',
  '/?q="<>{}|^`[]\\',
  '/..',
  "/~!$&'()*+,=:@",
  '',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.2', ''];
const NAMES = [
  'Host',
  'X',
  'Accept',
  'Cookie',
  'Connection',
  'Content-Length',
  'Transfer-Encoding',
  'Expect',
  'Upgrade',
  'TE',
  'Trailer',
  'x_y',
  'Sec-WebSocket-Key',
  'Transfer_Encoding',
  "!#$%&'*+-.^_`|~",
  '',
];
const VALUES = [
  'a',
  '',
  'a b',
  'a\tb',
  ' a ',
  'chunked',
  'Chunked',
  'gzip, chunked',
  'chunked, chunked',
  'identity',
  '5',
  '05',
  '+5',
  '5, 5',
  '0',
  'close',
  'keep-alive',
  'upgrade',
  'close, x',
  'websocket',
  'h2c',
  '100-continue',
  '\xe9\xff',
  'a:b',
  '"q"',
  ',',
];
const CHUNKS = [
  '5\r\nhello\r\n',
  '1\r\nx\r\n',
  '5;a=b\r\nhello\r\n',
  '5;a="b;\\"c"\r\nhello\r\n',
  '05\r\nhello\r\n',
  'a\r\n0123456789\r\n',
  'A;x\r\n0123456789\r\n',
  '5 \r\nhello\r\n',
  '5\nhello\r\n',
  '0x5\r\nhello\r\n',
];
const TRAILERS = ['', '', '', 'X: y\r\n', 'Content-Length: 3\r\n', 'X : y\r\n', 'X: y\n'];
const INTERESTING = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '\\',
  '=',
  '\0',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '0',
  '5',
  'f',
  '#',
  '?',
  '%',
  '/',
  'HTTP/1.1',
  'chunked',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 5\r\n',
  '\r\n ',
  '\n\n',
  '0\r\n\r\n',
];

function makeFields(random: Random): string {
  let fields = random.chance(0.9) ? 'Host: a\r\n' : '';
  for (let i = random.pick([0, 0, 0, 1, 1, 2, 4]); i > 0; i--)
    fields += `${random.pick(NAMES)}:${random.pick([' ', '', '  ', '\t'])}${random.pick(VALUES)}\r\n`;
  return fields;
}

function makeBody(random: Random): { field: string; body: string } {
  const kind = random.below(4);
  if (kind === 0) return { field: '', body: '' };
  if (kind === 1) return { field: 'Content-Length: 5\r\n', body: 'hello' };
  if (kind === 2) return { field: `Content-Length: ${random.pick(['0', '3', '9', '05', '5 ', '+5'])}\r\n`, body: 'hello' };
  let body = '';
  for (let i = random.below(4); i > 0; i--) body += random.pick(CHUNKS);
  return { field: 'Transfer-Encoding: chunked\r\n', body: `${body}0\r\n${random.pick(TRAILERS)}\r\n` };
}

function makeMessage(random: Random): string {
  const usual = random.chance(0.6);
  const first = usual
    ? `${random.pick(['GET', 'POST', 'PUT'])} ${random.pick(['/', '/x', '/x?a=b'])} HTTP/1.1`
    : `${random.pick(METHODS)} ${random.pick(TARGETS)} ${random.pick(VERSIONS)}`;
  const { field, body } = makeBody(random);
  const fields = makeFields(random);
  return `${first}\r\n${random.chance(0.5) ? field + fields : fields + field}\r\n${body}`;
}

function mutate(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const kind = random.below(5);
  if (kind === 0) return text.slice(0, at) + random.pick(INTERESTING) + text.slice(at);
  if (kind === 1) return text.slice(0, at) + text.slice(at + 1 + random.below(3));
  if (kind === 2) return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
  if (kind === 3) return text.slice(0, at) + random.pick(INTERESTING) + text.slice(at + 1);
  const to = Math.min(text.length, at + random.below(20));
  return text.slice(0, to) + text.slice(at);
}

function makeBytes(random: Random): Buffer {
  let text = '';
  for (let i = 1 + random.below(3); i > 0; i--) text += makeMessage(random);
  if (random.chance(0.6)) for (let i = 1 + random.below(3); i > 0; i--) text = mutate(random, text);
  return Buffer.from(text, 'latin1');
}

function cut(random: Random, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  const longest = random.pick([1, 3, 20, 100]);
  for (let at = 0; at < bytes.length; ) {
    const to = at + 1 + random.below(longest);
    pieces.push(bytes.subarray(at, to));
    at = to;
  }
  return pieces;
}

const KNOWN_METHODS = new Set(http.METHODS);

test('what our reader accepts, llhttp reads the same', async (t) => {
  const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const end = performance.now() + 1000 * Number(process.env.FUZZ_SECONDS ?? 6);
  const random = new Random(seed);
  let samples = 0;
  let accepted = 0;
  t.diagnostic(`FUZZ_SEED=${seed}`);
  while (performance.now() < end) {
    const bytes = makeBytes(random);
    const ends: number[] = [];
    const ours = readOurs([bytes], ends);
    try {
      assert.deepEqual(readOurs(cut(random, bytes)), ours, 'in pieces it reads otherwise');
      if (ours.length > 0 && ours.every(({ method }) => KNOWN_METHODS.has(method))) compare(ours, await readTheirs(bytes, ends));
    } catch (error) {
      assert.fail(
        `FUZZ_SEED=${seed}, sample ${samples}: ${JSON.stringify(bytes.toString('latin1'))}\n${(error as Error).message}`,
      );
    }
    samples++;
    accepted += ours.length;
  }
  t.diagnostic(`${samples} samples, ${accepted} messages accepted`);
  // Otherwise it would compare nothing with nothing.
  assert.ok(accepted > samples / 4, `only ${accepted} messages of ${samples} samples were accepted`);
});

test('in the whole connection too, a message in pieces is what it is in one', async () => {
  const seen = async (pieces: readonly string[]): Promise<unknown> => {
    const harness = await Harness.make();
    const { socket } = harness.open();
    await feed(socket, pieces);
    const statuses = [...socket.text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => match[1]);
    const over = socket.over;
    socket.destroy();
    const reached = harness.service.reached.map(({ method, target, body }) => [method, target, body]);
    return { statuses: statuses.filter((status) => status !== '100'), over, reached, defects: harness.defects };
  };
  const field = fc.constantFrom(
    'X: y',
    'Cookie: a=b',
    'Connection: close',
    'Connection: x',
    'X : y',
    'X: a\tb',
    'Expect: 100-continue',
    `Long: ${'z'.repeat(300)}`,
  );
  const content = fc.oneof(
    fc.constant(['', '']),
    fc.string({ maxLength: 50 }).map((text) => {
      const body = Buffer.from(text).toString('latin1');
      return [`Content-Length: ${body.length}\r\n`, body];
    }),
    fc.array(fc.string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' }), { maxLength: 5 }).map((chunks) => {
      const body = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
      return ['Transfer-Encoding: chunked\r\n', `${body}0\r\n\r\n`];
    }),
  );
  const message = fc
    .tuple(
      fc.constantFrom('', '', '\r\n'),
      fc.constantFrom('GET', 'POST', 'FOO'),
      fc.webPath(),
      fc.array(field, { maxLength: 4 }),
      content,
    )
    .map(
      ([before, method, path, fields, [length, body]]) =>
        `${before}${method} ${path || '/'} HTTP/1.1\r\nHost: a\r\n${length}${fields.map((text) => `${text}\r\n`).join('')}\r\n${body}`,
    );
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat({ max: 2000 }), { maxLength: 12 }),
      async (messages, places) => {
        const whole = messages.join('');
        const at = [0, ...places.map((place) => place % whole.length).toSorted((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((to, i) => whole.slice(at[i], to));
        assert.deepEqual(await seen(pieces), await seen([whole]));
      },
    ),
    { numRuns: 400 },
  );
});
