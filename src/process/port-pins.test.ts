import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { checkText } from '../config/load.ts';
import { PortPins } from './port-pins.ts';

function options(listeners: string) {
  const text = `listeners: ${listeners}\nservices: { s: http://127.0.0.1:1 }\nroutes: [{ path: /, service: s, authentication: none }]`;
  const result = checkText('test.yaml', text, {});
  assert.ok(result.ok, JSON.stringify(result));
  return result.options;
}

test('ports that the system chooses are chosen once, and no two are the same', async () => {
  const pins = new PortPins();
  const written = options('{ a: { address: 127.0.0.1:0 }, b: { address: 127.0.0.1:0 }, c: { address: 127.0.0.1:4711 } }');
  const first = (await pins.pin(written)).listeners;
  const ports = [first.a.address.port, first.b.address.port];
  assert.ok(ports.every((port) => port > 1024) && ports[0] !== ports[1], ports.join(' '));
  assert.equal(first.c.address.port, 4711);
  assert.equal(written.listeners.a.address.port, 0, 'what was read is not changed');
  const second = (await pins.pin(options('{ b: { address: 127.0.0.1:0 }, d: { address: 127.0.0.1:0 } }'))).listeners;
  assert.equal(second.b.address.port, ports[1]);
  assert.ok(!ports.includes(second.d.address.port));
  const server = net.createServer().listen(ports[0], '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  await new Promise((resolve) => server.close(resolve));
});
