import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Gateway, startGateway } from '../support/gateway.ts';

/**
 * Runs the regression tests of OWASP CRS over real sockets against a gateway with the rules as they come: `npm run conformance:crs`.
 * The rules, the tests and their runner are not part of this repository; they are looked for in `../shared/crs`.
 */
export const CRS = path.resolve(import.meta.dirname, '../../../shared/crs');

export interface Conformance {
  readonly passed: number;
  readonly total: number;
  /** Of the tests that expect a match: passed, and all. */
  readonly positive: readonly [number, number];
  readonly failed: readonly { readonly id: string; readonly why: string }[];
  readonly output: string;
}

/** undefined: something that it takes is not here; says what. */
export function missingForCrs(): string | undefined {
  return existsSync(path.join(CRS, 'runner/crsftw.py')) ? undefined : `no CRS in ${CRS}`;
}

/** @param include - a pattern of test ids, RULE-TEST; undefined: all */
export async function runCrs(include?: string): Promise<Conformance> {
  const port = await freePort();
  const service = spawn(process.execPath, [path.join(CRS, 'runner/backend.mjs'), String(port)], { stdio: 'ignore' });
  try {
    await reachable(port);
    await using gateway = await startGateway(configuration(port));
    return await runTests(gateway, include);
  } finally {
    service.kill();
  }
}

function configuration(port: number): string {
  const rules = ['crs-setup.conf.example', 'runner/crs-test-setup.conf', 'rules/*.conf'].map((one) => path.join(CRS, one));
  return `listeners: { plain: { address: 127.0.0.1:0 } }
services: { b: http://127.0.0.1:${port} }
waf: { rules: ${JSON.stringify(rules)}, mode: detect, data: true }
observe: { access: access.jsonl }
routes: [ { path: /**, service: b, authentication: none, body: 13107200, waf: { mode: detect } } ]
`;
}

async function runTests(gateway: Gateway, include: string | undefined): Promise<Conformance> {
  const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-crs-'));
  const json = path.join(dir, 'results.json');
  const choice = include === undefined ? [] : ['--include', include];
  const python = spawn(
    'python3',
    [
      path.join(CRS, 'runner/crsftw.py'),
      ...['--tests', path.join(CRS, 'tests'), '--target', `http://127.0.0.1:${gateway.port('plain')}`],
      ...['--log', path.join(gateway.dir, 'access.jsonl'), '--log-format', 'jsonl', '--json', json, ...choice],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const output = await outputOf(python);
  const results = JSON.parse(await readFile(json, 'utf8')) as RunnerResults;
  await rm(dir, { recursive: true });
  return summary(results, output);
}

interface RunnerResults {
  readonly summary: { readonly total: number; readonly passed: number; readonly positive: readonly [number, number] };
  readonly tests: Readonly<Record<string, { readonly pass: boolean; readonly why: readonly string[] }>>;
}

function summary({ summary, tests }: RunnerResults, output: string): Conformance {
  const failed = Object.entries(tests).filter(([, { pass }]) => !pass);
  return {
    passed: summary.passed,
    total: summary.total,
    positive: summary.positive,
    failed: failed.map(([id, { why }]) => ({ id, why: why.join('; ') })),
    output,
  };
}

function outputOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    child.once('close', () => resolve(text));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
        .once('connect', () => resolve(true))
        .once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await wait(100);
  }
  throw new Error('the service of the tests does not listen');
}
