import type { Stats } from 'node:fs';
import path from 'node:path';
import { KEY_VARIABLE } from './names.ts';
import { readBytes } from './read-file.ts';
import { parseKeys, type SecretKey } from './secret-key.ts';
import { SecretsError } from './secrets-error.ts';

/** Where the keys of a store are. */
export type KeyPlace = { readonly kind: 'variable'; readonly text: string } | { readonly kind: 'file'; readonly file: string };

/** A key file that is named counts; then the variable; then the file beside the store (`secrets.yaml` → `secrets.key`). */
export function keyPlace(
  store: string,
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): KeyPlace {
  const text = Object.hasOwn(environment, KEY_VARIABLE) ? environment[KEY_VARIABLE] : undefined;
  if (file === undefined && text !== undefined && text !== '') return { kind: 'variable', text };
  return { kind: 'file', file: file ?? keyFileBeside(store) };
}

export function keyFileBeside(store: string): string {
  const { dir, name } = path.parse(store);
  return path.join(dir, `${name}.key`);
}

export function describePlace(place: KeyPlace): string {
  return place.kind === 'variable' ? `the environment variable ${KEY_VARIABLE}` : place.file;
}

/** The keys that are there; undefined where there is no such file. */
export function readKeys(place: KeyPlace): SecretKey[] | undefined {
  if (place.kind === 'variable') return parseKeys(place.text, describePlace(place));
  const bytes = readBytes(place.file, undefined, (stats) => checkOwner(place.file, stats));
  if (bytes === undefined) return undefined;
  try {
    return parseKeys(bytes.toString('latin1'), place.file);
  } finally {
    bytes.fill(0);
  }
}

/** What a key file holds, as it is: for the one who writes it anew. */
export function readKeyText(file: string): string {
  const bytes = readBytes(file, undefined, (stats) => checkOwner(file, stats));
  const text = bytes?.toString('latin1') ?? '';
  bytes?.fill(0);
  return text;
}

/** Whoever can read the key can read all secrets; whoever can write it can choose them. Looked at on the open file, so that it is that one. */
function checkOwner(file: string, { mode, uid }: Stats): void {
  if (process.getuid === undefined) return;
  const others = mode & 0o077;
  if (others !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(4, '0');
    throw new SecretsError(
      `${file} is open to others than its owner (mode ${shown}): run \`chmod 600 ${file}\`, and change the key if they may have read it`,
    );
  }
  if (uid !== process.getuid() && uid !== 0)
    throw new SecretsError(`${file} belongs to another account: only its owner or root may hold the key`);
}
