import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Scalar } from 'yaml';
import { checkAuthorize } from './check-authorize.ts';
import { checkCertificates } from './check-certificates.ts';
import { checkIssuers } from './check-issuers.ts';
import { checkKeys } from './check-keys.ts';
import { checkLimits } from './check-limits.ts';
import { crossCheck } from './checks.ts';
import { describeFileError } from './file-error.ts';
import { Findings } from './findings.ts';
import { reportIssue } from './issues.ts';
import { issueMessage } from './messages.ts';
import type { Problem } from './problem.ts';
import { longestFirst } from './redact.ts';
import { type Environment, replaceReferences, retype } from './references.ts';
import { type GatewayOptions, gatewaySchema } from './schema.ts';
import { configurationJsonSchema, type JsonSchema, replacePaths } from './schema-tree.ts';
import { refuseSecretsInside, replaceSecrets, secretReferences, type SecretUse } from './secret-references.ts';
import { secretScalars } from './secrets.ts';
import { readSource, type Source } from './source.ts';
import { checkAliases, checkSyntax } from './syntax.ts';

export type LoadResult = (
  | { readonly ok: true; readonly options: GatewayOptions; readonly file: string }
  | { readonly ok: false; readonly problems: readonly Problem[] }
) & {
  /** What came in by `secret:NAME`, also where the file has problems. */
  readonly secrets: SecretUse;
};

const NO_SECRETS: SecretUse = { files: [], variables: [], hidden: [] };

const LARGEST_FILE = 16 * 1024 * 1024;
/** yaml counts each use of an alias times what hangs on it; enough for a thousand routes, far from a "billion laughs". */
const MOST_ALIASES = 10_000;

/** Reads and checks a configuration file. Whatever is wrong with it comes back as problems; nothing is thrown. */
export async function loadConfiguration(file: string, environment: Environment = process.env): Promise<LoadResult> {
  return (await loadWithSource(file, environment)).result;
}

/** A configuration and the file that it was read from; the file is there when it could be read. */
export interface LoadedSource {
  readonly result: LoadResult;
  readonly source?: Source;
}

/** The same, for who wants to say where something stands. A gateway that runs keeps no source: it is larger than all options. */
export async function loadWithSource(file: string, environment: Environment = process.env): Promise<LoadedSource> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const hint = missing ? '`portcullis init` writes one' : undefined;
    return { result: failure(file, `cannot be read: ${describeFileError(error)}`, hint) };
  }
  if (bytes.length > LARGEST_FILE) return { result: failure(file, 'is larger than 16 MiB') };
  try {
    return checkWithSource(file, new TextDecoder('utf-8', { fatal: true }).decode(bytes), environment);
  } catch (error) {
    if (error instanceof TypeError && 'code' in error) return { result: failure(file, 'is not valid UTF-8') };
    throw error;
  }
}

/** The same for a text that is at hand. `file` names it in problems, and its folder is where relative paths begin. */
export function checkText(file: string, text: string, environment: Environment): LoadResult {
  return checkWithSource(file, text, environment).result;
}

/** {@link checkText} with the source. */
export function checkWithSource(file: string, text: string, environment: Environment): LoadedSource {
  try {
    const source = readSource(file, text);
    return { result: checkSource(source, environment), source };
  } catch (error) {
    // The parser and the walks over the tree recurse; no configuration is that deep, but a hostile file may be.
    if (error instanceof RangeError) return { result: failure(file, 'is nested too deeply') };
    throw error;
  }
}

function failure(file: string, message: string, hint?: string): LoadResult {
  return { ok: false, problems: [{ file, line: 1, column: 1, message, hint }], secrets: NO_SECRETS };
}

function checkSource(source: Source, environment: Environment): LoadResult {
  const findings = new Findings(source);
  const readable = checkSyntax(source, findings) && checkAliases(source, findings);
  if (!readable) return { ok: false, problems: findings.problems(), secrets: NO_SECRETS };
  const references = secretReferences(source);
  const replaced = replaceReferences(source, environment, findings, references);
  refuseSecretsInside(source, references, findings);
  const secrets = replaceSecrets(source, references, environment, findings);
  for (const node of references.keys()) replaced.add(node);
  for (const scalar of secretScalars(source)) findings.secrets.push({ text: String(scalar.value), shown: '•••' });
  findings.secrets.sort(longestFirst);
  const options = checkValue(source, replaced, findings);
  const problems = findings.problems();
  if (problems.length > 0 || options === undefined) return { ok: false, problems, secrets };
  return { ok: true, options, file: source.file, secrets };
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
  checkAuthorize(raw, findings.report);
  checkCertificates(raw, findings.report);
  checkKeys(raw, findings.report);
  checkIssuers(raw, findings.report);
  checkLimits(raw, findings.report);
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
