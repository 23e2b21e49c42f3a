import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { UpstreamTls } from '../../src/upstream/client/client.ts';
import { makeClient } from '../../src/upstream/client/make-client.ts';
import { keyHash } from '../../src/upstream/client/tls-connect.ts';
import { HostileService } from '../support/hostile-service.ts';
import { tlsFiles } from '../support/tls.ts';
import { clientOptions, makeCall, send } from '../support/wire-call.ts';

const read = (file: string): string => readFileSync(file, 'latin1');
const hash = (pem: string): string => keyHash(new X509Certificate(pem));

const own = await tlsFiles(['service.test', '127.0.0.1', 'other.test']);
const foreign = await tlsFiles(['service.test']);
after(() => Promise.all([own.remove(), foreign.remove()]));
const [ca, foreignCa] = [read(own.ca), read(foreign.ca)];
const pem = (name: string, files = own) => ({ cert: read(files.of(name).certificate), key: read(files.of(name).key) });
const base: UpstreamTls = { serverName: 'service.test', ca, certificate: undefined, key: undefined, verify: true, pins: [] };

interface TlsCase {
  readonly name: string;
  readonly server?: { cert: string; key: string };
  readonly tls: Partial<UpstreamTls>;
  readonly host?: string;
  readonly passes: boolean;
}

const leaf = pem('service.test');
const cases: readonly TlsCase[] = [
  { name: 'its name and its authority', tls: {}, passes: true },
  { name: 'the name is the host', tls: { serverName: undefined }, host: 'service.test', passes: true },
  { name: 'an address', server: pem('127.0.0.1'), tls: { serverName: undefined }, passes: true },
  { name: 'an address that the certificate does not have', tls: { serverName: undefined }, passes: false },
  { name: 'another name', server: pem('other.test'), tls: {}, passes: false },
  { name: 'an authority of others', server: pem('service.test', foreign), tls: {}, passes: false },
  { name: 'only the authorities of the system', tls: { ca: undefined }, passes: false },
  { name: 'not verified', server: pem('other.test', own), tls: { verify: false, ca: undefined }, passes: true },
  { name: 'the pinned key', tls: { pins: ['x', hash(leaf.cert)] }, passes: true },
  { name: 'the pinned authority, which is not sent', tls: { pins: [hash(ca)] }, passes: true },
  { name: 'another pinned key', tls: { pins: [hash(pem('other.test').cert)] }, passes: false },
  { name: 'not verified but pinned', tls: { verify: false, ca: undefined, pins: [hash(leaf.cert)] }, passes: true },
  { name: 'not verified and another key pinned', tls: { verify: false, ca: undefined, pins: [hash(ca)] }, passes: false },
  {
    name: 'a pinned certificate that is only sent along',
    server: { cert: leaf.cert + pem('other.test').cert + foreignCa, key: leaf.key },
    tls: { pins: [hash(pem('other.test').cert), hash(foreignCa)] },
    passes: false,
  },
];

for (const kind of ['lean', 'undici'] as const) {
  test(`certificates of services, checked by the ${kind} client`, async (t) => {
    for (const one of cases) {
      await t.test(one.name, async () => {
        await using service = await HostileService.start(one.server ?? leaf);
        const client = makeClient(
          clientOptions(service.port, { kind, tls: { ...base, ...one.tls }, host: one.host ?? '127.0.0.1' }),
        );
        const outcome = await send(client, makeCall('/right/x', { method: 'POST' }));
        if (one.passes) assert.deepEqual([outcome.body, outcome.fault], ['right x', undefined]);
        else
          assert.deepEqual([outcome.fault?.code, outcome.fault?.untouched, service.seen.length], ['upstream-connect', true, 0]);
        client.close();
        await wait(2);
        service.dropConnections();
        await service.empty();
      });
    }
  });

  test(`${kind}: a client certificate is shown, its lack is a fault`, async () => {
    await using service = await HostileService.start({ ...leaf, ca, requestCert: true, rejectUnauthorized: true });
    const shown = pem('other.test');
    const client = makeClient(clientOptions(service.port, { kind, tls: { ...base, certificate: shown.cert, key: shown.key } }));
    assert.equal((await send(client, makeCall('/right/x'))).body, 'right x');
    const without = makeClient(clientOptions(service.port, { kind, tls: base }));
    assert.ok((await send(without, makeCall('/right/x'))).fault !== undefined);
    client.close();
    without.close();
  });

  test(`${kind}: sessions are resumed, also where keys are pinned`, async () => {
    await using service = await HostileService.start(leaf);
    const resumed: boolean[] = [];
    service.onRequest = (_, socket) => {
      resumed.push((socket as TLSSocket).isSessionReused());
      return false;
    };
    service.script = { pieces: ['HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'] };
    const client = makeClient(clientOptions(service.port, { kind, tls: { ...base, pins: [hash(leaf.cert)] } }));
    for (let i = 0; i < 3; i++) {
      assert.equal((await send(client, makeCall('/'))).body, 'ok');
      await wait(10);
    }
    assert.deepEqual(resumed, [false, true, true]);
    client.close();
  });

  test(`${kind}: TLS to a plain service and plain to a TLS service`, async () => {
    await using plain = await HostileService.start();
    plain.script = { pieces: ['HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'], early: true, then: 'close' };
    const toPlain = makeClient(clientOptions(plain.port, { kind, tls: base }));
    const first = await send(toPlain, makeCall('/'));
    assert.deepEqual([first.fault?.code, first.fault?.untouched], ['upstream-connect', true]);
    await using secure = await HostileService.start(leaf);
    const toSecure = makeClient(clientOptions(secure.port, { kind }));
    const second = await send(toSecure, makeCall('/'));
    assert.ok(second.fault?.code === 'upstream-malformed' || second.fault?.code === 'upstream-closed');
    assert.equal(secure.seen.length, 0);
    toPlain.close();
    toSecure.close();
  });

  test(`${kind}: a handshake that does not end is over after the time to connect`, async () => {
    await using silent = await HostileService.start();
    const client = makeClient(clientOptions(silent.port, { kind, tls: base, connectTimeout: 400 }));
    const began = performance.now();
    const outcome = await send(client, makeCall('/'));
    const took = performance.now() - began;
    assert.deepEqual([outcome.fault?.code, outcome.fault?.untouched], ['upstream-connect', true]);
    assert.ok(took >= 399 && took < 8000, `${took} ms`);
    client.close();
    await silent.empty();
  });

  test(`${kind}: large bodies both ways over TLS`, async () => {
    await using service = await HostileService.start(leaf);
    const body = 'abcdefghij'.repeat(300_000);
    service.script = { pieces: [`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`] };
    const client = makeClient(clientOptions(service.port, { kind, tls: base }));
    const outcome = await send(client, makeCall('/', { method: 'POST', body: Buffer.from(body) }));
    assert.equal(outcome.body, body);
    assert.equal(service.seen[0].body, body);
    client.close();
  });
}
