import type { CompiledLink, CompiledRule, CompiledTarget } from '../program/program.ts';
import { overlaps } from './dependencies.ts';

/** A link that has to match before a rule does anything at all, and whose verdict on a value depends on that value alone. */
export interface Gate {
  readonly link: CompiledLink;
  readonly targets: readonly CompiledTarget[];
}

/**
 * The gates of a rule: when one of them matches nothing, the rule does nothing, whatever its other links say. A link behind one with
 * effects is none, because those would have been done.
 * @param written - names of TX that rules may write while requests are judged
 */
export function gatesOf(rule: CompiledRule, written: ReadonlySet<string>): Gate[] {
  const gates: Gate[] = [];
  for (const link of rule.links) {
    if (isGate(link, rule, written)) gates.push({ link, targets: link.targets });
    if (link.effects.length > 0 || link.capture || link.operator === undefined) break;
  }
  return gates;
}

function isGate(link: CompiledLink, rule: CompiledRule, written: ReadonlySet<string>): boolean {
  if (link.operator === undefined || link.definition.operator === undefined) return false;
  const { phase } = rule.definition;
  if (!link.targets.every(({ variable }) => variable.stable && variable.phase <= phase)) return false;
  for (const part of link.definition.operator.argument.parts) {
    if (typeof part === 'string') continue;
    if (part.variable !== 'TX' || part.name === undefined || overlaps([part.name], written)) return false;
  }
  return true;
}
