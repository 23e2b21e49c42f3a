import { statSync } from 'node:fs';
import { visit } from 'yaml';
import { hashKeyFile } from '../../authenticate/api-key/hash-key.ts';
import { secretPlaces } from '../../config/clear-secrets.ts';
import type { Path } from '../../config/schema-tree.ts';
import type { Audited } from '../audited.ts';
import { type Check, type Judgement, met, open, type Verdict } from '../model.ts';
import { entryAt } from '../place.ts';
import { all, eachListener, eachMethod, eachService, section } from '../scopes.ts';

/** A file that others than its owner and group may use; undefined when nothing is wrong, or there is no such file. */
function openness(file: string, others: number): string | undefined {
  try {
    const mode = statSync(file).mode & 0o777;
    return (mode & others) === 0 ? undefined : mode.toString(8).padStart(4, '0');
  } catch {
    return undefined;
  }
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** `others`: the bits that must not be set. */
function guarded(file: string, others: number, at: Path): Judgement {
  const mode = openness(file, others);
  if (mode === undefined) return met(`${file} is closed to others`, ...at);
  return open(`${file} has the mode ${mode}`, at, `chmod ${others === 0o077 ? '600' : 'o-rwx'} ${file}`);
}

function* secretsInClear({ options, source }: Audited): Iterable<Verdict> {
  for (const { path, clear } of secretPlaces(options, source)) {
    const subject = { kind: 'section', name: String(path.join('.')), path } as const;
    yield { ...(clear ? open('stands in the file in the clear') : met('is not in the file')), subject };
  }
}

const MARKED = /-----BEGIN [A-Z ]*PRIVATE KEY-----|\bpcl_[0-9A-Za-z]{36}\b|\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\./;

/** What is a key or a token by its form, wherever it stands: in a header that is set, in a condition, in a comment. */
function* strayKeys({ source }: Audited): Iterable<Verdict> {
  const whole = { kind: 'section', name: 'file', path: [] } as const;
  const found = new Set<number>();
  visit(source.document, {
    Scalar(_, node) {
      if (node.range && MARKED.test(source.text.slice(node.range[0], node.range[1]))) found.add(node.range[0]);
    },
  });
  const stray = MARKED.exec(source.text);
  if (stray === null) yield { ...met('no key and no token stands in it'), subject: whole };
  else yield { ...open('a key or token stands in it in the clear'), subject: whole, offset: [...found][0] ?? stray.index };
}

function tlsKeys(tls: unknown, audited: Audited, base: Path): Judgement[] {
  if (!Array.isArray(tls)) return [];
  return tls.map(({ key }: { key: string }, i) => guarded(key, 0o007, [...entryAt(audited.source, base, i), 'key']));
}

function keyFiles(keys: string, hashKey: string | undefined): Judgement[] {
  const hashFile = hashKeyFile(keys, hashKey);
  return [
    guarded(keys, 0o006, ['keys']),
    ...(exists(hashFile) ? [guarded(hashFile, 0o077, [hashKey === undefined ? 'keys' : 'hash-key'])] : []),
  ];
}

export const rest: readonly Check[] = [
  {
    name: 'secrets-in-clear',
    title: 'No password and no token stands in the file',
    heading: 'rest',
    owasp: ['API8', 'API2'],
    why: 'The file is copied, mailed and committed; who reads it has what stands in it.',
    fix: 'token: secret:ADMIN_TOKEN',
    applies: 'tokens, client secrets and passwords',
    judge: secretsInClear,
  },
  {
    name: 'stray-keys',
    title: 'Nothing in the file looks like a key',
    heading: 'rest',
    owasp: ['API8', 'API2'],
    why: 'Keys hide in headers that are set, in conditions and in comments, where nobody looks for them.',
    fix: 'take it out, and replace it where it came from: it is known now',
    applies: 'always',
    judge: strayKeys,
  },
  {
    name: 'secrets-store',
    title: 'Secrets are kept encrypted',
    heading: 'rest',
    owasp: ['API8'],
    why: 'Values in plain files and in the environment are in every backup and every crash dump.',
    fix: 'secrets: { store: secrets.yaml } (run `portcullis secrets set NAME`)',
    applies: 'configurations with the section `secrets`',
    judge: section('secrets', ({ options: { secrets } }) => {
      if (secrets === undefined) return undefined;
      return secrets.store === undefined ? open('plain files', ['directory']) : met('an encrypted store', 'store');
    }),
  },
  {
    name: 'private-keys-closed',
    title: 'Private keys are closed to other users of the machine',
    heading: 'rest',
    owasp: ['API8'],
    why: 'Who can read the key can be the server.',
    fix: 'chmod o-rwx FILE',
    applies: 'private keys in files',
    judge: all(
      eachListener(({ tls }, audited, name) => tlsKeys(tls, audited, ['listeners', name])),
      section('admin', (audited) => tlsKeys(audited.options.admin?.tls, audited, ['admin'])),
      eachService(({ tls: { key } }) => (key === undefined ? undefined : guarded(key, 0o007, ['tls', 'key']))),
      eachMethod('introspection', ({ client: { 'private-key': key } }) =>
        key === undefined ? undefined : guarded(key, 0o007, ['client', 'private-key']),
      ),
    ),
  },
  {
    name: 'key-files-closed',
    title: 'Files of API keys are closed to other users of the machine',
    heading: 'rest',
    owasp: ['API2', 'API8'],
    why: 'Who can write the file can add keys; who has the hash key can try them at leisure.',
    fix: 'chmod o-rwx FILE',
    applies: 'methods of the kind `api-key`',
    judge: eachMethod('api-key', (options) => keyFiles(options.keys, options['hash-key'])),
  },
  {
    name: 'records-closed',
    title: 'The records are closed to other users of the machine',
    heading: 'rest',
    owasp: ['API8'],
    why: 'They say who did what from where.',
    fix: 'chmod o-rwx FILE',
    applies: 'records in files that exist',
    judge: section('observe', ({ options: { observe } }) =>
      (['access', 'events'] as const)
        .filter((key) => observe[key] !== 'stdout' && observe[key] !== 'off' && exists(observe[key]))
        .map((key) => guarded(observe[key], 0o007, [key])),
    ),
  },
  {
    name: 'configuration-closed',
    title: 'Only its owner may change the configuration',
    heading: 'rest',
    owasp: ['API8'],
    why: 'The gateway takes over what is written into the file: who can write it decides about everything.',
    fix: 'chmod go-w FILE',
    applies: 'always',
    judge: section('file', ({ source }) => {
      const mode = openness(source.file, 0o022);
      return mode === undefined ? met('nobody else may write it') : open(`has the mode ${mode}`, [], `chmod go-w ${source.file}`);
    }),
  },
];
