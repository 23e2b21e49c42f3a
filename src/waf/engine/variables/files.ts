import { type FileFacts, NO_VALUES, type Values } from '../transaction/facts.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { optional } from './values.ts';
import type { Variable } from './variable.ts';

const files = (name: string, read: (files: FileFacts) => Values): Variable => ({
  name,
  collection: true,
  stable: true,
  phase: 2,
  read: (t) => (t.reading?.files === undefined ? NO_VALUES : read(t.reading.files)),
});
const scalar = (name: string, read: (t: Transaction) => string | undefined): Variable => ({
  name,
  collection: false,
  stable: true,
  phase: 2,
  read: (t) => optional(read(t)),
});

const sizesOf = ({ fields, sizes }: FileFacts): Values => ({ names: fields, values: sizes.map(String) });
const totalOf = (facts: FileFacts | undefined) => String(facts?.sizes.reduce((sum, size) => sum + size, 0) ?? 0);

/** The flags of a multipart body, each `1` where it is set. STRICT_ERROR says that any is; UNMATCHED_BOUNDARY stands apart. */
const MULTIPART_FLAGS = [
  'BOUNDARY_QUOTED',
  'BOUNDARY_WHITESPACE',
  'CRLF_LF_LINES',
  'DATA_AFTER',
  'DATA_BEFORE',
  'FILE_LIMIT_EXCEEDED',
  'HEADER_FOLDING',
  'INVALID_HEADER_FOLDING',
  'INVALID_PART',
  'INVALID_QUOTING',
  'LF_LINE',
  'MISSING_SEMICOLON',
  'SEMICOLON_MISSING',
  'UNMATCHED_BOUNDARY',
] as const;

function strictError(t: Transaction): string | undefined {
  const flags = t.reading?.multipart;
  if (flags === undefined) return '0';
  return flags.some((flag) => flag !== 'UNMATCHED_BOUNDARY') ? '1' : '0';
}

export const FILE_VARIABLES: readonly Variable[] = [
  files('FILES', ({ fields, names }) => ({ names: fields, values: names })),
  files('FILES_NAMES', ({ fields }) => ({ names: fields, values: fields })),
  files('FILES_SIZES', sizesOf),
  files('MULTIPART_FILENAME', ({ fields, names }) => ({ names: fields, values: names })),
  files('MULTIPART_NAME', ({ fields }) => ({ names: fields, values: fields })),
  files('MULTIPART_PART_HEADERS', ({ partHeaders }) => partHeaders),
  scalar('FILES_COMBINED_SIZE', (t) => totalOf(t.reading?.files)),
  scalar('MULTIPART_STRICT_ERROR', strictError),
  ...MULTIPART_FLAGS.map((flag) =>
    scalar(`MULTIPART_${flag}`, (t) => (t.reading?.multipart?.includes(flag) === true ? '1' : '0')),
  ),
];
