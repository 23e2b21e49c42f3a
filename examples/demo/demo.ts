import { spawn } from 'node:child_process';
import path from 'node:path';
import { emptyFolder, keepSecret, makeApiKey, withoutKey, writeClient, writeFields } from './folder.ts';
import { guide } from './guide.ts';
import { startIssuer } from './issuer.ts';
import { startServices } from './services.ts';

/**
 * `npm start`: three kinds of services, an identity provider, the gateway in front of the services over TLS, and lines to paste that
 * show what it lets through and what it refuses. Ends with Ctrl-C.
 */

const config = path.join(import.meta.dirname, 'portcullis.yaml');
const main = path.resolve(import.meta.dirname, '../../src/main.ts');

/** npm passes Ctrl-C on, so that one press comes twice. */
const SAME_PRESS_MS = 500;

/** Everything that the gateway needs to start; gives a function that stops it. */
async function prepare(): Promise<() => void> {
  const stopServices = await startServices();
  const issuer = await startIssuer();
  // Only now: had a port been taken, another demo would be writing there.
  emptyFolder();
  const { alice, gateway } = issuer.clients;
  writeClient(alice.id, alice.secret);
  await Promise.all([makeApiKey(), keepSecret(gateway.secret), issuer.tokens().then(writeFields)]);
  return () => {
    stopServices();
    issuer.stop();
  };
}

function run(stopOthers: () => void): void {
  const gateway = spawn(process.execPath, [main, 'start', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: withoutKey(),
  });
  let stopping: number | undefined;
  const stop = () => {
    if (stopping === undefined) gateway.kill('SIGTERM');
    else if (performance.now() - stopping > SAME_PRESS_MS) gateway.kill('SIGKILL');
    stopping ??= performance.now();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  gateway.stdout.on('data', (text: Buffer) => {
    process.stdout.write(text);
    if (text.includes('portcullis ready')) say(guide(config));
  });
  gateway.on('exit', (code) => {
    stopOthers();
    if (stopping !== undefined) say('All stopped.');
    process.exit(stopping === undefined ? (code ?? 1) : 0);
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function cannotStart(error: NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }): void {
  const reason =
    error.code === 'EADDRINUSE'
      ? `${error.address}:${error.port} is taken by another program. Does the demo run already?`
      : error.message;
  process.stderr.write(`The demo cannot start: ${reason}\n`);
  process.exit(1);
}

prepare().then(run, cannotStart);
