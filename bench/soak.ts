/**
 * `npm run soak -- [REQUESTS]`: a million requests (or as many as it is told) through one gateway, HTTP/1.1 and HTTP/1.1 over TLS in
 * turn, with its memory after each hundred thousand. Every answer is checked. Exit code 1 when an answer was wrong or memory grew.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startGateway } from '../test/support/gateway.ts';
import { hasCommand, residentMegabytes, run } from './process.ts';

const STEP_SECONDS = 4;
/** What the process may still take after it has warmed up. */
const GROWTH_MB = 15;
/** Requests after which it counts as warmed up. */
const WARM = 200_000;

const ANSWER = JSON.stringify({ id: 42, name: 'Ada Lovelace', note: 'the quick brown fox jumps over the lazy dog' });

async function main(wanted: number): Promise<number> {
  if (!hasCommand('wrk')) {
    process.stdout.write('SKIPPED: wrk is not installed\n');
    return 0;
  }
  const service = createServer((_request, answer) => answer.end(ANSWER));
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const { port } = service.address() as AddressInfo;
  await using gateway = await startGateway(`
listeners: { http: { address: 127.0.0.1:0 }, https: { address: 127.0.0.1:0, tls: self-signed } }
services: { s: http://127.0.0.1:${port} }
observe: { access: access.jsonl, rotate: { size: 50MiB, keep: 1 } }
routes: [ { path: /**, service: s, authentication: none } ]`);
  const memory: number[] = [];
  let done = 0;
  let failed = 0;
  for (let step = 0; done < wanted; step++) {
    const scheme = step % 2 === 0 ? 'http' : 'https';
    const output = await run(
      ['wrk', '-t1', '-c64', `-d${STEP_SECONDS}s`, `${scheme}://127.0.0.1:${gateway.port(scheme)}/a/${step}?b=c`],
      60_000,
    );
    done += Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
    failed +=
      sumOf(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/, output) +
      sumOf(/Non-2xx or 3xx responses: (\d+)/, output);
    const resident = residentMegabytes(gateway.process.pid as number);
    if (done > WARM) memory.push(resident);
    process.stdout.write(
      `${String(done).padStart(8)} requests  ${scheme.padEnd(5)}  ${resident.toFixed(0)} MB  ${failed} failed\n`,
    );
  }
  service.closeAllConnections();
  service.close();
  const growth = Math.max(...memory.slice(-4)) - Math.max(...memory.slice(0, 4));
  process.stdout.write(`memory after warming up: ${growth >= 0 ? '+' : ''}${growth.toFixed(1)} MB, at most +${GROWTH_MB}\n`);
  return failed === 0 && growth <= GROWTH_MB ? 0 : 1;
}

function sumOf(pattern: RegExp, text: string): number {
  const [, ...numbers] = pattern.exec(text) ?? [];
  return numbers.reduce((sum, one) => sum + Number(one), 0);
}

process.exitCode = await main(Number(process.argv[2] ?? 1_000_000));
