import { statSync } from 'node:fs';
import path from 'node:path';
import { isScalar, type Scalar, visit } from 'yaml';
import { SecretLookup } from '../secrets/lookup.ts';
import { nameProblem } from '../secrets/names.ts';
import { SecretsError } from '../secrets/secrets-error.ts';
import { describeFileError } from './file-error.ts';
import type { Findings } from './findings.ts';
import type { Hidden } from './redact.ts';
import type { Environment } from './references.ts';
import type { Path } from './schema-tree.ts';
import { secretScalars } from './secrets.ts';
import { nodeAt, type Source } from './source.ts';

/** What a configuration took in by `secret:NAME`. */
export interface SecretUse {
  /** Files whose change may change a secret, also those that are not there. */
  readonly files: readonly string[];
  /** Environment variables that hold a secret, or the key to some. */
  readonly variables: readonly string[];
  /** The values, and how to speak of them. */
  readonly hidden: readonly Hidden[];
}

const MARK = 'secret:';

/** The scalars that are `secret:NAME` as written, with the names. Not looked for in what comes from the environment. */
export function secretReferences(source: Source): Map<Scalar, string> {
  const found = new Map<Scalar, string>();
  visit(source.document, {
    Scalar(key, node) {
      if (key !== 'key' && typeof node.value === 'string' && node.value.startsWith(MARK))
        found.set(node, node.value.slice(MARK.length));
    },
  });
  return found;
}

/** Replaces the references by the values. Whatever cannot be had is a finding, and nothing more is said about its place. */
export function replaceSecrets(
  source: Source,
  references: ReadonlyMap<Scalar, string>,
  environment: Environment,
  findings: Findings,
): SecretUse {
  using lookup = new SecretLookup({ environment, ...placesOf(source) });
  checkDirectory(source, findings);
  refuseParts(source, references, findings);
  const open = openStore(source, lookup, findings);
  const hidden: Hidden[] = [];
  for (const [node, name] of references) {
    const value = open || nameProblem(name) !== undefined ? find(node, name, lookup, findings) : undefined;
    if (value === undefined) {
      findings.unknown.add(node);
      continue;
    }
    node.value = value;
    findings.secretNodes.set(node, name);
    hidden.push(...formsOf(value, `${MARK}${name}`));
  }
  findings.secrets.push(...hidden);
  return { files: lookup.files, variables: lookup.variables, hidden };
}

/** A folder that is not there gives no secret, and one that comes later would not be seen: somebody has misspelt or not mounted it. */
function checkDirectory(source: Source, findings: Findings): void {
  const { directory } = placesOf(source);
  if (directory === undefined) return;
  const problem = folderProblem(directory);
  if (problem !== undefined) findings.reportOffset(offsetOf(nodeAt(source, ['secrets', 'directory'])), problem);
}

function folderProblem(folder: string): string | undefined {
  try {
    return statSync(folder).isDirectory() ? undefined : `${folder} is no folder: name the one with a file for each secret`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return `${folder} cannot be read: ${describeFileError(error)}`;
    return `there is no folder ${folder}: make or mount it, or take \`directory\` out`;
  }
}

const PART = /secret:[A-Za-z_]/;

/** A reference within a text stays as it is: where a secret belongs, the text itself would be the secret, and everybody knows it. */
function refuseParts(source: Source, references: ReadonlyMap<Scalar, string>, findings: Findings): void {
  const urls: Scalar[] = [];
  visit(source.document, {
    Scalar(key, node) {
      if (key !== 'key' && typeof node.value === 'string' && /^rediss?:/i.test(node.value)) urls.push(node);
    },
  });
  for (const node of new Set([...secretScalars(source), ...urls])) {
    if (references.has(node) || typeof node.value !== 'string' || !PART.test(node.value)) continue;
    const url = urls.includes(node);
    const how = url ? 'store: { redis: redis://HOST:PORT, password: secret:NAME }' : 'write secret:NAME and nothing else';
    findings.reportOffset(
      offsetOf(node),
      '`secret:NAME` counts only where it is the whole value; within a text it stays what it is',
      how,
    );
    findings.unknown.add(node);
  }
}

/** A store that cannot be trusted is told once, where it is named, and not for each secret. */
function openStore(source: Source, lookup: SecretLookup, findings: Findings): boolean {
  try {
    lookup.openStore();
    return true;
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    findings.reportOffset(offsetOf(nodeAt(source, ['secrets', 'store'])), error.message);
    return false;
  }
}

function find(node: Scalar, name: string, lookup: SecretLookup, findings: Findings): string | undefined {
  try {
    return lookup.get(name);
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    findings.reportOffset(offsetOf(node), error.message);
    return undefined;
  }
}

/** As it may stand in messages of other people: in JSON, and in a URL. */
function formsOf(text: string, shown: string): Hidden[] {
  const forms = new Set([text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed())]);
  return [...forms].map((form) => ({ text: form, shown }));
}

/** The section is needed before anything of the file has been checked. */
function placesOf(source: Source): { directory?: string; store?: string; key?: string } {
  const folder = path.dirname(path.resolve(source.file));
  const file = (key: string) => {
    const node = nodeAt(source, ['secrets', key] satisfies Path);
    const written = isScalar(node) && typeof node.value === 'string' && node.value !== '' ? node.value : undefined;
    return written === undefined ? undefined : path.resolve(folder, written);
  };
  return { directory: file('directory'), store: file('store'), key: file('key') };
}

const offsetOf = (node: unknown) => (isScalar(node) ? (node.range?.[0] ?? 0) : 0);

/** Where secrets are cannot be a secret. */
export function refuseSecretsInside(source: Source, references: Map<Scalar, string>, findings: Findings): void {
  for (const key of ['directory', 'store', 'key']) {
    const node = nodeAt(source, ['secrets', key]);
    if (!isScalar(node) || !references.delete(node)) continue;
    findings.reportOffset(offsetOf(node), 'the section that says where secrets are cannot hold one');
    findings.unknown.add(node);
    node.value = '';
  }
}
