import { ChangeError, createKey, entryOf, type Issue, isoTime, revokeKey, rotateKey } from '../authenticate/api-key/changes.ts';
import { idText, type KeyEntry, parseTime, planText, roleText, scopeText } from '../authenticate/api-key/entry.ts';
import { createHashKey, type HashKey, HashKeyError, hashKeyFile, readHashKey } from '../authenticate/api-key/hash-key.ts';
import { EMPTY, formatKeyFile, type KeyFile, KeyFileError, parseKeyFile } from '../authenticate/api-key/key-file.ts';
import { readKeyText, requireHashKey } from '../authenticate/api-key/key-store.ts';
import { describeFileError } from '../config/file-error.ts';
import { didYouMean } from '../config/messages.ts';
import { nearest } from '../config/suggest.ts';
import { parseDuration } from '../config/values.ts';
import { LockedFileError, replaceFile, withFileLock } from '../stores/locked-file.ts';
import type { KeysOptions } from './keys.ts';
import { EXIT, type Output, painter } from './output.ts';
import { formatTable } from './table.ts';

/** What is wrong with the command line. */
class UsageError extends Error {}

/** Runs one of the commands of `portcullis keys`; gives the exit code. */
export async function runKeys(
  name: 'create' | 'list' | 'rotate' | 'revoke',
  options: KeysOptions,
  output: Output,
  now = Date.now(),
): Promise<number> {
  try {
    await { create, list, rotate, revoke }[name](options, output, now);
    return EXIT.ok;
  } catch (error) {
    const message = messageOf(error, options);
    if (message === undefined) throw error;
    output.err.write(`portcullis: ${message}\n`);
    return error instanceof UsageError ? EXIT.usage : EXIT.problems;
  }
}

async function create(options: KeysOptions, output: Output, now: number): Promise<void> {
  const wanted = {
    id: readId(options),
    ...present('expires', options.expires === undefined ? undefined : isoTime(readEnd(options.expires, now))),
    ...present('plan', options.plan === undefined ? undefined : checked('--plan', planText, options.plan)),
    ...present('scopes', readList('--scopes', scopeText, options.scopes)),
    ...present('roles', readList('--roles', roleText, options.roles)),
  };
  const { issue, madeHashKey } = await change(options, output, true, (file, hashKey) => createKey(file, hashKey, wanted, now));
  output.out.write(`${issue.key}\n`);
  if (madeHashKey) {
    const made = hashKeyFile(options.keys, options.hashKey);
    output.err.write(
      `made ${made}, the key of the keyed hash: the gateway needs it beside ${options.keys}, nobody else may read it\n`,
    );
  }
  const until = wanted.expires === undefined ? 'it does not expire' : `it expires on ${wanted.expires}`;
  output.err.write(`issued a key to ${wanted.id}, ${until}; it is printed this once and kept nowhere\n`);
}

async function rotate(options: KeysOptions, output: Output, now: number): Promise<void> {
  const id = readId(options);
  const until = options.grace === undefined ? undefined : now + readDuration('--grace', options.grace);
  const expires =
    options.expires === undefined || options.expires === 'never' ? options.expires : isoTime(readEnd(options.expires, now));
  const { issue } = await change(options, output, false, (file, hashKey) =>
    rotateKey(file, hashKey, { id, until, expires }, now),
  );
  output.out.write(`${issue.key}\n`);
  const { previous } = entryOf(issue.file, id).entry;
  const old = previous === undefined ? 'the old key stops now' : `the old key works until ${previous.until}`;
  output.err.write(`issued a new key to ${id}, ${old}; the new one is printed this once and kept nowhere\n`);
}

async function revoke(options: KeysOptions, output: Output, now: number): Promise<void> {
  const id = readId(options);
  const before = await withFileLock(options.keys, async () => {
    const file = parseKeyFile(options.keys, await readKeyText(options.keys));
    const { revoked } = entryOf(file, id).entry;
    if (revoked === undefined) await write(options, revokeKey(file, id, now), output);
    return revoked;
  });
  output.err.write(before === undefined ? `revoked the key of ${id}\n` : `the key of ${id} was revoked already, on ${before}\n`);
}

/** Reads, changes and writes the file of keys, with nobody else at it. The hash key is made with the first key. */
async function change(
  options: KeysOptions,
  output: Output,
  first: boolean,
  action: (file: KeyFile, hashKey: HashKey) => Issue,
): Promise<{ issue: Issue; madeHashKey: boolean }> {
  const path = hashKeyFile(options.keys, options.hashKey);
  return await withFileLock(options.keys, async () => {
    const file = await readFile(options.keys, first);
    const madeHashKey = first && file.keys.length === 0 && (await createHashKey(path));
    const hashKey = readHashKey(path);
    requireHashKey(options.keys, file, hashKey, path);
    const issue = action(file, hashKey);
    await write(options, issue.file, output);
    return { issue, madeHashKey };
  });
}

