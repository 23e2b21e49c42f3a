import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isAlias, isMap, isScalar, type Node, type Scalar, visit, type YAMLError } from 'yaml';
import type { z } from 'zod';
import { checkCertificates } from './check-certificates.ts';
import { crossCheck } from './checks.ts';
import { interpolate } from './environment.ts';
import { Findings, secretScalars } from './findings.ts';
import { didYouMean, issueMessage, wordHint } from './messages.ts';
import type { Problem } from './problem.ts';
import { type GatewayOptions, gatewaySchema } from './schema.ts';
import { configurationJsonSchema, homeOfKey, type JsonSchema, knownKeys, type Path, replacePaths } from './schema-tree.ts';
import { isMergeKey, placeOfValue, readSource, type Source } from './source.ts';
import { nearest } from './suggest.ts';

export type LoadResult =
  | { readonly ok: true; readonly options: GatewayOptions; readonly file: string }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type Environment = Readonly<Record<string, string | undefined>>;

const LARGEST_FILE = 16 * 1024 * 1024;
/** yaml counts each use of an alias times what hangs on it; enough for a thousand routes, far from a "billion laughs". */
const MOST_ALIASES = 10_000;

/** Reads and checks a configuration file. Whatever is wrong with it comes back as problems; nothing is thrown. */
export async function loadConfiguration(file: string, environment: Environment = process.env): Promise<LoadResult> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    return failure(file, `cannot be read: ${describeFileError(error)}`);
  }
  if (bytes.length > LARGEST_FILE) return failure(file, 'is larger than 16 MiB');
  try {
    return checkText(file, new TextDecoder('utf-8', { fatal: true }).decode(bytes), environment);
  } catch (error) {
    if (error instanceof TypeError && 'code' in error) return failure(file, 'is not valid UTF-8');
    throw error;
  }
}

/** The same for a text that is at hand. `file` names it in problems, and its folder is where relative paths begin. */
export function checkText(file: string, text: string, environment: Environment): LoadResult {
  try {
    return checkSource(readSource(file, text), environment);
  } catch (error) {
    // The parser and the walks over the tree recurse; no configuration is that deep, but a hostile file may be.
    if (error instanceof RangeError) return failure(file, 'is nested too deeply');
    throw error;
  }
}

function failure(file: string, message: string): LoadResult {
  return { ok: false, problems: [{ file, line: 1, column: 1, message }] };
}

function describeFileError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'it is a folder';
  return code === 'EACCES' ? 'permission denied' : String(code ?? 'unknown error');
}

function checkSource(source: Source, environment: Environment): LoadResult {
  const findings = new Findings(source);
  const readable = checkSyntax(source, findings) && checkAliases(source, findings);
  if (!readable) return { ok: false, problems: findings.problems() };
  const replaced = replaceReferences(source, environment, findings);
  for (const { node } of secretScalars(source)) findings.secrets.push({ text: String(node.value), shown: '•••' });
  // Longest first, so that a value inside another does not leave half of it.
  findings.secrets.sort((a, b) => b.text.length - a.text.length);
  const options = checkValue(source, replaced, findings);
  const problems = findings.problems();
  return problems.length === 0 && options !== undefined ? { ok: true, options, file: source.file } : { ok: false, problems };
}

/** Only the first error of syntax is worth showing, the others mostly follow from it; doubled keys are shown all. */
function checkSyntax(source: Source, findings: Findings): boolean {
  const { errors, warnings, contents } = source.document;
  for (const error of errors.filter((one) => one.code === 'DUPLICATE_KEY')) {
    findings.reportOffset(error.pos[0], `duplicate key ${JSON.stringify(source.text.slice(error.pos[0], keyEnd(source.text, error.pos[0])))}`);
  }
  const first = [...errors, ...warnings].find((one) => one.code !== 'DUPLICATE_KEY');
  if (first !== undefined) findings.reportOffset(first.pos[0], syntaxMessage(first), syntaxHint(source, first));
  else if (contents === null || (isScalar(contents) && contents.value === null)) findings.reportOffset(0, 'the file is empty');
  else return true;
  return false;
}

