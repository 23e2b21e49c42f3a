/** What clients may and may not say over HTTP/2: every case of `test/cases/h2.ts` as frames over a real TLS connection. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { catalogue } from '../../src/errors/catalogue.ts';
import { h2Breaks, h2Passes, h2Stops } from '../cases/h2.ts';
import { type Echo, fieldsOf, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { get, H2Raw, headers, SETTINGS } from '../support/h2-raw.ts';

let echo: Echo;
let gateway: Gateway;
/** Status and code of each record that must be there at the end, by request id. */
const expected = new Map<string, string>();

before(async () => {
  echo = await startEcho();
  gateway = await startGateway(`
listeners: { secure: { address: 127.0.0.1:0, tls: self-signed } }
services: { s: ${echo.url} }
routes: [ { path: /**, service: s, authentication: none } ]`);
});

after(async () => {
  await gateway?.stop();
  await echo?.stop();
});

const connect = (): Promise<H2Raw> => H2Raw.connect(gateway.port('secure'));

/** The service has seen nothing of it, and the connection reads the next request as if nothing had been. */
async function goesOn(client: H2Raw, seen: number): Promise<void> {
  client.send(headers(1001, get('/after', [['x-after', 'yes']])));
  assert.equal((await client.answer(1001)).status, 200);
  const since = echo.requests.slice(seen);
  assert.deepEqual(
    since.map((request) => [request.target, fieldsOf(request, 'x-after')]),
    [['/after', ['yes']]],
  );
}

describe('what must stop is refused as over HTTP/1, and the connection goes on', () => {
  for (const { threat, why, frames, code, malformed } of h2Stops) {
    test(`${threat}: ${why}`, async () => {
      using client = await connect();
      const seen = echo.requests.length;
      client.send(...frames);
      const answer = await client.answer(1);
      assert.equal(answer.status, catalogue[code].status);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      const id = answer.headers.get('x-request-id') ?? '';
      const { type, title, status } = JSON.parse(answer.body.toString()) as Record<string, unknown>;
      assert.deepEqual([type, title, status], [`urn:portcullis:problem:${code}`, catalogue[code].title, answer.status]);
      expected.set(id, `${answer.status} ${code}`);
      await client.until(() => !malformed || answer.reset !== undefined, 'a reset');
      if (malformed) assert.equal(answer.reset, 'PROTOCOL_ERROR');
      else assert.ok(answer.reset === undefined || answer.reset === 'NO_ERROR', answer.reset);
      await goesOn(client, seen);
    });
  }

  test('each has its own record, with the reason', async () => {
    const records = new Map((await gateway.records(h2Stops.length * 2)).map((record) => [record.request_id, record]));
    assert.equal(expected.size, h2Stops.length);
    for (const [id, outcome] of expected) {
      const record = records.get(id);
      assert.equal(`${record?.http.status} ${record?.decision?.code}`, outcome);
      assert.equal(record?.http.version, '2');
      assert.ok((record?.decision?.reason ?? '').length > 10);
    }
  });
});

describe('what breaks the protocol ends the connection', () => {
  for (const { threat, why, frames, error } of h2Breaks) {
    test(`${threat}: ${why}`, async () => {
      using client = await connect();
      const seen = echo.requests.length;
      client.send(...frames);
      await client.end();
      assert.equal(client.goaway, error);
      assert.deepEqual(
        echo.requests
          .slice(seen)
          .map(({ target }) => target)
          .filter((target) => target !== '/x'),
        [],
      );
    });
  }

  test('a preface that is not one', async () => {
    for (const bytes of [
      'GET / HTTP/1.1\r\nHost: h\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\rx',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    ]) {
      using client = await H2Raw.connect(gateway.port('secure'), { settings: false });
      client.send(Buffer.from(bytes, 'latin1'));
      await client.end();
      assert.equal(client.goaway, 'PROTOCOL_ERROR');
    }
  });

  test('anything before the settings', async () => {
    using client = await H2Raw.connect(gateway.port('secure'), { settings: false });
    client.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), headers(1, get('/x')));
    await client.end();
    assert.equal(client.goaway, 'PROTOCOL_ERROR');
  });
});

describe('what must pass passes', () => {
  for (const { threat, why, frames, status, seen } of h2Passes) {
    test(`${threat}: ${why}`, async () => {
      using client = await connect();
      const before = echo.requests.length;
      client.send(...frames);
      const answer = await client.answer(1);
      assert.equal(answer.heads.at(-1)?.get(':status'), String(status ?? 200));
      assert.deepEqual([answer.ended, answer.reset], [true, undefined]);
      const requests = echo.requests.slice(before);
      assert.equal(requests.length, seen === undefined ? 0 : 1);
      if (seen === undefined) return;
      const [request] = requests;
      assert.equal(request.target, seen.target);
      if (seen.method !== undefined) assert.equal(request.method, seen.method);
      if (seen.body !== undefined) assert.equal(request.body.toString('latin1'), seen.body);
      for (const [name, value] of seen.has ?? []) assert.deepEqual(fieldsOf(request, name), [value]);
      for (const name of seen.lacks ?? []) assert.deepEqual(fieldsOf(request, name), []);
    });
  }

  test('cut anywhere, the bytes mean the same', async () => {
    const bytes = Buffer.concat([headers(1, get('/cut', [['x-a', 'b']])), headers(3, get('/cut', [['x-a', 'c']]))]);
    for (const size of [1, 2, 3, 5, 8, 9, 10, 11, 20, 64]) {
      // Nothing of our own may come in between: no update of a window, and the acknowledgement before.
      using client = await H2Raw.connect(gateway.port('secure'), { windows: false });
      await client.until(() => client.count(SETTINGS) === 2, 'settings');
      for (let at = 0; at < bytes.length; at += size) {
        client.send(bytes.subarray(at, at + size));
        // Each piece has to be a record of its own, and so a piece of its own for the reader.
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual([(await client.answer(1)).status, (await client.answer(3)).status], [200, 200]);
    }
  });
});
