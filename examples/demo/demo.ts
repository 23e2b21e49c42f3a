import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { guide } from './guide.ts';
import { startServices } from './services.ts';

/**
 * `npm start`: three kinds of services, the gateway in front of them over TLS, and lines to paste that show what it lets through and
 * what it refuses. Ends with Ctrl-C.
 */

const config = path.join(import.meta.dirname, 'portcullis.yaml');
const accessLog = path.join(import.meta.dirname, 'access.jsonl');
const main = path.resolve(import.meta.dirname, '../../src/main.ts');

/** npm passes Ctrl-C on, so that one press comes twice. */
const SAME_PRESS_MS = 500;

function run(stopServices: () => void): void {
  // Only now: had a port been taken, another demo would be writing there.
  rmSync(accessLog, { force: true });
  const gateway = spawn(process.execPath, [main, 'start', '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stopping: number | undefined;
  const stop = () => {
    if (stopping === undefined) gateway.kill('SIGTERM');
    else if (performance.now() - stopping > SAME_PRESS_MS) gateway.kill('SIGKILL');
    stopping ??= performance.now();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  gateway.stdout.on('data', (text: Buffer) => {
    process.stdout.write(text);
    if (text.includes('portcullis ready')) say(guide({ config, accessLog }));
  });
  gateway.on('exit', (code) => {
    stopServices();
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

startServices().then(run, cannotStart);
