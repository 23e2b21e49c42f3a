import type { Target } from '../rule-set.ts';
import { readNumber, readRanges } from './numbers.ts';
import type { Reading } from './reading.ts';
import type { LinkDraft, RuleDraft } from './rule-draft.ts';
import type { Span } from './span.ts';

/** Which of the rules that were read before a directive means. */
export interface Which {
  /** undefined where rules have to be looked through. */
  readonly id: number | undefined;
  matches(rule: RuleDraft): boolean;
}

/** `942100`, `942100-942199`, lists of them. */
export function byId(written: Span, { report }: Reading): Which | undefined {
  const ranges = readRanges(written, report);
  if (ranges.length === 0) return undefined;
  const single = ranges.length === 1 && ranges[0].from === ranges[0].to ? ranges[0].from : undefined;
  return { id: single, matches: ({ id }) => ranges.some(({ from, to }) => id >= from && id <= to) };
}

export function byTag(written: Span, reading: Reading): Which | undefined {
  const pattern = reading.pattern(written);
  return pattern && { id: undefined, matches: ({ tags }) => tags.some((tag) => pattern.test(tag)) };
}

export function byMsg(written: Span, reading: Reading): Which | undefined {
  const pattern = reading.pattern(written);
  return pattern && { id: undefined, matches: ({ actions }) => pattern.test(actions.message?.text ?? '') };
}

/** `IDS` or `IDS:LINK`, the links of a chain counted from 0. */
export function withLink(written: Span, { report }: Reading): { readonly ids: Span; readonly link: number } | undefined {
  const parts = written.cut(':');
  if (parts === undefined) return { ids: written, link: 0 };
  const link = readNumber(parts[1].trim(), report, 0, 999);
  return link === undefined ? undefined : { ids: parts[0], link };
}

/** Adds targets to a link, or puts them in the place of others. False: none of those to be replaced is there. */
export function changeTargets(link: LinkDraft, added: readonly Target[], replaced: readonly Target[]): boolean {
  if (replaced.length === 0) {
    link.targets.push(...added.filter((one) => !link.targets.some((target) => isSame(target, one))));
    return true;
  }
  const at = link.targets.findIndex((target) => replaced.some((one) => isSame(target, one)));
  if (at < 0) return false;
  const kept = (targets: readonly Target[]) => targets.filter((target) => !replaced.some((one) => isSame(target, one)));
  link.targets = [...kept(link.targets.slice(0, at)), ...added, ...kept(link.targets.slice(at))];
  return true;
}

function isSame(a: Target, b: Target): boolean {
  return a.variable === b.variable && a.count === b.count && a.exclude === b.exclude && selectorKey(a) === selectorKey(b);
}

function selectorKey({ selector }: Target): string {
  if (selector === undefined) return '';
  if (selector.kind === 'name') return `n${selector.name.toLowerCase()}`;
  return selector.kind === 'pattern' ? `p${selector.pattern}` : `x${selector.path}`;
}
