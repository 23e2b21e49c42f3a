import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { KeptLog } from '../../test/support/corridor.ts';
import { tlsFiles } from '../../test/support/tls.ts';
import { type AdminOptions, adminOptions } from '../admin/options.ts';
import { AdminDoor } from './admin-door.ts';

let log: KeptLog;
let door: AdminDoor;

beforeEach(() => {
  log = new KeptLog();
  door = new AdminDoor({ health: () => ({ ready: true, reasons: [] }), metrics: () => '', status: () => ({}), log });
});

afterEach(() => door.close());

const options = (port: number, more: object = {}): AdminOptions => adminOptions.parse({ address: `127.0.0.1:${port}`, ...more });
const TOKEN = 'a-token-that-is-long-enough-for-everyone-0123456789';

async function change(to: AdminOptions | undefined): Promise<void> {
  const ready = await door.prepare(to);
  await ready.commit();
}

const portOf = (url: string | undefined) => Number(url?.split(':').at(-1));

async function ask(port: number, headers: Record<string, string> = {}): Promise<number | string> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { connection: 'close', ...headers } });
    await answer.text();
    return answer.status;
  } catch (error) {
    const { cause } = error as Error & { cause?: NodeJS.ErrnoException };
    return cause?.code ?? 'failed';
  }
}

async function taken(): Promise<net.Server & { port: number }> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

async function freePort(): Promise<number> {
  const server = await taken();
  await new Promise((resolve) => server.close(resolve));
  return server.port;
}

describe('the admin listener over reloads', () => {
  test('comes, stays while its options stay, moves, and goes', async () => {
    assert.equal(door.url, undefined);
    await change(options(0));
    const first = portOf(door.url);
    assert.equal(await ask(first), 200);
    await change(options(0));
    assert.equal(portOf(door.url), first);
    const second = await freePort();
    await change(options(second));
    assert.deepEqual([portOf(door.url), await ask(second), await ask(first)], [second, 200, 'ECONNREFUSED']);
    await change(undefined);
    assert.deepEqual([door.url, await ask(second)], [undefined, 'ECONNREFUSED']);
  });

  test('changes its options on one address', async () => {
    const port = await freePort();
    await change(options(port));
    await change(options(port, { token: TOKEN }));
    assert.deepEqual([await ask(port), await ask(port, { authorization: `Bearer ${TOKEN}` })], [401, 200]);
    await change(options(port));
    assert.equal(await ask(port), 200);
  });

  test('nothing is seen of a change before it is committed, nor when it is undone', async () => {
    await change(options(0));
    const first = portOf(door.url);
    const second = await freePort();
    const ready = await door.prepare(options(second));
    assert.equal(portOf(door.url), first);
    await ready.undo();
    assert.deepEqual([await ask(first), await ask(second)], [200, 'ECONNREFUSED']);
    const here = await door.prepare(options(first, { token: TOKEN }));
    await here.undo();
    assert.equal(await ask(first), 200);
  });

  test('stays when what it should become is not possible', async () => {
    await using files = await tlsFiles(['a.test']);
    const other = await taken();
    const { certificate, key } = files.of('a.test');
    await change(options(0));
    const first = portOf(door.url);
    const copy = path.join(files.dir, 'copy.key');
    await copyFile(key, copy);
    const secure = options(first, { tls: { certificate, key: copy } });
    await rm(copy);
    await assert.rejects(door.prepare(secure), /copy\.key does not exist/);
    await assert.rejects(door.prepare(options(other.port)), /EADDRINUSE/);
    assert.equal(await ask(first), 200);
    await new Promise((resolve) => other.close(resolve));
  });
});
