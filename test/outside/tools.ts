import { execFile, spawnSync } from 'node:child_process';

/** `false` when the tool is there, else what the test says when it is skipped. */
export function missing(tool: string, ...args: string[]): string | false {
  const { error, status } = spawnSync(tool, args, { stdio: 'ignore', timeout: 20_000 });
  return error !== undefined || status !== 0 ? `${tool} is not installed` : false;
}

export interface Run {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end; its standard input is `input`. */
export function run(program: string, args: readonly string[], input: string | Buffer = '', cwd?: string): Promise<Run> {
  return new Promise((resolve) => {
    const options = { encoding: 'buffer', timeout: 60_000, maxBuffer: 64 * 1024 * 1024, cwd } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr: stderr.toString() });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
