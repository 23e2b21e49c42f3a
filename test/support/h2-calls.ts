import { makeClient } from '../../src/upstream/client/make-client.ts';
import { clientOptions, makeCall, send } from './wire-call.ts';

/**
 * `node h2-calls.ts PORT COUNT`: so many calls over HTTP/2, each on a connection of its own, with enough garbage in between that the
 * collector takes old connections. Prints the last code and how many calls had it.
 */
const [port, count] = process.argv.slice(2).map(Number);
const codes: (string | undefined)[] = [];
for (let i = 0; i < count; i++) {
  const client = makeClient(clientOptions(port, { protocol: 'h2c' }));
  codes.push((await send(client, makeCall('/'))).fault?.code);
  client.close();
  if (i % 10 === 9) {
    const garbage = new Array<object>(1_000_000).fill({}).map(() => ({}));
    await new Promise((resolve) => setTimeout(resolve, 5, garbage.length));
  }
}
console.log(`${codes[0]} ${codes.filter((code) => code === codes[0]).length}`);