async function write(options: KeysOptions, file: KeyFile, output: Output): Promise<void> {
  if (await replaceFile(options.keys, formatKeyFile(file))) return;
  output.err.write(
    `${options.keys} belongs to this account now: see to it that the gateway can read it, or nothing changes there\n`,
  );
}

/** `first`: there need not be a file. */
async function readFile(path: string, first: boolean): Promise<KeyFile> {
  try {
    return parseKeyFile(path, await readKeyText(path));
  } catch (error) {
    if (first && error instanceof KeyFileError && error.missing) return EMPTY;
    throw error;
  }
}

// ---- list

const HEADERS = ['ID', 'STATE', 'CREATED', 'ROTATED', 'EXPIRES', 'OLD KEY UNTIL', 'PLAN', 'SCOPES', 'ROLES'];

async function list(options: KeysOptions, output: Output, now: number): Promise<void> {
  const { keys } = parseKeyFile(options.keys, await readKeyText(options.keys));
  const rows = keys.map(({ entry }) => rowOf(entry, now));
  if (options.json === true) {
    output.out.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    return;
  }
  const paint = painter(output.out);
  const cells = rows.map((row) => [
    row.id,
    row.state,
    day(row.created),
    day(row.rotated),
    row.state === 'revoked' ? '' : day(row.expires),
    row.state === 'active' ? (row.old_key_until ?? '') : '',
    row.plan ?? '',
    row.scopes.join(','),
    row.roles.join(','),
  ]);
  const text = formatTable(HEADERS, cells, (cell, column, header) => {
    if (header) return paint('bold', cell);
    return column === 1 && cell !== 'active' ? paint('yellow', cell) : cell;
  });
  output.out.write(text);
}

/** What `--json` prints for one key; members are only ever added. */
function rowOf(entry: KeyEntry, now: number) {
  const { id, created, rotated, expires, revoked, plan, previous, scopes = [], roles = [] } = entry;
  const ended = expires !== undefined && Date.parse(expires) <= now;
  const state = revoked !== undefined ? 'revoked' : ended ? 'expired' : 'active';
  const old = previous !== undefined && Date.parse(previous.until) > now ? previous.until : undefined;
  return { id, state, created, rotated, expires, revoked, old_key_until: old, plan, scopes, roles };
}

const day = (time: string | undefined) => time?.slice(0, 10) ?? '';

// ---- the command line

function readId(options: KeysOptions): string {
  return checked('--id', idText, options.id ?? '');
}

function readList(option: string, schema: typeof scopeText, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  return [...new Set(text.split(',').map((word) => checked(option, schema, word.trim())))];
}

function checked(option: string, schema: typeof scopeText, text: string): string {
  const result = schema.safeParse(text);
  if (!result.success) throw new UsageError(`${option} ${JSON.stringify(text)}: ${result.error.issues[0].message}`);
  return text;
}

function readDuration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0)
    throw new UsageError(`${option} ${JSON.stringify(text)}: write a time such as 90d, 12h or 30m`);
  return ms;
}

const LAST_DAY = Date.parse('9999-12-31');

/** How long from now, or a day or an instant by the calendar; it must be still to come. */
function readEnd(text: string, now: number): number {
  const time = parseTime(text) ?? now + readDuration('--expires', text);
  if (time <= now) throw new UsageError(`--expires ${text} is past`);
  if (time > LAST_DAY) throw new UsageError(`--expires ${text} is too far: a key that does not expire goes without`);
  return time;
}

function present<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V });
}

/** What people are told; undefined for a defect of ours. */
function messageOf(error: unknown, options: KeysOptions): string | undefined {
  if (error instanceof ChangeError)
    return `${options.keys}: ${error.message}${error.ids === undefined ? '' : hint(options.id, error.ids)}`;
  if (error instanceof UsageError || error instanceof HashKeyError || error instanceof KeyFileError) return error.message;
  if (error instanceof LockedFileError) return error.message;
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return undefined;
  const why = error.code === 'ENOENT' ? 'there is no such folder' : describeFileError(error);
  return `${options.keys} cannot be written: ${why}`;
}

function hint(id: string | undefined, ids: readonly string[]): string {
  const near = nearest(id ?? '', ids);
  return near === undefined ? '' : ` (${didYouMean(near)})`;
}
