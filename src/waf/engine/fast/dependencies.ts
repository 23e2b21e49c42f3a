import type { CompiledLink, CompiledRule } from '../program/program.ts';
import type { Effect, Macro, Selector, SetVar } from '../rule-set.ts';

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
    for (const name of [...linkJudges(link), ...linkExpands(link)]) reads.add(name);
    for (const name of linkWrites(link)) writes.add(name);
  }
  for (const name of [...macroReads(message), ...macroReads(logData)]) if (name !== undefined) reads.add(name);
  // What it captured itself it reads back, and nobody else's; but what its first link judges was there before.
  const [head] = rule.links;
  if (head.capture) for (const name of CAPTURES) reads.delete(name);
  for (const name of linkJudges(head)) reads.add(name);
  return {
    reads,
    writes,
    onlyTx: rule.links.every(readsOnlyTx),
    headOnlyTx: judgesOnlyTx(rule.links[0]),
    onlyWritesTx: rule.links.every(writesOnlyTx),
  };
}

/** Names of TX that decide whether a link matches. */
function linkJudges({ definition }: CompiledLink): string[] {
  const targets = definition.targets.filter(({ variable }) => variable === 'TX');
  return [...targets.map(({ selector }) => nameRead(selector)), ...namesIn(definition.operator?.argument)];
}

/** Names of TX in what a link does when it matches. */
function linkExpands({ definition: { effects } }: CompiledLink): string[] {
  const changed = effects.filter((effect): effect is SetVar => effect.kind === 'setvar' && effect.operation !== 'set');
  return [
    ...effects.flatMap((effect) => macrosOf(effect).flatMap(namesIn)),
    ...changed.filter(({ collection }) => collection === 'TX').map(({ name }) => constantStart(name)),
  ];
}

const namesIn = (macro: Macro | undefined) => macroReads(macro).filter((name) => name !== undefined);

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

/** All macros that an effect expands. */
export function macrosOf(effect: Effect): Macro[] {
  if (effect.kind === 'setvar' || effect.kind === 'setenv') return [effect.name, effect.value];
  if (effect.kind === 'initcol') return [effect.key];
  return effect.kind === 'expirevar' ? [effect.name, effect.seconds] : [];
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
  const macros = link.definition.effects.flatMap(macrosOf);
  return judgesOnlyTx(link) && macros.every((macro) => macroReads(macro).every((name) => name !== undefined && name !== '*'));
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
