import type { z } from 'zod';
import type { Findings } from './findings.ts';
import { didYouMean, wordHint } from './messages.ts';
import { homeOfKey, type JsonSchema, knownKeys, type Path } from './schema-tree.ts';
import { nearest } from './suggest.ts';

/** Tells one issue of the schema at the place in the file where it can be mended. */
export function reportIssue(issue: z.core.$ZodIssue, base: Path, schema: JsonSchema, findings: Findings): void {
  const at = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === 'unrecognized_keys') return reportUnknownKeys(issue.keys, at, schema, findings);
  if (issue.code === 'invalid_key')
    return findings.report(at, `${JSON.stringify(at.at(-1))}: ${issue.issues[0]?.message}`, { at: 'key' });
  if (issue.code === 'invalid_union') {
    const branch = meantBranch(issue.errors);
    if (branch !== undefined) return branch.forEach((inner) => reportIssue(inner, at, schema, findings));
  }
  const missing =
    issue.input === undefined &&
    (issue.code === 'invalid_type' || issue.code === 'invalid_union' || issue.code === 'invalid_value');
  const ownMessage = !issue.message.startsWith('expected ');
  if (missing && !ownMessage) return findings.report(at, `missing key ${JSON.stringify(at.at(-1))}`, { missing });
  findings.report(at, issue.message, { hint: wordHint({ ...issue }), missing });
}

/** Of the forms that a value may take, the one that was meant: its kind is right and the least is wrong inside. */
function meantBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const fitting = branches.filter(
    (issues) =>
      !issues.some((issue) => issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')),
  );
  return fitting.toSorted((a, b) => a.length - b.length)[0];
}

/** What the design has and this version has not: whoever writes it means it, so it must not look like a slip of the finger. */
const TO_COME = new Set(['translate', 'compose']);

function reportUnknownKeys(keys: readonly string[], at: Path, schema: JsonSchema, findings: Findings): void {
  const known = knownKeys(schema, at);
  for (const key of keys) {
    const near = TO_COME.has(key) && !known.includes(key) ? undefined : nearest(key, known);
    if (near !== undefined) findings.dropMissing([...at, near]);
    if (near === undefined && TO_COME.has(key)) {
      findings.report([...at, key], `this version has no ${JSON.stringify(key)} yet: it would protect nothing`, { at: 'key' });
      continue;
    }
    const hint = near === undefined ? (homeHint(key, schema) ?? knownHint(known)) : didYouMean(near);
    findings.report([...at, key], `unknown key ${JSON.stringify(key)}`, { at: 'key', hint });
  }
}

/** More would be a page of the manual. */
const MOST_TOLD = 12;

function knownHint(known: readonly string[]): string | undefined {
  return known.length === 0 || known.length > MOST_TOLD ? undefined : `known here: ${known.join(', ')}`;
}

/** For a key that is right in another place. */
function homeHint(key: string, schema: JsonSchema): string | undefined {
  const home = homeOfKey(schema, key);
  if (home === undefined) return undefined;
  return `${JSON.stringify(key)} belongs to ${home === key ? 'the top level' : home.slice(0, -key.length - 1)}`;
}
