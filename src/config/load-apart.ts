import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { FilesRead } from './files-read.ts';
import type { LoadResult } from './load.ts';
import type { Environment } from './references.ts';

/** What a load gave. */
export type LoadedConfiguration = LoadResult & {
  /** What it was made of; absent where files cannot be compared. */
  readonly read?: FilesRead;
  /** Files of the contracts and the rules that it names: they are read when it is taken over. Absent where it names none. */
  readonly contracts?: readonly string[];
};

/** What the parent says to the child. */
export interface LoadOrder {
  readonly file: string;
  readonly environment: Environment;
}

/** What the child says: that it is there, and at last what came of the order. */
export type LoadReply = { readonly kind: 'ready' } | { readonly kind: 'loaded'; readonly loaded: LoadedConfiguration };

/** Far more than the largest file takes; a child that hangs must not hold up all later loads. */
const PATIENCE_MS = 60_000;

/**
 * Reads and checks a configuration file in a process of its own, which has ended when this resolves: the schema of all options, its
 * library and the YAML parser take some 20 MB, and the process that serves has no other use for them. Where no child can be had, and for
 * what only this process can read, it is done here.
 */
export async function loadApart(file: string, environment: Environment = process.env): Promise<LoadedConfiguration> {
  const apart = isOnlyOurs(file, environment) ? undefined : await askChild({ file, environment });
  return apart ?? (await loadHere(file, environment));
}

async function loadHere(file: string, environment: Environment): Promise<LoadedConfiguration> {
  const { loadWatched } = await import('./load-watched.ts');
  return await loadWatched(file, environment);
}

/** `--config /dev/stdin`, `<(…)` of a shell, `TOKEN_FILE=/dev/fd/3`: names for what this process has open. */
function isOnlyOurs(file: string, environment: Environment): boolean {
  const ours = /^\/(?:dev\/(?:stdin|fd\/)|proc\/(?:thread-)?self\/)/;
  return ours.test(file) || Object.entries(environment).some(([name, value = '']) => name.endsWith('_FILE') && ours.test(value));
}

/**
 * undefined: there is no child that could do it. One that was there and died over the file is an answer: what was too much for the child
 * must not be tried on the process that serves.
 */
function askChild(order: LoadOrder): Promise<LoadedConfiguration | undefined> {
  return new Promise((resolve) => {
    const child = startChild();
    if (child === undefined) return resolve(undefined);
    let answer: LoadedConfiguration | undefined;
    const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const done = () => {
      clearTimeout(patience);
      resolve(answer);
    };
    child.on('message', (reply: LoadReply) => {
      answer = reply.kind === 'loaded' ? reply.loaded : diedOver(order.file);
      // By a message, not by its environment: that of a process can be read by others of the same user.
      if (reply.kind === 'ready') child.send(order, () => {});
    });
    child.once('error', done);
    child.once('close', done);
  });
}

function diedOver(file: string): LoadedConfiguration {
  const message = 'cannot be checked: the process that does it ran out of memory or time, or was ended';
  return { ok: false, problems: [{ file, line: 1, column: 1, message }], secrets: { files: [], variables: [], hidden: [] } };
}

/**
 * In a group of its own: what a terminal or an operator signals to ours is not for it. It ends when we do, as its channel closes then.
 * Nobody can open a debugger in it: it holds secrets.
 */
function startChild(): ChildProcess | undefined {
  const program = path.join(import.meta.dirname, `load-child${path.extname(import.meta.filename)}`);
  const { NODE_COMPILE_CACHE } = process.env;
  try {
    return fork(program, [], {
      serialization: 'advanced',
      execArgv: ['--disable-sigusr1'],
      env: NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      detached: true,
    });
  } catch {
    return undefined;
  }
}