function keyEnd(text: string, from: number): number {
  const end = text.slice(from, from + 80).search(/["']?\s*:|\n/);
  return end === -1 ? from : from + end;
}

function syntaxMessage(error: YAMLError): string {
  if (error.code === 'MULTIPLE_DOCS') return 'a configuration is one YAML document: no second one after `---`';
  // What stands behind the colon is a piece of the file, and could be of a secret.
  return `not valid YAML: ${error.message.replace(/: "[^]*$/, '').replace(/^([A-Z])(?=[a-z])/, (letter) => letter.toLowerCase())}`;
}

function syntaxHint(source: Source, error: YAMLError): string | undefined {
  const line = source.text.slice(source.text.lastIndexOf('\n', error.pos[0]) + 1).split('\n', 1)[0];
  return /\$\{/.test(line) ? 'inside { } and [ ], a value with ${…} must stand in quotes' : undefined;
}

/** An alias to nothing, to what contains it, or a merge of what is no mapping: the parser finds these too late. */
function checkAliases(source: Source, findings: Findings): boolean {
  const before = findings.found.length;
  visit(source.document, {
    Alias(_, alias, ancestors) {
      const target = alias.resolve(source.document);
      if (target === undefined) findings.reportOffset(alias.range?.[0] ?? 0, `no anchor &${alias.source} stands before this alias`);
      else if (ancestors.includes(target)) findings.reportOffset(alias.range?.[0] ?? 0, `the alias *${alias.source} stands inside what it stands for`);
    },
    Pair(_, pair) {
      if (!isMergeKey(pair)) return;
      const list = isScalar(pair.value) || isMap(pair.value) || isAlias(pair.value) ? [pair.value] : ((pair.value as { items?: unknown[] })?.items ?? []);
      const resolved = list.map((item) => (isAlias(item) ? item.resolve(source.document) : item));
      if (!resolved.every((item) => item === undefined || isMap(item))) findings.reportOffset((pair.key as Node).range?.[0] ?? 0, '`<<` takes a mapping, or a list of mappings');
    },
  });
  return findings.found.length === before;
}

/** Replaces references to the environment in all values (not in keys); gives back the scalars that had one. */
function replaceReferences(source: Source, environment: Environment, findings: Findings): Set<Scalar> {
  const replaced = new Set<Scalar>();
  visit(source.document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      const written = node.value;
      const result = interpolate(written, environment);
      for (const { index, message } of result.unresolved) findings.reportOffset(referenceOffset(source, node, written, index), message);
      // What stands in the file instead of the value is not worth a second complaint.
      if (result.unresolved.length > 0) findings.unknown.add(node);
      for (const value of result.values) findings.secrets.push({ text: value, shown: '${…}' });
      if (result.values.length > 0) findings.secrets.push({ text: result.text, shown: written });
      node.value = result.text;
      replaced.add(node);
    },
  });
  return replaced;
}

/** Where in the file the reference stands; quotes and escapes may have moved it, so it is looked for. */
function referenceOffset(source: Source, node: Scalar, written: string, index: number): number {
  const [from, to] = node.range ?? [0, 0];
  const occurrence = written.slice(0, index).split('${').length;
  let offset = from - 1;
  for (let i = 0; i < occurrence; i++) offset = source.text.indexOf('${', offset + 1);
  return offset < from || offset >= to ? from : offset;
}

function checkValue(source: Source, replaced: ReadonlySet<Scalar>, findings: Findings): GatewayOptions | undefined {
  const schema = configurationJsonSchema();
  const before = findings.found.length;
  let raw = readValue(source, schema, findings);
  if (findings.found.length > before) return undefined;
  let result = gatewaySchema.safeParse(raw, { error: issueMessage, reportInput: true });
  if (!result.success && retype(source, replaced, result.error.issues)) {
    raw = readValue(source, schema, findings);
    result = gatewaySchema.safeParse(raw, { error: issueMessage, reportInput: true });
  }
  if (!result.success) for (const issue of result.error.issues) reportIssue(issue, [], schema, findings);
  crossCheck(raw, findings.report);
  checkCertificates(raw, findings.report);
  return result.success ? result.data : undefined;
}

function readValue(source: Source, schema: JsonSchema, findings: Findings): unknown {
  try {
    const folder = path.dirname(path.resolve(source.file));
    return replacePaths(source.document.toJS({ maxAliasCount: MOST_ALIASES }), schema, (file) => path.resolve(folder, file));
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    findings.reportOffset(0, 'aliases stand for too much in all');
    return undefined;
  }
}

/**
 * What comes from the environment is text. Where the schema wants a number or a truth value and the text is one, the
 * scalar becomes one. True when anything changed.
 */
function retype(source: Source, replaced: ReadonlySet<Scalar>, issues: readonly z.core.$ZodIssue[], base: Path = []): boolean {
  let changed = false;
  for (const issue of issues) {
    const at = [...base, ...(issue.path as (string | number)[])];
    if (issue.code === 'invalid_union') changed = issue.errors.map((branch) => retype(source, replaced, branch, at)).includes(true) || changed;
    if (issue.code !== 'invalid_type') continue;
    const place = placeOfValue(source, at);
    const node = isAlias(place.node) ? place.node.resolve(source.document) : place.node;
    if (!isScalar(node) || !replaced.has(node) || typeof node.value !== 'string') continue;
    const value = typed(node.value, issue.expected);
    if (value !== undefined) node.value = value;
    changed ||= value !== undefined;
  }
  return changed;
}

function typed(text: string, expected: string): number | boolean | undefined {
  if (expected === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  return (expected === 'number' || expected === 'int') && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : undefined;
}

function reportIssue(issue: z.core.$ZodIssue, base: Path, schema: JsonSchema, findings: Findings): void {
  const at = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === 'unrecognized_keys') return reportUnknownKeys(issue.keys, at, schema, findings);
  if (issue.code === 'invalid_key') return findings.report(at, `${JSON.stringify(at.at(-1))}: ${issue.issues[0]?.message}`, { at: 'key' });
  if (issue.code === 'invalid_union') {
    const branch = meantBranch(issue.errors);
    if (branch !== undefined) return branch.forEach((inner) => reportIssue(inner, at, schema, findings));
  }
  const missing = issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_union' || issue.code === 'invalid_value');
  const ownMessage = !issue.message.startsWith('expected ');
  if (missing && !ownMessage) return findings.report(at, `missing key ${JSON.stringify(at.at(-1))}`);
  findings.report(at, issue.message, { hint: wordHint({ ...issue }) });
}

/** Of the forms that a value may take, the one that was meant: its kind is right and the least is wrong inside. */
function meantBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const fitting = branches.filter((issues) => !issues.some((issue) => issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')));
  return fitting.toSorted((a, b) => a.length - b.length)[0];
}

function reportUnknownKeys(keys: readonly string[], at: Path, schema: JsonSchema, findings: Findings): void {
  const known = knownKeys(schema, at);
  for (const key of keys) {
    const near = nearest(key, known);
    const home = near === undefined ? homeOfKey(schema, key) : undefined;
    const hint = near !== undefined ? didYouMean(near) : home !== undefined ? `${JSON.stringify(key)} belongs to ${home.slice(0, -key.length - 1)}` : undefined;
    findings.report([...at, key], `unknown key ${JSON.stringify(key)}`, { at: 'key', hint });
  }
}
