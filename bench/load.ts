import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Protocol, Work } from './args.ts';
import { LOAD_CORE, pinned, run } from './process.ts';
import { BROWSER_FIELDS } from './workload.ts';

export interface LoadResult {
  readonly requests: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Why the figures do not count; undefined when every answer was 2xx, complete and of the right size. */
  readonly wrong: string | undefined;
}

export interface Load {
  readonly protocol: Protocol;
  readonly work: Work;
  readonly port: number;
  readonly connections: number;
  readonly streams: number;
  readonly seconds: number;
  /** Length of the service's answer. */
  readonly answerBytes: number;
  readonly files: {
    readonly dir: string;
    readonly targets: string;
    readonly postTargets: string;
    readonly body: string;
    readonly tokens: string;
  };
}

/** Puts load on the gateway for some seconds: wrk for HTTP/1.1, h2load for HTTP/2. */
export function applyLoad(load: Load): Promise<LoadResult> {
  return load.protocol === 'h2' ? applyH2load(load) : applyWrk(load);
}

const SCRIPT = path.join(import.meta.dirname, 'config/requests.lua');

async function applyWrk(load: Load): Promise<LoadResult> {
  const url = `${load.protocol}://127.0.0.1:${load.port}`;
  const command = [
    'wrk',
    '-t1',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    '--latency',
    // A firewall of milliseconds with many requests at once makes the last one wait.
    '--timeout',
    '20s',
    '-s',
    SCRIPT,
    url,
    '--',
    load.work,
    load.files.tokens,
  ];
  const output = await run(pinned(LOAD_CORE, command), (load.seconds + 30) * 1000);
  const [, requests = '0', bytes = '0'] = /(\d+) requests in \S+ (\S+) read/.exec(output) ?? [];
  const count = Number(requests);
  const failures = /Socket errors: .*|Non-2xx or 3xx responses: .*/.exec(output)?.[0];
  // An answer without its body would be fast, too. wrk rounds the bytes that it read to two digits.
  const isShort = readSize(bytes) < 0.98 * count * load.answerBytes;
  return {
    requests: count,
    p50: readTime(/^\s+50%\s+(\S+)/m.exec(output)?.[1]),
    p99: readTime(/^\s+99%\s+(\S+)/m.exec(output)?.[1]),
    wrong: failures ?? (count === 0 ? 'no answers' : isShort ? `only ${bytes} read` : undefined),
  };
}

async function applyH2load(load: Load): Promise<LoadResult> {
  const log = path.join(load.files.dir, 'h2load.log');
  rmSync(log, { force: true });
  const base = `https://127.0.0.1:${load.port}`;
  const command = ['h2load', '-t1', `-c${load.connections}`, `-m${load.streams}`, `-D${load.seconds}`, '--warm-up-time=0'];
  command.push(`--log-file=${log}`, '-H', ':authority: api.example.com', ...h2Request(load, base));
  const output = await run(pinned(LOAD_CORE, command), (load.seconds + 30) * 1000);
  const field = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? 0);
  const succeeded = field(/(\d+) succeeded/);
  const bad = field(/(\d+) failed/) + field(/(\d+) errored/) + field(/(\d+) timeout/);
  const other = field(/(\d+) 3xx/) + field(/(\d+) 4xx/) + field(/(\d+) 5xx/);
  const isShort = field(/\((\d+)\) data/) < succeeded * load.answerBytes;
  return {
    requests: succeeded,
    ...readPercentiles(readFileSync(log, 'utf8')),
    wrong: h2Problem(succeeded, bad, other, isShort),
  };
}

function h2Problem(succeeded: number, bad: number, other: number, isShort: boolean): string | undefined {
  if (succeeded === 0) return 'no answers';
  if (bad > 0) return `${bad} requests failed`;
  if (other > 0) return `${other} answers were not 2xx`;
  return isShort ? 'bodies are missing' : undefined;
}

function h2Request(load: Load, base: string): string[] {
  if (load.work === 'small') return [`${base}/`];
  const fields = BROWSER_FIELDS.flatMap((field) => ['-H', field]);
  if (load.work === 'get') return [...fields, '-B', base, '-i', load.files.targets];
  return [...fields, '-H', 'content-type: application/json', '-d', load.files.body, '-B', base, '-i', load.files.postTargets];
}

/** h2load's log has a line for each request: start, status, microseconds. */
function readPercentiles(log: string): { p50: number; p99: number } {
  const times = log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number(line.split('\t')[2]))
    .sort((a, b) => a - b);
  const at = (share: number): number => (times[Math.floor(times.length * share)] ?? 0) / 1000;
  return { p50: at(0.5), p99: at(0.99) };
}

const TIMES: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** `1.23ms` as wrk writes it → milliseconds. */
function readTime(text = ''): number {
  const [, number = '0', unit = 'ms'] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? [];
  return Number(number) * TIMES[unit];
}

const SIZES: Record<string, number> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** `12.34MB` as wrk writes it → bytes. */
function readSize(text: string): number {
  const [, number = '0', unit = 'B'] = /^([\d.]+)(B|KB|MB|GB)$/.exec(text) ?? [];
  return Number(number) * SIZES[unit];
}
