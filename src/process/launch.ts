import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/** Set in the process that serves, so that it does not launch itself again. */
const LAUNCHED = 'PORTCULLIS_LAUNCHED';

/**
 * Flags that can be given only when a process begins. A gateway makes many objects that die young, in a working set that hardly grows: a
 * small young generation keeps it in the processor's caches and the process at half the memory. SIGUSR1 must not open a debugger.
 */
const FLAGS = ['--max-semi-space-size=8', '--disable-sigusr1'];

/** Every thread of the pool would keep a heap of its own of what the disk needs: two are enough, and some ten megabytes less. */
const ARENAS = '2';

/**
 * Begins this process anew, in place, with the flags that a gateway wants: the process id, the files and the signals stay. Where that is
 * not possible, or has been done, it goes on as it is.
 *
 * From a checkout the sources are TypeScript: what Node makes of them is kept beside the dependencies, as the compiler alone would take
 * some 30 MB of the process that serves.
 */
export function launch(): void {
  if (process.env[LAUNCHED] !== undefined || process.execve === undefined || process.platform === 'win32') return;
  const cache = compileCache();
  if (cache !== undefined && !existsSync(cache)) fill(cache);
  const environment = {
    MALLOC_ARENA_MAX: ARENAS,
    ...process.env,
    [LAUNCHED]: '1',
    ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
  };
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...FLAGS, ...process.argv.slice(1)], environment);
}

/** The first time: has everything compiled that loading and serving need, in a process whose memory is given back. */
function fill(cache: string): void {
  const needed = ['../cli/start.ts', './single.ts', './primary.ts', './launch.ts', '../config/load-watched.ts'].map(
    (file) => `--import=${new URL(file, import.meta.url).href}`,
  );
  spawnSync(process.execPath, [...needed, process.argv[1], '--version'], {
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
    stdio: 'ignore',
    timeout: 30_000,
  });
}

/** Beside the dependencies: only who may change those may change what is executed from here. */
function compileCache(): string | undefined {
  if (!import.meta.filename.endsWith('.ts')) return undefined;
  const modules = path.resolve(import.meta.dirname, '../../node_modules');
  if (!existsSync(modules)) return undefined;
  try {
    mkdirSync(path.join(modules, '.cache'), { recursive: true });
  } catch {
    return undefined;
  }
  return path.join(modules, '.cache', 'portcullis');
}
