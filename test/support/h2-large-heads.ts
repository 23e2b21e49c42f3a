import { makeClient } from '../../src/upstream/client/make-client.ts';
import { answer, HostileH2 } from './hostile-h2.ts';
import { clientOptions, makeCall, send } from './wire-call.ts';

/**
 * `node h2-large-heads.ts COUNT`: so many answers with too many fields, each on a connection of its own, with enough garbage in
 * between that the collector takes old connections. Prints how many calls ended as they should.
 */
const count = Number(process.argv[2]);
const service = await HostileH2.start();
service.onStream = ({ id }) => answer(id, 'hello', ...Array<string>(1200).fill('xx'));
let refused = 0;
for (let i = 0; i < count; i++) {
  const client = makeClient(clientOptions(service.port, { protocol: 'h2c' }));
  if ((await send(client, makeCall('/'))).fault?.code === 'upstream-malformed') refused++;
  client.close();
  if (i % 10 !== 9) continue;
  const garbage = Array.from({ length: 2_000_000 }, () => ({}));
  await new Promise((resolve) => setTimeout(resolve, 5, garbage.length));
}
console.log(`${refused} refused`);
process.exit();
