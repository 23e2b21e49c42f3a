import { describeFileError } from '../config/file-error.ts';
import { listSecrets, removeSecret, rotateSecrets, setSecret } from '../secrets/changes.ts';
import { describePlace, keyPlace } from '../secrets/key-file.ts';
import { nameProblem } from '../secrets/names.ts';
import { SecretsError } from '../secrets/secrets-error.ts';
import { LockedFileError } from '../stores/locked-file.ts';
import { EXIT, type Output } from './output.ts';
import { readSecret } from './secret-input.ts';
import type { SecretsCommand, SecretsOptions } from './secrets.ts';
import { formatTable } from './table.ts';

/** What is wrong with the command line. */
class UsageError extends Error {}

/** Where the value comes from; tests hand in their own. */
export type Input = NodeJS.ReadStream;

/** Runs one of the commands of `portcullis secrets`; gives the exit code. */
export async function runSecrets(
  command: SecretsCommand,
  name: string,
  options: SecretsOptions,
  output: Output,
  input: Input = process.stdin,
): Promise<number> {
  try {
    await { set, list, remove, rotate }[command](name, options, output, input);
    return EXIT.ok;
  } catch (error) {
    output.err.write(`portcullis: ${messageOf(error, options)}\n`);
    return error instanceof UsageError ? EXIT.usage : EXIT.problems;
  }
}

async function set(name: string, options: SecretsOptions, output: Output, input: Input): Promise<void> {
  const place = placeOf(options);
  checkName(name);
  const value = await readSecret(name, input, output);
  const { madeKey, replaced } = await setSecret(options.store, place, name, value);
  if (madeKey) {
    output.err.write(
      `made ${describePlace(place)}, the key of the store: keep a copy apart from the store, nobody else may read it\n`,
    );
  }
  output.err.write(
    `${replaced ? 'changed' : 'wrote'} ${name} in ${options.store}: write it in the configuration as secret:${name}\n`,
  );
}

async function list(_name: string, options: SecretsOptions, output: Output): Promise<void> {
  const { names, verified } = listSecrets(options.store, placeOf(options));
  if (!verified) output.err.write('there is no key at hand: what the store says has not been verified\n');
  const rows = names.map(([name, key]) => ({ name, key }));
  if (options.json === true) output.out.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  else output.out.write(formatTable(['NAME', 'KEY'], names));
}

async function remove(name: string, options: SecretsOptions, output: Output): Promise<void> {
  checkName(name);
  await removeSecret(options.store, placeOf(options), name);
  output.err.write(`took ${name} out of ${options.store}\n`);
}

async function rotate(_name: string, options: SecretsOptions, output: Output): Promise<void> {
  const { id, count } = await rotateSecrets(options.store, placeOf(options));
  output.err.write(`encrypted ${count} ${count === 1 ? 'secret' : 'secrets'} in ${options.store} with the key ${id}\n`);
}

const placeOf = (options: SecretsOptions) => keyPlace(options.store, options.key, process.env);

function checkName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new UsageError(problem);
}

function messageOf(error: unknown, options: SecretsOptions): string {
  if (error instanceof SecretsError || error instanceof LockedFileError || error instanceof UsageError) return error.message;
  if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
  return `${(error as NodeJS.ErrnoException).path ?? options.store}: ${describeFileError(error)}`;
}
