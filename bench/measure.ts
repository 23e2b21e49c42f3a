import { setTimeout as wait } from 'node:timers/promises';
import { findWrongAnswer, isUp } from './answers.ts';
import type { Options, Protocol, Work } from './args.ts';
import type { Contestant } from './contestants.ts';
import type { GuardedFiles } from './guarded.ts';
import { applyLoad, type Load } from './load.ts';
import {
  coreBusySeconds,
  cpuSeconds,
  isPinned,
  pinned,
  processTree,
  residentMegabytes,
  type Started,
  start,
  sum,
} from './process.ts';
import { ANSWER } from './workload.ts';

export interface Measurement {
  readonly gateway: string;
  readonly protocol: Protocol;
  readonly work: Work;
  readonly round: number;
  /** Requests per second. */
  readonly rps: number;
  /** Microseconds of CPU per request, all processes of the gateway together. */
  readonly cpu: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Megabytes, all processes of the gateway together. */
  readonly memory: number;
  /** Milliseconds from the start of its process, on all cores, until it said that it serves; absent where it says nothing. */
  readonly startMs: number | undefined;
  /** Each worker's part of the CPU, where there are several. */
  readonly shares: readonly number[];
  /** Part of the gateway's core that something else used meanwhile: figures of a shared core are too high. */
  readonly disturbed: number;
  /** Why the figures do not count. */
  readonly wrong: string | undefined;
}

/** What the load reads, and a token for the questions between. */
export type Files = Load['files'] & GuardedFiles;

const WARM_UP_SECONDS = 2;
const LONGEST_START = 20_000;

/** Starts one gateway, warms it up, measures, checks its answers before and after, and stops it. */
export async function measure(
  one: Contestant,
  protocol: Protocol,
  work: Work,
  round: number,
  options: Options,
  files: Files,
): Promise<Measurement> {
  const { port, command, env, cwd } = await one.prepare(protocol, work);
  const startMs = one.readyLine === undefined ? undefined : await timeStart(command, env, cwd, one.readyLine);
  const cores = options.workers === undefined ? '0' : `0-${options.workers - 1}`;
  const gateway = start(pinned(cores, command), env, cwd);
  const base = { gateway: one.name, protocol, work, round };
  try {
    const problem = await waitUntilUp(gateway, protocol, port);
    if (problem !== undefined) return { ...base, ...NOTHING, wrong: problem };
    const isWrong = async () =>
      (await findWrongAnswer(protocol, port, work === 'guarded' ? files.token : undefined, work)) ??
      (await one.findUnrefused?.(work, port));
    const before = await isWrong();
    if (before !== undefined) return { ...base, ...NOTHING, wrong: before };
    const { streams, seconds } = options;
    const connections = Math.min(options.connections, one.connections ?? Number.POSITIVE_INFINITY);
    const load: Load = { protocol, work, port, connections, streams, seconds, answerBytes: ANSWER.length, files };
    await applyLoad({ ...load, seconds: WARM_UP_SECONDS });
    // Records are written in batches, and requests of the warm-up may still wait: let all of them end before counting begins.
    await waitUntilIdle(gateway.pid);
    one.takeRecordLines?.();
    const figures = await measureLoad(gateway.pid, load);
    await wait(300);
    const missing = findMissingRecords(one, figures.requests, connections * streams);
    const wrong = figures.wrong ?? missing ?? (await isWrong());
    const { rps, cpu, p50, p99, memory, shares } = figures;
    // With several workers the load shares their cores on purpose.
    const disturbed = isPinned && options.workers === undefined ? figures.disturbed : 0;
    return { ...base, rps, cpu, p50, p99, memory, startMs, shares, disturbed, wrong };
  } finally {
    await gateway.stop();
    one.takeRecordLines?.();
  }
}

const NOTHING = { rps: 0, cpu: 0, p50: 0, p99: 0, memory: 0, startMs: undefined, shares: [], disturbed: 0 };

/** Starts it once as users do, on whatever cores there are and with no load, and stops it again. */
async function timeStart(
  command: readonly string[],
  env: Record<string, string> | undefined,
  cwd: string | undefined,
  readyLine: string,
): Promise<number | undefined> {
  const gateway = start(command, env, cwd, readyLine);
  const end = performance.now() + LONGEST_START;
  while (gateway.readyAfter() === undefined && gateway.isRunning() && performance.now() < end) await wait(20);
  await gateway.stop();
  return gateway.readyAfter();
}

/**
 * A gateway that takes milliseconds for each request works on for a while when the load has gone. On a busy machine it also gets its core
 * only now and then: not a hundredth of a second in four tenths, or it is not idle.
 */
async function waitUntilIdle(pid: number): Promise<void> {
  const end = performance.now() + 10_000;
  const used = (): number => sum(processTree(pid).map(cpuSeconds));
  for (let before = used(), now = before; performance.now() < end; before = now) {
    await wait(400);
    now = used();
    if (now - before < 0.015) return;
  }
}

async function waitUntilUp(gateway: Started, protocol: Protocol, port: number): Promise<string | undefined> {
  const end = performance.now() + LONGEST_START;
  while (performance.now() < end && gateway.isRunning()) {
    if (await isUp(protocol, port)) return undefined;
    await wait(50);
  }
  return `did not start: ${gateway.errors().trim().slice(-300).replaceAll('\n', ' ')}`;
}

async function measureLoad(pid: number, load: Load) {
  const pids = processTree(pid);
  const before = pids.map(cpuSeconds);
  const busyBefore = coreBusySeconds(0);
  const began = performance.now();
  const result = await applyLoad(load);
  const seconds = (performance.now() - began) / 1000;
  const used = pids.map((one, index) => cpuSeconds(one) - before[index]);
  const foreign = coreBusySeconds(0) - busyBefore - sum(used);
  const memory = sum(processTree(pid).map(residentMegabytes));
  const workers = used.slice(1);
  return {
    ...result,
    rps: result.requests / Math.max(load.seconds, Math.min(seconds, load.seconds + 1)),
    cpu: (sum(used) / Math.max(1, result.requests)) * 1e6,
    memory,
    disturbed: Math.max(0, foreign / seconds),
    shares: workers.length > 1 ? workers.map((one) => one / Math.max(sum(workers), 1e-9)) : [],
  };
}

/** Requests that were still running when the load ended may have a record or not. */
function findMissingRecords(one: Contestant, requests: number, running: number): string | undefined {
  if (one.takeRecordLines === undefined) return undefined;
  const lines = one.takeRecordLines();
  return lines >= requests && lines <= requests + running + 1 ? undefined : `${lines} access records for ${requests} requests`;
}
