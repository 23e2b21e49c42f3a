import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');
const ACCESS = 'access.jsonl';

export interface GatewayOptions {
  readonly env?: Record<string, string>;
  /** Files to write beside the configuration before the start: name → content. */
  readonly files?: Record<string, string | Buffer>;
  /** Arguments for node itself, such as `--max-old-space-size=64`. */
  readonly nodeArguments?: readonly string[];
  /** Milliseconds until the ready line must have come. */
  readonly timeout?: number;
}

/** One line of the access record; its fields are told in the manual. */
export interface AccessRecord extends Record<string, unknown> {
  readonly request_id: string;
  readonly listener: string;
  readonly http: Record<string, unknown> & { readonly status: number; readonly method?: string; readonly path?: string };
  readonly route?: string;
  readonly service?: string;
  readonly decision?: { readonly room: string; readonly code: string; readonly reason: string };
}

/** A gateway in its own process. */
export interface Gateway {
  readonly process: ChildProcess;
  /** The temporary directory of the configuration; relative paths in it start here. */
  readonly dir: string;
  /** Path of the configuration, to rewrite it and have it reloaded. */
  readonly config: string;
  /** The port on which that listener really listens (`admin` too), also where the configuration says 0. */
  port(listener: string): number;
  /** Everything that came on standard output and standard error so far. */
  stdout(): string;
  stderr(): string;
  /** The access records, once there are at least `count` of them; fails when they do not come. */
  records(count?: number): Promise<AccessRecord[]>;
  /** SIGTERM; the process must drain and exit with 0. Removes the directory. Calling it again does nothing. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts `portcullis start --config FILE` with this configuration and waits for the line `portcullis ready …`. Without
 * `observe` in the text, the access record goes to a file that `records()` reads.
 *
 * `await using gateway = await startGateway(text)` stops it at the end of the block.
 */
export async function startGateway(configuration: string, options: GatewayOptions = {}): Promise<Gateway> {
  const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-test-'));
  const config = path.join(dir, 'portcullis.yaml');
  const observe = /^observe:/m.test(configuration) ? '' : `\nobserve: { access: ${ACCESS} }\n`;
  await writeFile(config, configuration + observe);
  for (const [name, content] of Object.entries(options.files ?? {})) await writeFile(path.join(dir, name), content);

  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), MAIN, 'start', '--config', config], {
    cwd: dir,
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  // A test that fails between start and stop must not leave a gateway behind.
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));

  let stopped: Promise<void> | undefined;
  const stopOnce = async (): Promise<void> => {
    child.kill('SIGTERM');
    const inTime = await Promise.race([exited.then(() => true), wait(15_000, false, { ref: false })]);
    process.off('exit', kill);
    if (!inTime) kill();
    await rm(dir, { recursive: true, force: true });
    assert.ok(inTime, `the gateway did not end within 15 s of SIGTERM\n${output.stderr}`);
    assert.equal(child.exitCode, 0, `the gateway ended with ${child.exitCode ?? child.signalCode}\n${output.stderr}`);
  };
  const stop = (): Promise<void> => (stopped ??= stopOnce());

  const ready = await waitForReady(child, output, options.timeout ?? 30_000);
  if (ready === undefined) {
    kill();
    process.off('exit', kill);
    await rm(dir, { recursive: true, force: true });
    throw new Error(`the gateway did not become ready\n${output.stdout}${output.stderr}`);
  }
  const ports = readPorts(ready);
  return {
    process: child,
    dir,
    config,
    port: (listener) => ports.get(listener) ?? assert.fail(`the ready line names no listener ${listener}: ${ready}`),
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    records: (count = 0) => readRecords(path.join(dir, ACCESS), count),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function waitForReady(child: ChildProcess, output: { stdout: string }, timeout: number): Promise<string | undefined> {
  const end = performance.now() + timeout;
  while (performance.now() < end && child.exitCode === null && child.signalCode === null) {
    const line = /^portcullis ready\b.*$/m.exec(output.stdout);
    if (line !== null && output.stdout.includes('\n', line.index)) return line[0];
    await wait(10);
  }
  return undefined;
}

/** `portcullis ready public=https://0.0.0.0:8443 local=http://127.0.0.1:8080` → name → port. */
function readPorts(ready: string): Map<string, number> {
  const ports = new Map<string, number>();
  for (const match of ready.matchAll(/(?<=\s)([^\s=]+)=\S*:(\d+)(?=[\s/,;]|$)/g)) ports.set(match[1], Number(match[2]));
  return ports;
}

/** The record promises 200 ms; the rest is for a busy machine. */
async function readRecords(file: string, count: number): Promise<AccessRecord[]> {
  const end = performance.now() + 15_000;
  for (;;) {
    const text = existsSync(file) ? await readFile(file, 'utf8') : '';
    const lines = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '');
    if (lines.length >= count) return lines.map((line) => JSON.parse(line) as AccessRecord);
    if (performance.now() > end) assert.fail(`${lines.length} access records instead of ${count}:\n${text}`);
    await wait(10);
  }
}
