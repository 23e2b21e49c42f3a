/** Node's own clients against the gateway: fetch (undici), and http2. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Agent, fetch } from 'undici';
import { hashOf, pattern } from '../support/services.ts';
import { type House, MIB, openHouse, TEXT } from './house.ts';
import { allQuestions, compare, type Question, type Seen, seen } from './questions.ts';

describe('Node', () => {
  let house: House;
  let folder = '';
  let ca = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'portcullis-node-'));
    house = await openHouse();
    ca = readFileSync(house.certificates.ca, 'utf8');
  });
  after(async () => {
    await house?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [name, scheme, allowH2] of [
    ['HTTP/1.1', 'plain', false],
    ['HTTP/1.1 over TLS', 'secure', false],
    ['HTTP/2', 'secure', true],
  ] as const) {
    describe(`fetch, ${name}`, () => {
      let agent: Agent;
      before(() => {
        agent = new Agent({ allowH2, connect: { ca } });
      });
      after(() => agent.destroy());
      const get = (where: string, options: Parameters<typeof fetch>[1] = {}) =>
        fetch(house[scheme] + where, { dispatcher: agent, ...options });

      test('the answers to all questions', async () => {
        const questions = await allQuestions(folder);
        const answers: Seen[] = [];
        for (const question of questions) {
          const bytes = question.body === undefined ? undefined : await readFile(question.body);
          const body = question.chunked === true && bytes !== undefined ? new Blob([bytes]).stream() : bytes;
          const answer = await get(question.path, { method: question.method, body, duplex: 'half' });
          const { status, headers } = answer;
          answers.push(seen(question.name, status, Object.fromEntries(headers), Buffer.from(await answer.arrayBuffer())));
        }
        compare(questions, answers);
      });

      test('a compressed text is unpacked by the client', async () => {
        const answer = await get('/text');
        assert.equal(answer.headers.get('content-encoding'), 'gzip');
        assert.equal(await answer.text(), TEXT);
      });

      test('fifty at a time', async () => {
        const all = await Promise.all(
          Array.from({ length: 50 }, async (_, n) => (await get(`/bytes/${n * 1000}`)).arrayBuffer()),
        );
        all.forEach((bytes, n) => assert.equal(hashOf(Buffer.from(bytes)), hashOf(pattern(n * 1000))));
      });

      test('events come while the answer goes on', async () => {
        const answer = await get('/events');
        let [pieces, text] = [0, ''];
        for await (const piece of answer.body ?? []) {
          pieces++;
          text += Buffer.from(piece as Uint8Array).toString();
        }
        assert.equal(pieces, 3);
        assert.match(text, /event 1[^]*event 2[^]*event 3/);
      });

      test('an answer that is given up does not disturb the next', async () => {
        const stop = new AbortController();
        const answer = await get(`/bytes/${8 * MIB}`, { signal: stop.signal });
        stop.abort();
        await assert.rejects(answer.arrayBuffer(), { name: 'AbortError' });
        assert.equal((await (await get('/bytes/10')).arrayBuffer()).byteLength, 10);
      });
    });
  }

  describe('http2', () => {
    let session: http2.ClientHttp2Session;
    before(async () => {
      session = http2.connect(house.secure, { ca });
      await once(session, 'connect');
    });
    after(() => session.destroy());

    const ask = async ({ name, method, path: where, body }: Question): Promise<Seen> => {
      const bytes = body === undefined ? undefined : await readFile(body);
      const stream = session.request({ ':method': method, ':path': where }, { endStream: bytes === undefined });
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      const ended = once(stream, 'end');
      stream.end(bytes);
      const [fields] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
      await ended;
      const headers = Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, String(value)]));
      return seen(name, Number(fields[':status']), headers, Buffer.concat(pieces));
    };

    test('the answers to all questions, one after the other and all at once', async () => {
      const questions = await allQuestions(folder);
      const answers: Seen[] = [];
      for (const question of questions) answers.push(await ask(question));
      compare(questions, answers);
      compare(questions, await Promise.all(questions.map(ask)));
    });

    test('a ping is answered, a stream that is given up leaves the others alone', async () => {
      const others = Promise.all([1, 2, 3].map((n) => ask({ name: `${n}`, method: 'GET', path: `/bytes/${n * MIB}` })));
      const given = session.request({ ':path': `/bytes/${8 * MIB}` });
      await once(given, 'response');
      given.close(http2.constants.NGHTTP2_CANCEL);
      await once(given, 'close');
      assert.deepEqual(
        (await others).map(({ length }) => length),
        [MIB, 2 * MIB, 3 * MIB],
      );
      const [failed] = await new Promise<unknown[]>((resolve) => session.ping((...result) => resolve(result)));
      assert.equal(failed, null);
      assert.equal(session.closed, false);
    });
  });
});
