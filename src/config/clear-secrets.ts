import { isScalar, type Node } from 'yaml';
import { type Problem, sortProblems } from './problem.ts';
import type { GatewayOptions } from './schema.ts';
import type { Path } from './schema-tree.ts';
import { findMasks, maskedExcerpt } from './secrets.ts';
import { nodeAt, type Source } from './source.ts';

/** A place of the configuration that holds a password or a token. */
export interface SecretPlace {
  readonly path: Path;
  readonly offset: number;
  /** Whether the file holds the secret itself, or a piece of it, and no reference. */
  readonly clear: boolean;
  /** Part of a URL. */
  readonly url: boolean;
}

/** The password of the store stands in one of these. */
const STORE_URLS: Path[] = [['store'], ['store', 'redis']];

/** Passwords and tokens of a configuration by their places; a file of a key is none. */
function secretPaths(options: GatewayOptions): Path[] {
  const methods = Object.entries(options.authentication);
  return [
    ...(options.admin?.token === undefined ? [] : [['admin', 'token']]),
    ...methods.flatMap(([name, { introspection }]) =>
      introspection?.client.secret === undefined ? [] : [['authentication', name, 'introspection', 'client', 'secret']],
    ),
    ...(options.store === 'memory' || options.store.password === undefined ? [] : [...STORE_URLS, ['store', 'password']]),
  ];
}

const VARIABLE = /\$\{\w+\}/g;
const URL_PASSWORD = /:\/\/[^:@/\s]*:(.+)@/;

/** Whether a text as it is written is a reference and nothing else: a piece of a secret is one, too. */
function isReference(written: string): boolean {
  const text = written.trim().replace(/^(["'])(.*)\1$/s, '$2');
  return text.startsWith('secret:') || (text.includes('${') && text.replace(VARIABLE, '') === '');
}

/** Where a configuration that loaded has passwords and tokens. */
export function secretPlaces(options: GatewayOptions, source: Source): SecretPlace[] {
  return secretPaths(options).flatMap((path): SecretPlace[] => {
    const node = nodeAt(source, path);
    if (!isScalar(node) || !node.range) return [];
    const written = textOf(source, node);
    const url = STORE_URLS.includes(path);
    // Of a URL that is a reference as a whole, nothing stands in the file.
    const secret = url && !isReference(written) ? URL_PASSWORD.exec(written)?.[1] : written;
    if (secret === undefined) return [];
    return [
      { path, offset: node.range[0], clear: !(url ? secret === written || isReference(secret) : isReference(secret)), url },
    ];
  });
}

/** Values were replaced when the file was loaded; the text still has what was written. */
function textOf(source: Source, { range }: Node): string {
  return range ? source.text.slice(range[0], range[1]) : '';
}

const INSTEAD = 'run `portcullis secrets set NAME`, or set it in the environment, and write secret:NAME';

/** What `check` says of them: a gateway would start, but the file is copied, mailed and committed. */
export function clearSecrets(options: GatewayOptions, source: Source): Problem[] {
  const masks = findMasks(source);
  const problems = secretPlaces(options, source).flatMap(({ path, offset, clear, url }): Problem[] => {
    if (!clear) return [];
    const { line, col } = source.lines.linePos(offset);
    const what = url
      ? 'the password of the store stands in the file in the clear, within its address'
      : 'this secret stands in the file in the clear';
    const hint = url
      ? `store: { redis: redis://HOST:PORT, password: secret:NAME }, and ${INSTEAD.replace(', and write secret:NAME', '')}`
      : INSTEAD;
    return [
      {
        file: source.file,
        line,
        column: col,
        message: `${path.join('.')}: ${what}`,
        hint,
        excerpt: maskedExcerpt(source, offset, masks),
      },
    ];
  });
  return sortProblems(problems);
}
