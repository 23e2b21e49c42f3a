import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { type KeyEntry, keyEntry } from './entry.ts';

/**
 * The file that `portcullis keys` writes: YAML, one line for each key. People may add comments, and write it in any other form of YAML;
 * the next change by the command brings it back to this one and keeps comments that stand on lines of their own.
 */
export interface KeyFile {
  /** `hmac-sha256/LABEL`: under which hash key the hashes were made; absent while there are none. */
  readonly hashedWith: string | undefined;
  readonly keys: readonly CommentedEntry[];
  /** Comments above everything, and behind the last key. */
  readonly head: readonly string[];
  readonly tail: readonly string[];
}

/** An entry with the comments above it. */
export interface CommentedEntry {
  readonly entry: KeyEntry;
  readonly comments: readonly string[];
}

/** What is wrong with a file of keys: `FILE:LINE:COLUMN: problem`. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  /** True when there is no such file, or nothing in it. */
  readonly missing: boolean;

  constructor(message: string, missing = false) {
    super(message);
    this.missing = missing;
  }
}

export const EMPTY: KeyFile = { hashedWith: undefined, keys: [], head: [], tail: [] };

const HASHED_WITH = /^hmac-sha256\/[0-9a-f]{16}$/;

const schema = z.strictObject({
  'hashed-with': z.string().regex(HASHED_WITH, 'this is not what `portcullis keys` writes here: hmac-sha256/LABEL').optional(),
  keys: z.array(keyEntry, 'the keys are a list'),
});

/**
 * Reads a file of keys. What the command wrote is read line by line: ten thousand keys as YAML would keep every request waiting for most
 * of a second. Everything else, and all that is wrong, goes to the parser of YAML, which knows where it stands.
 *
 * @throws KeyFileError
 */
export function parseKeyFile(file: string, text: string): KeyFile {
  return parseLines(text) ?? parseYaml(file, text);
}

/** The file as it is written; {@link parseLines} reads it back. */
export function formatKeyFile({ hashedWith, keys, head, tail }: KeyFile): string {
  const lines = [...head];
  if (hashedWith !== undefined) lines.push(`hashed-with: ${hashedWith}`);
  lines.push(keys.length === 0 ? 'keys: []' : 'keys:');
  for (const { entry, comments } of keys) lines.push(...comments, `  - ${JSON.stringify(entry)}`);
  return `${[...lines, ...tail].join('\n')}\n`;
}

/** undefined: not in the form that the command writes, or not right. Exported for the test that it agrees with the parser of YAML. */
export function parseLines(text: string): KeyFile | undefined {
  const lines = text.split('\n');
  if (lines.pop() !== '') return undefined;
  const keys: CommentedEntry[] = [];
  let hashedWith: string | undefined;
  let head: string[] | undefined;
  let comments: string[] = [];
  let inKeys = false;
  for (const line of lines) {
    if (isComment(line)) {
      comments.push(line);
    } else if (inKeys && line.startsWith('  - {')) {
      const entry = parseEntry(line.slice(4));
      if (entry === undefined) return undefined;
      keys.push({ entry, comments });
      comments = [];
    } else if (head === undefined && !inKeys && line.startsWith('hashed-with: ') && HASHED_WITH.test(line.slice(13))) {
      hashedWith = line.slice(13);
      head = comments;
      comments = [];
    } else if (!inKeys && line === 'keys:') {
      head ??= comments.splice(0);
      inKeys = true;
    } else return undefined;
  }
  const read = { hashedWith, keys, head: head ?? [], tail: comments };
  return inKeys && keys.length > 0 && duplicate(keys) === undefined ? read : undefined;
}

const isComment = (line: string) => line === '' || /^ *#/.test(line);

/** JSON is YAML, but of two members with one name it takes the last: what is not written back the same was not written by us. */
function parseEntry(json: string): KeyEntry | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (JSON.stringify(value) !== json) return undefined;
    return keyEntry.safeParse(value).data;
  } catch {
    return undefined;
  }
}

/** Exported for the test. */
export function parseYaml(file: string, text: string): KeyFile {
  const lines = new LineCounter();
  const fail = (offset: number, message: string): never => {
    const { line, col } = lines.linePos(offset);
    throw new KeyFileError(`${file}:${Math.max(1, line)}:${Math.max(1, col)}: ${message}`);
  };
  const document = parseDocument(text, { lineCounter: lines, schema: 'core', uniqueKeys: true, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) fail(error.pos[0], error.message);
  const { contents } = document;
  // An editor empties a file before it writes it: that must not be the end of all keys.
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    throw new KeyFileError(`${file}:1:1: is empty: a file without keys says \`keys: []\``, true);
  }
  if (!isMap(contents)) return fail(contents.range?.[0] ?? 0, 'a file of keys is a mapping with `keys`');
  const result = schema.safeParse(toValue(document, fail));
  if (!result.success) {
    const { path, message } = result.error.issues[0];
    return fail(offsetOf(contents, path as (string | number)[]), `${nameOf(path)}${message}`);
  }
  const list = contents.get('keys', true);
  const items = isSeq(list) ? list.items : [];
  const { head, above, tail } = sortComments(text, [offsetOf(contents, []), ...items.map((item) => offsetOf(item as Node, []))]);
  const keys = result.data.keys.map((entry, i) => ({ entry, comments: above[i] }));
  const twice = duplicate(keys);
  if (twice !== undefined) fail(offsetOf(contents, ['keys', twice.index]), twice.problem);
  return { hashedWith: result.data['hashed-with'], keys, head, tail };
}

/** Comments that stand on lines of their own go to what stands below them. `starts`: where the mapping begins, and each entry. */
function sortComments(text: string, [begin = text.length, ...starts]: readonly number[]) {
  const above: string[][] = starts.map(() => []);
  const [head, tail]: string[][] = [[], []];
  for (const match of text.matchAll(/^[ \t]*#[^\r\n]*/gm)) {
    const next = starts.findIndex((start) => start > match.index);
    if (match.index < begin) head.push(match[0].trim());
    else if (next === -1) tail.push(match[0].trim());
    else above[next].push(`  ${match[0].trim()}`);
  }
  return { head, above, tail };
}

function toValue(document: ReturnType<typeof parseDocument>, fail: (offset: number, message: string) => never): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    if (error instanceof ReferenceError) return fail(0, 'a file of keys has no aliases');
    throw error;
  }
}

/** The value at the path; where there is none, the nearest thing around it. */
function offsetOf(root: Node, path: readonly (string | number)[]): number {
  let at: Node = root;
  for (const step of path) {
    const next: unknown = isMap(at) || isSeq(at) ? at.get(step, true) : undefined;
    if (!isNode(next)) break;
    at = next;
  }
  return at.range?.[0] ?? 0;
}

function nameOf(path: readonly PropertyKey[]): string {
  const name = path.findLast((step) => typeof step === 'string');
  return name === undefined ? '' : `${name}: `;
}

/** The first entry that has the id, or a hash, of one before it. */
function duplicate(keys: readonly CommentedEntry[]): { index: number; problem: string } | undefined {
  const seen = new Set<string>();
  for (const [index, { entry }] of keys.entries()) {
    const size = seen.size;
    const marks = [`id ${entry.id}`, entry.hash, ...(entry.previous === undefined ? [] : [entry.previous.hash])];
    for (const mark of marks) seen.add(mark);
    if (seen.size < size + marks.length) return { index, problem: `the id ${entry.id}, or its hash, stands here twice` };
  }
  return undefined;
}
