import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

const running = new Set<ChildProcess>();
// Whatever ends the bench, nothing that it started stays behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

/** True when the command can be run. */
export function hasCommand(name: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore', env: { ...process.env, PATH: searchPath() } });
    return true;
  } catch {
    return false;
  }
}

/** Debian keeps servers where only root looks. */
const searchPath = (): string => `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

/** Where things run: the gateway on the first cores, service and load on the last. Without taskset, wherever. */
const CORES = availableParallelism();
const canPin = CORES > 1 && hasCommand('taskset');
export const LOAD_CORE = String(CORES - 1);
export const isPinned = canPin;
export const pinning = canPin
  ? `gateway on core 0, service and load on core ${LOAD_CORE}`
  : 'not pinned: taskset or a second core is missing';

/** The command with `taskset` in front, where there is one. */
export function pinned(cores: string, command: readonly string[]): string[] {
  return canPin ? ['taskset', '-c', cores, ...command] : [...command];
}

export interface Started {
  readonly pid: number;
  /** What it wrote to standard error, for when it does not come up. */
  errors(): string;
  isRunning(): boolean;
  /** Milliseconds from its start until it said that it serves; undefined where it did not, or was not listened to. */
  readyAfter(): number | undefined;
  stop(): Promise<void>;
}

/** Starts a program in the background; `readyLine` is how the line begins by which it says that it serves. */
export function start(command: readonly string[], env: Record<string, string> = {}, cwd?: string, readyLine?: string): Started {
  const began = performance.now();
  const child = spawn(command[0], command.slice(1), {
    cwd,
    stdio: ['ignore', readyLine === undefined ? 'ignore' : 'pipe', 'pipe'],
    env: { ...process.env, PATH: searchPath(), NODE_ENV: 'production', ...env },
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  let ready: number | undefined;
  // All on standard output is read, so that nobody waits for us; it is a line or two.
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (readyLine !== undefined && text.startsWith(readyLine)) ready ??= performance.now() - began;
  });
  child.on('error', (error) => {
    errors += error.message;
  });
  running.add(child);
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  void exited.then(() => running.delete(child));
  const isRunning = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const inTime = await Promise.race([exited.then(() => true), wait(5000, false)]);
    if (!inTime) child.kill('SIGKILL');
    await exited;
  };
  return { pid: child.pid ?? -1, errors: () => errors, isRunning, readyAfter: () => ready, stop };
}

/** Runs a program to its end and gives back what it printed; throws when it fails. */
export function run(command: readonly string[], timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], timeout });
    running.add(child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', reject);
    child.on('close', (code) => {
      running.delete(child);
      if (code === 0) resolve(output);
      else reject(new Error(`${command.join(' ')} ended with ${code}: ${output.slice(-500)}`));
    });
  });
}

/** Ticks of the clock in which /proc counts CPU time. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** This process and all below it. */
export function processTree(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((id) => id !== '');
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

/** Seconds of CPU that a process has used so far, user and system. */
export function cpuSeconds(pid: number): number {
  const text = read(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.length < 13 ? 0 : (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Seconds that a core has been busy so far, whoever used it. */
export function coreBusySeconds(core: number): number {
  const line = new RegExp(`^cpu${core} .*$`, 'm').exec(read('/proc/stat'))?.[0] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(' ').slice(1).map(Number);
  return (user + nice + system + irq + softirq) / TICKS;
}

/** Resident memory of a process in MB. */
export function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** A process may end while we look: then it has nothing. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
