/** Ctrl-C on a gateway that has a stream open: it waits and says so; the second press ends it, with all of its processes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import WebSocket, { WebSocketServer } from 'ws';
import { startGateway } from '../support/gateway.ts';
import { startService } from '../support/services.ts';

for (const workers of [1, 2]) {
  test(`${workers} worker${workers === 1 ? '' : 's'}`, {
    skip: existsSync('/proc/self') ? false : 'there is no /proc',
  }, async (t) => {
    await using service = await startService((_request, answer) => answer.end('ok'));
    const sockets = new WebSocketServer({ server: service.server as never });
    const gateway = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 } }
services: { chat: "${service.url}" }
routes: [{ path: /**, service: chat, authentication: none }]
workers: ${workers}
`);
    const { process: child } = gateway;
    t.after(() => gateway.stop().catch(() => undefined));
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port('plain')}/`);
    socket.on('error', () => undefined);
    await once(socket, 'open');
    const processes = [child.pid ?? 0, ...childrenOf(child.pid ?? 0)];
    assert.equal(processes.length, workers === 1 ? 1 : 1 + workers);

    // The same press twice, as npm passes it on.
    child.kill('SIGINT');
    child.kill('SIGINT');
    for (let i = 0; i < 500 && !gateway.stderr().includes('Ctrl-C again'); i++) await wait(10);
    assert.match(gateway.stderr(), /waiting for requests and streams that are under way/);
    assert.equal(child.exitCode, null);

    const ended = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [1, null]);
    for (let i = 0; i < 500 && processes.some(isAlive); i++) await wait(10);
    assert.deepEqual(processes.filter(isAlive), []);
    for (const one of sockets.clients) one.terminate();
  });
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
