/**
 * What no decision outside this process can be cheaper than, in microseconds of CPU, one at a time: part of `npm run bench:limit-redis`.
 * A process that has nothing else to do sleeps until the answer comes; to be woken, to write and to read is most of the cost.
 */
import { once } from 'node:events';
import net from 'node:net';
import { createClient } from '@redis/client';
import { GCRA } from '../src/stores/redis/script.ts';
import { median } from './recorded.ts';

const COUNT = 4000;
const ROUNDS = 11;

const cpu = (usage = process.cpuUsage()): number => usage.user + usage.system;

/** How many messages {@link costOf} sends in all. */
export const FLOOR_MESSAGES = COUNT * ROUNDS;

/** The median of several rounds, for one. */
export async function costOf(one: (i: number) => Promise<unknown>): Promise<number> {
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begun = cpu();
    for (let i = 0; i < COUNT; i++) await one(i);
    costs.push((cpu() - begun) / COUNT);
  }
  return median(costs);
}

/** The script of a decision with the arguments of one, sent by hand. */
const command = (i: number): string[] => {
  const key = `{portcullis}:floor:${`${i % 1000}`.padStart(22, '0')}`;
  return ['EVALSHA', GCRA.sha, '1', key, `${Date.now() * 1000 + 5_000_000}`, '4', '3999999996'];
};

export interface RedisFloor {
  /** Bytes to the store and back over a socket, by nobody's client. */
  readonly socket: number;
  readonly ping: number;
  /** The same script as a decision, through the client, and nothing around it. */
  readonly script: number;
}

export async function redisFloor(port: number): Promise<RedisFloor> {
  const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: false } });
  await client.connect();
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  let answered: () => void = () => undefined;
  socket.on('data', () => answered());
  const send = (): Promise<void> =>
    new Promise((resolve) => {
      answered = resolve;
      socket.write('*1\r\n$4\r\nPING\r\n', 'latin1');
    });
  await client.sendCommand(['SCRIPT', 'LOAD', GCRA.text]);
  const floor = {
    socket: await costOf(send),
    ping: await costOf(() => client.sendCommand(['PING'])),
    script: await costOf((i) => client.sendCommand(command(i))),
  };
  socket.destroy();
  client.destroy();
  return floor;
}
