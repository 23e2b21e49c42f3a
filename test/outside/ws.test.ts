/** The ws package as a client: WebSockets through the gateway, with and without TLS. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { hashOf, pattern } from '../support/services.ts';
import { type House, MIB, openHouse } from './house.ts';

describe('ws', () => {
  let house: House;
  let ca = '';
  before(async () => {
    house = await openHouse();
    ca = readFileSync(house.certificates.ca, 'utf8');
  });
  after(() => house?.stop());

  const open = async (
    scheme: 'plain' | 'secure',
    options: WebSocket.ClientOptions = {},
    protocols: string[] = [],
  ): Promise<WebSocket> => {
    const socket = new WebSocket(`${house[scheme].replace('http', 'ws')}/chat`, protocols, {
      ca,
      handshakeTimeout: 10_000,
      ...options,
    });
    await once(socket, 'open');
    return socket;
  };
  const echoed = async (socket: WebSocket, message: string | Buffer): Promise<{ data: Buffer; binary: boolean }> => {
    const answer = once(socket, 'message');
    socket.send(message);
    const [data, binary] = (await answer) as [Buffer, boolean];
    return { data, binary };
  };
  const closed = async (socket: WebSocket, code: number, reason: string): Promise<[number, string]> => {
    const close = once(socket, 'close');
    socket.close(code, reason);
    const [seen, text] = (await close) as [number, Buffer];
    return [seen, text.toString()];
  };

  for (const scheme of ['plain', 'secure'] as const) {
    test(`${scheme}: text, bytes, nothing, and much`, async () => {
      const socket = await open(scheme);
      const text = await echoed(socket, 'grüße 🙂');
      assert.deepEqual([text.data.toString(), text.binary], ['grüße 🙂', false]);
      const bytes = await echoed(socket, Buffer.from([0, 255, 13, 10]));
      assert.deepEqual([...bytes.data, bytes.binary], [0, 255, 13, 10, true]);
      assert.equal((await echoed(socket, '')).data.length, 0);
      const much = pattern(4 * MIB);
      assert.equal(hashOf((await echoed(socket, much)).data), hashOf(much));
      assert.deepEqual(await closed(socket, 4001, 'enough'), [4001, 'enough']);
    });

    test(`${scheme}: a hundred messages stay in order, a ping is answered`, async () => {
      const socket = await open(scheme);
      const got: string[] = [];
      socket.on('message', (data: Buffer) => got.push(data.toString()));
      for (let i = 0; i < 100; i++) socket.send(`${i}`);
      socket.ping('there?');
      const [payload] = (await once(socket, 'pong')) as [Buffer];
      assert.equal(payload.toString(), 'there?');
      while (got.length < 100) await once(socket, 'message');
      assert.deepEqual(
        got,
        Array.from({ length: 100 }, (_, i) => `${i}`),
      );
      assert.deepEqual(await closed(socket, 1000, ''), [1000, '']);
    });
  }

  test('subprotocols and compression are the service’s to choose', async () => {
    const socket = await open('secure', { perMessageDeflate: true }, ['chat.v2', 'chat.v1']);
    assert.equal(socket.protocol, 'chat.v2');
    assert.equal(socket.extensions, '');
    socket.terminate();
  });

  test('pages of other origins are refused, those that the route names and the own one are not', async () => {
    const refused = new WebSocket(`${house.secure.replace('http', 'ws')}/chat`, { ca, origin: 'https://evil.example' });
    const [error] = (await once(refused, 'error')) as [Error];
    assert.equal(error.message, 'Unexpected server response: 403');
    for (const origin of ['https://app.example', house.secure]) (await open('secure', { origin })).terminate();
  });

  test('where no WebSocket is, the client gets an answer', async () => {
    const answers: [string, number][] = [
      ['/nowhere', 404],
      ['/bytes/1', 400],
      ['/echo', 405],
    ];
    for (const [path, status] of answers) {
      const socket = new WebSocket(house.secure.replace('http', 'ws') + path, { ca });
      const [error] = (await once(socket, 'error')) as [Error];
      assert.equal(error.message, `Unexpected server response: ${status}`);
    }
  });
});
