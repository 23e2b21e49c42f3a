import type { CompiledLink, CompiledRule, CompiledTarget } from '../program/program.ts';
import type { Transformation } from '../transformation.ts';
import { finishRule } from './finish.ts';
import type { Values } from './facts.ts';
import type { RemovedTarget } from './removals.ts';
import type { Transaction } from './transaction.ts';

type Phase = 1 | 2 | 3 | 4 | 5;

/** Runs one phase: by what is known of the program beforehand where that holds, otherwise the plain way. */
export function runPhase(t: Transaction, phase: Phase, fast?: FastPath): void {
  t.enter(phase);
  if (t.isOver(phase)) return;
  if (fast === undefined || t.plain) runRules(t, phase, 0);
  else fast.runPhase(t, phase);
}

/** A faster way to run phases. */
export interface FastPath {
  runPhase(t: Transaction, phase: Phase): void;
}

/**
 * Runs the rules of one phase in their order: the plain way, which is the measure of every faster one. Ends early when a rule interrupts
 * the transaction, allows the rest, or switches the engine off.
 */
export function runRules(t: Transaction, phase: Phase, from: number): void {
  const { rules } = t.program.phases[phase];
  let at = from;
  while (at < rules.length && !t.isOver(phase)) at = step(t, rules[at], at);
}

/** Judges one rule; gives the index of the next one. */
export function step(t: Transaction, rule: CompiledRule, at: number): number {
  if (t.removals.has(rule.definition)) return at + 1;
  if (!runRule(t, rule)) return at + 1;
  t.matched++;
  finishRule(t, rule);
  return rule.skipTo ?? at + 1;
}

export function runRule(t: Transaction, rule: CompiledRule): boolean {
  t.rule = rule.definition;
  // MATCHED_VAR and the like are of the rule that is being judged: what earlier rules left would depend on which of them were run.
  t.matchedName = '';
  t.matchedValue = '';
  t.matchedVars = NOTHING_MATCHED;
  for (const link of rule.links) if (!runLink(t, rule, link)) return false;
  return true;
}

function runLink(t: Transaction, rule: CompiledRule, link: CompiledLink): boolean {
  if (link.operator === undefined) {
    perform(t, link);
    return true;
  }
  const removed = t.removals.targetsOf(rule.definition);
  const matched = new Matched();
  for (const target of link.targets) runTarget(t, link, target, removed, matched);
  if (matched.names.length > 0) t.matchedVars = matched;
  return matched.names.length > 0;
}

/** What one link matched: it is what MATCHED_VARS says to the next one. */
class Matched {
  readonly names: string[] = [];
  readonly values: string[] = [];
}

/** Never added to. */
const NOTHING_MATCHED = new Matched();

function runTarget(
  t: Transaction,
  link: CompiledLink,
  target: CompiledTarget,
  removed: readonly RemovedTarget[] | undefined,
  matched: Matched,
): void {
  const { names, values } = valuesFor(t, target);
  if (target.count) {
    judge(t, link, target, '', String(countOf(target, names, removed)), matched);
    return;
  }
  for (let i = 0; i < names.length; i++) {
    if (isMeant(target, names[i], removed)) judge(t, link, target, names[i], values[i], matched);
  }
}

const NOTHING: Values = { names: [], values: [] };

/** All values of the variable, or the one that the target names. */
function valuesFor(t: Transaction, { variable, written }: CompiledTarget): Values {
  if (variable.lookUp === undefined || written.selector?.kind !== 'name') return t.valuesOf(variable);
  const { name } = written.selector;
  const value = variable.lookUp(t, name);
  return value === undefined ? NOTHING : { names: [name], values: [value] };
}

function countOf(target: CompiledTarget, names: readonly string[], removed: readonly RemovedTarget[] | undefined): number {
  let count = 0;
  for (const name of names) if (isMeant(target, name, removed)) count++;
  return count;
}

/** Whether a rule looks at this member of a collection. */
export function isMeant(target: CompiledTarget, name: string, removed: readonly RemovedTarget[] | undefined): boolean {
  if (target.names !== undefined && !target.names.matches(name)) return false;
  for (const one of target.except) if (one.matches(name)) return false;
  if (removed === undefined) return true;
  return !removed.some((one) => one.variable === target.variable.name && (one.names?.matches(name) ?? true));
}

/** Judges one value; on a match, what the link does is done at once: each value that matches counts (scores add up). */
function judge(t: Transaction, link: CompiledLink, target: CompiledTarget, name: string, value: string, matched: Matched): void {
  const found = link.multiMatch ? matchEach(t, link, value) : matchLast(t, link, value);
  if (found === undefined) return;
  const full = name === '' ? target.variable.name : `${target.variable.name}:${name}`;
  matched.names.push(full);
  matched.values.push(found);
  t.matchedName = full;
  t.matchedValue = found;
  if (link.capture) keepCaptures(t);
  perform(t, link);
}

/** The value as it was when the operator matched; undefined: it did not. */
function matchLast(t: Transaction, link: CompiledLink, value: string): string | undefined {
  const transformed = applyAll(link.transformations, value);
  return test(t, link, transformed) ? transformed : undefined;
}

/** `multiMatch`: the value as it came, and as it is after each transformation that changes it. */
function matchEach(t: Transaction, link: CompiledLink, value: string): string | undefined {
  if (test(t, link, value)) return value;
  let before = value;
  for (const transformation of link.transformations) {
    const after = transformation.apply(before);
    if (after !== before && test(t, link, after)) return after;
    before = after;
  }
  return undefined;
}

export function applyAll(transformations: readonly Transformation[], value: string): string {
  let result = value;
  for (const transformation of transformations) result = transformation.apply(result);
  return result;
}

function test(t: Transaction, link: CompiledLink, value: string): boolean {
  t.capturing = link.capture;
  t.groups = undefined;
  return link.operator?.judge(value, t) !== link.negated;
}

/** TX.0 to TX.9: what the operator captured, and nothing of what another one did. */
function keepCaptures(t: Transaction): void {
  const { groups } = t;
  for (let i = 0; i < 10; i++) {
    const text = groups?.[i];
    if (text === undefined) t.deleteTx(String(i));
    else t.setTx(String(i), text);
  }
}

function perform(t: Transaction, link: CompiledLink): void {
  for (const effect of link.effects) effect.run(t);
}
