import type { ApiDocument, LoadedDocument, LoadOptions } from './contract.ts';
import { DocumentReader } from './document.ts';
import { Files } from './files.ts';
import { member } from './pointer.ts';
import { Problems } from './problems.ts';
import { Reader } from './reader.ts';
import { type Node, References } from './references.ts';
import { SchemaSet } from './schema-set.ts';

/**
 * Loads an OpenAPI 3.0 or 3.1 document with all files that it refers to, and compiles its schemas. Never throws for what a document
 * holds: all that is wrong with it is in `problems`, with its place.
 */
export function loadDocument(file: string, options: LoadOptions = {}): LoadedDocument {
  const problems = new Problems();
  const files = new Files(file, problems);
  const document = read(file, files, problems, options);
  return {
    document: problems.broken ? undefined : document,
    problems: problems.list(files),
    files: files.paths,
    place: (location) => files.place(location),
  };
}

function read(file: string, files: Files, problems: Problems, options: LoadOptions): ApiDocument | undefined {
  const source = files.open(file);
  if (source === undefined) return undefined;
  const version = versionOf(file, source.value, problems);
  if (version === undefined) return undefined;
  const references = new References(files, problems, version === '3.1');
  const root = references.open(file) as Node;
  const schemas = new SchemaSet(version, references, problems, options.readOnly !== 'ignore');
  const reader = new Reader(references, problems, version);
  const document = new DocumentReader(reader, root, (node) => schemas.add(node)).read();
  schemas.finish();
  if (!problems.broken) schemas.complete(options.compile !== false);
  return document;
}

function versionOf(file: string, value: unknown, problems: Problems): '3.0' | '3.1' | undefined {
  const version = member(value, 'openapi');
  const match = /^3\.([01])\.\d+(?:-.+)?$/.exec(String(version));
  if (match !== null) return match[1] === '0' ? '3.0' : '3.1';
  const shown = version ?? member(value, 'swagger');
  const message =
    shown === undefined
      ? 'this is no OpenAPI document: `openapi` is missing'
      : `OpenAPI ${JSON.stringify(shown).slice(0, 20).replaceAll('"', '')} is not supported`;
  problems.add({ file, pointer: version === undefined ? '' : '/openapi' }, message, { hint: 'write openapi: 3.0.3 or 3.1.0' });
  return undefined;
}
