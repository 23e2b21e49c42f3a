import { compilePattern } from '../regex/compile.ts';
import type { IdRange, Link, RuleDefinition, Target } from '../rule-set.ts';

/** Which rules a directive means, of those that were read before it. */
export type Which =
  | { readonly by: 'id'; readonly ranges: readonly IdRange[] }
  | { readonly by: 'tag' | 'msg'; readonly pattern: string };

export function isMeant(rule: RuleDefinition, which: Which): boolean {
  if (which.by === 'id') return which.ranges.some(({ from, to }) => rule.id >= from && rule.id <= to);
  const pattern = compilePattern(which.pattern);
  return (which.by === 'tag' ? rule.tags : [rule.message?.text ?? '']).some((text) => pattern.test(text));
}

/**
 * The rule with other targets: what is new is added behind, exclusions too. With `replaced`, the targets that it names go first.
 * @param link - which link of a chain, from 0
 */
export function withTargets(
  rule: RuleDefinition,
  link: number,
  added: readonly Target[],
  replaced: readonly Target[],
): RuleDefinition {
  const links = rule.links.map((one, i) => (i === link ? { ...one, targets: changed(one, added, replaced) } : one));
  return { ...rule, links };
}

function changed({ targets }: Link, added: readonly Target[], replaced: readonly Target[]): readonly Target[] {
  const kept = targets.filter((target) => !replaced.some((one) => sameTarget(one, target)));
  return [...kept, ...added];
}

function sameTarget(a: Target, b: Target): boolean {
  return a.variable === b.variable && JSON.stringify(a.selector) === JSON.stringify(b.selector);
}
