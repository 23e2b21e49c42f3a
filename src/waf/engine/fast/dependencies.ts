import type { CompiledLink, CompiledRule } from '../program/program.ts';
import type { Macro, Selector } from '../rule-set.ts';

/**
 * What a rule reads and writes, as far as the text of it tells. A name that ends in `*` stands for all that begin so; `*` alone for any.
 */
export interface Dependencies {
  /** Variables of TX. */
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
  /** It reads nothing of the request, and nothing that other rules leave behind but TX. */
  readonly onlyTx: boolean;
  /** The same for its first link alone. */
  readonly headOnlyTx: boolean;
  /** It does nothing but write TX under names that are known. */
  readonly onlyWritesTx: boolean;
}

const CAPTURES = Array.from({ length: 10 }, (_, i) => String(i));

/** Names that a pattern chooses: any, as far as can be told before the names are there. */
export const ANY_THAT_MATCHES = '~*';

export function dependenciesOf(rule: CompiledRule): Dependencies {
  const reads = new Set<string>();
  const writes = new Set<string>();
  const { message, logData } = rule.definition;
  for (const link of rule.links) {
    for (const name of linkReads(link)) reads.add(name);
    for (const name of linkWrites(link)) writes.add(name);
  }
  for (const name of [...macroReads(message), ...macroReads(logData)]) if (name !== undefined) reads.add(name);
  // What it captured itself it reads back; nobody else's.
  if (rule.links[0].capture) for (const name of CAPTURES) reads.delete(name);
  return {
    reads,
    writes,
    onlyTx: rule.links.every(readsOnlyTx),
    headOnlyTx: judgesOnlyTx(rule.links[0]),
    onlyWritesTx: rule.links.every(writesOnlyTx),
  };
}

/** Names of TX in the targets, the operator and the effects of a link. */
function linkReads(link: CompiledLink): string[] {
  const names: string[] = [];
  for (const { variable, selector } of link.definition.targets) {
    if (variable === 'TX') names.push(nameRead(selector));
  }
  for (const macro of macrosOf(link)) for (const name of macroReads(macro)) if (name !== undefined) names.push(name);
  for (const effect of link.definition.effects) {
    if (effect.kind === 'setvar' && effect.collection === 'TX' && effect.operation !== 'set')
      names.push(constantStart(effect.name));
  }
  return names;
}

/** A pattern that is a beginning stands for all names that begin so; any other for every name. */
function nameRead(selector: Selector | undefined): string {
  if (selector?.kind === 'name') return selector.name.toLowerCase();
  if (selector?.kind !== 'pattern') return '*';
  const beginning = /^\^([\w-]+)$/.exec(selector.pattern)?.[1];
  return beginning === undefined ? ANY_THAT_MATCHES : `${beginning.toLowerCase()}*`;
}

function linkWrites(link: CompiledLink): string[] {
  const names: string[] = link.capture ? [...CAPTURES] : [];
  for (const effect of link.definition.effects) {
    if (effect.kind === 'setvar' && effect.collection === 'TX') names.push(constantStart(effect.name));
  }
  return names;
}

/** All macros that a link expands. */
function macrosOf(link: CompiledLink): Macro[] {
  const macros = link.definition.operator === undefined ? [] : [link.definition.operator.argument];
  for (const effect of link.definition.effects) {
    if (effect.kind === 'setvar') macros.push(effect.name, effect.value);
    else if (effect.kind === 'initcol') macros.push(effect.key);
    else if (effect.kind === 'expirevar') macros.push(effect.name, effect.seconds);
    else if (effect.kind === 'setenv') macros.push(effect.name, effect.value);
  }
  return macros;
}

/** Names of TX that a macro refers to; undefined for what is no TX. */
function macroReads(macro: Macro | undefined): (string | undefined)[] {
  const references = (macro?.parts ?? []).filter((part) => typeof part !== 'string');
  return references.map(({ variable, name }) => (variable === 'TX' ? (name ?? '*') : undefined));
}

/** Whether a link matches depends on TX alone; what it does then may not. */
function judgesOnlyTx({ definition }: CompiledLink): boolean {
  const named = definition.targets.every(({ variable, selector }) => variable === 'TX' && selector?.kind === 'name');
  return named && macroReads(definition.operator?.argument).every((name) => name !== undefined && name !== '*');
}

function readsOnlyTx(link: CompiledLink): boolean {
  return (
    judgesOnlyTx(link) && macrosOf(link).every((macro) => macroReads(macro).every((name) => name !== undefined && name !== '*'))
  );
}

function writesOnlyTx(link: CompiledLink): boolean {
  if (link.capture) return false;
  return link.definition.effects.every(
    (effect) => effect.kind === 'setvar' && effect.collection === 'TX' && !constantStart(effect.name).endsWith('*'),
  );
}

/** A name in lower case; where it holds a macro, what stands before that, and `*`. */
function constantStart({ parts }: Macro): string {
  const [first] = parts;
  if (parts.length === 1 && typeof first === 'string') return first.toLowerCase();
  return `${typeof first === 'string' ? first.toLowerCase() : ''}*`;
}

/** Whether one set of names can touch another, `*` counted. */
export function overlaps(a: Iterable<string>, b: ReadonlySet<string>): boolean {
  for (const one of a) {
    if (b.has(one)) return true;
    for (const other of b) if (covers(one, other) || covers(other, one)) return true;
  }
  return false;
}

function covers(pattern: string, name: string): boolean {
  if (pattern === ANY_THAT_MATCHES) return true;
  return pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1));
}
