import { isScalar, type Scalar, visit } from 'yaml';
import type { z } from 'zod';
import { interpolate } from './environment.ts';
import type { Findings } from './findings.ts';
import type { Path } from './schema-tree.ts';
import { placeOfValue, resolved, type Source } from './source.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Replaces references to the environment in all values (not in keys) but `others`; gives back the scalars that had one. */
export function replaceReferences(
  source: Source,
  environment: Environment,
  findings: Findings,
  others: ReadonlyMap<Scalar, string> = new Map(),
): Set<Scalar> {
  const replaced = new Set<Scalar>();
  visit(source.document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${') || others.has(node)) return;
      const written = node.value;
      const result = interpolate(written, environment);
      for (const { index, message } of result.unresolved)
        findings.reportOffset(referenceOffset(source, node, written, index), message);
      // What stands in the file instead of the value is not worth a second complaint.
      if (result.unresolved.length > 0) findings.unknown.add(node);
      if (result.values.length > 0) findings.secrets.push({ text: result.text, shown: written });
      for (const { name, value } of result.values) findings.secrets.push({ text: value, shown: `\${${name}}` });
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

/**
 * What comes from the environment is text. Where the schema wants a number or a truth value and the text is one, the
 * scalar becomes one. True when anything changed.
 */
export function retype(
  source: Source,
  replaced: ReadonlySet<Scalar>,
  issues: readonly z.core.$ZodIssue[],
  base: Path = [],
): boolean {
  let changed = false;
  for (const issue of issues) {
    const at = [...base, ...(issue.path as (string | number)[])];
    if (issue.code === 'invalid_union')
      changed = issue.errors.map((branch) => retype(source, replaced, branch, at)).includes(true) || changed;
    if (issue.code !== 'invalid_type') continue;
    const place = placeOfValue(source, at);
    const node = resolved(source, place.node);
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
