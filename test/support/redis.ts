import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Why tests with a real store do not run here; undefined when they do. */
export const NO_REDIS =
  spawnSync('redis-server', ['--version']).status === 0 ? false : 'redis-server is not installed: apt-get install redis-server';

export interface RedisOptions {
  readonly port?: number;
  /** Further arguments, such as `['--requirepass', 'x']`. */
  readonly arguments?: readonly string[];
  /** It listens with TLS on another port too. */
  readonly tls?: boolean;
}

/** A Redis of this test's own. */
export interface Redis {
  readonly port: number;
  /** The port for TLS, where it was asked for. */
  readonly tlsPort: number | undefined;
  /** `redis://127.0.0.1:PORT`. */
  readonly url: string;
  /** Sends one command on a connection of its own, written as on the command line, and gives back what comes, as it comes. */
  command(line: string): Promise<string>;
  /** SIGSTOP: connections stay, nothing is answered. */
  pause(): void;
  resume(): void;
  /** SIGKILL: all that it knew is lost. */
  kill(): Promise<void>;
  /** Starts it anew, empty, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts Debian's `redis-server`, which keeps nothing on disk, on a free port of 127.0.0.1. */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-redis-'));
  const port = options.port ?? (await freePort());
  const tlsPort = options.tls === true ? await freePort() : undefined;
  const more = [...(tlsPort === undefined ? [] : ['--tls-port', `${tlsPort}`]), ...(options.arguments ?? [])];
  const kept = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir];
  let child = await launch([...kept, ...more], port);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const stop = async (): Promise<void> => {
    await kill();
    await rm(dir, { recursive: true, force: true });
  };
  return {
    port,
    tlsPort,
    url: `redis://127.0.0.1:${port}`,
    command: (line) => command(port, line),
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    kill,
    async restart() {
      await kill();
      child = await launch([...kept, ...more], port);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function launch(parts: readonly string[], port: number): Promise<ChildProcess> {
  const child = spawn('redis-server', parts, { stdio: 'ignore' });
  const end = (): boolean => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  const until = performance.now() + 15_000;
  while (performance.now() < until && child.exitCode === null) {
    const answer = await command(port, 'PING').catch(() => '');
    if (answer.startsWith('+PONG') || answer.startsWith('-NOAUTH')) return child;
    await wait(20);
  }
  end();
  throw new Error('redis-server did not become ready');
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Redis takes commands as lines too; the first piece of the answer is all of it for what tests ask. */
function command(port: number, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    let answer = '';
    socket.setEncoding('utf8').setTimeout(5000, () => socket.destroy(new Error(`no answer to ${line}`)));
    socket.on('error', reject);
    socket.on('data', (piece: string) => (answer += piece));
    socket.on('end', () => resolve(answer));
    socket.write(`${line}\r\nQUIT\r\n`);
  });
}
