import { emptyActions } from './action-set.ts';
import { type Role, readActions } from './actions.ts';
import type { Reading } from './reading.ts';
import { readOperator } from './operator-use.ts';
import type { RuleDraft } from './rule-draft.ts';
import type { RuleList } from './rule-list.ts';
import type { Span } from './span.ts';
import { readTargets } from './targets.ts';
import { byId, byMsg, byTag, changeTargets, type Which, withLink } from './updates.ts';

/** One directive that speaks of rules: its name and the words behind it. */
export interface Written {
  readonly name: Span;
  readonly words: readonly Span[];
}

/** Reads a directive into the list of rules. */
type Directive = (written: Written, rules: RuleList, reading: Reading) => void;

/** Directives that speak of rules. */
export const RULE_DIRECTIVES: Readonly<Record<string, { readonly words: readonly [number, number]; readonly read: Directive }>> =
  {
    SecRule: { words: [2, 3], read: readRule },
    SecAction: { words: [1, 1], read: readAction },
    SecMarker: { words: [1, 1], read: ({ words }, rules) => rules.addMarker(words[0].text.replace(/^'(.*)'$/, '$1')) },
    SecDefaultAction: { words: [1, 1], read: readDefaults },
    SecRuleRemoveById: { words: [1, 10_000], read: removal(byId) },
    SecRuleRemoveByTag: { words: [1, 1], read: removal(byTag) },
    SecRuleRemoveByMsg: { words: [1, 1], read: removal(byMsg) },
    SecRuleUpdateTargetById: { words: [2, 3], read: updateTargetsById },
    SecRuleUpdateTargetByTag: { words: [2, 3], read: targetUpdate(byTag) },
    SecRuleUpdateTargetByMsg: { words: [2, 3], read: targetUpdate(byMsg) },
    SecRuleUpdateActionById: { words: [2, 2], read: updateActions },
  };

function readRule({ name, words: [targets, operator, actions] }: Written, rules: RuleList, reading: Reading): void {
  const before = reading.report.count;
  const looked = readTargets(targets, reading);
  if (looked.length > 0 && looked.every(({ exclude }) => exclude) && reading.report.count === before) {
    reading.report.refuse(
      targets.place(),
      'all of these are left out: the rule has nothing to look at',
      'write a target without !',
    );
  }
  const set = readRuleActions(actions, rules, reading);
  rules.add({ place: name.place(), targets: looked, operator: readOperator(operator, reading), actions: set }, true);
}

function readAction({ name, words: [actions] }: Written, rules: RuleList, reading: Reading): void {
  const set = readRuleActions(actions, rules, reading);
  rules.add({ place: name.place(), targets: [], operator: undefined, actions: set }, false);
}

function readRuleActions(actions: Span | undefined, rules: RuleList, reading: Reading) {
  const set = emptyActions();
  if (actions !== undefined) readActions(actions, set, rules.isChained ? 'link' : 'rule', reading);
  return set;
}

function readDefaults({ words: [list] }: Written, rules: RuleList, reading: Reading): void {
  const set = emptyActions();
  readActions(list, set, 'defaults', reading);
  if (set.disruption?.kind === 'block') {
    reading.report.refuse(list.place(), 'block means what this directive says: it cannot say block', 'write deny or pass');
  }
  if (set.disruption === undefined) {
    reading.report.refuse(list.place(), 'defaults need an ending', 'write pass or deny into the list');
  }
  if (set.phase === undefined) reading.report.refuse(list.place(), 'defaults need a phase', 'write phase:2,…');
  else rules.setDefaults(set.phase, set);
}

type ReadWhich = (written: Span, reading: Reading) => Which | undefined;

function removal(readWhich: ReadWhich): Directive {
  return ({ name, words }, rules, reading) => {
    const gone = new Set<RuleDraft>();
    for (const word of words) {
      const which = readWhich(word, reading);
      const meant = which === undefined ? undefined : rules.meant(which);
      if (meant?.length === 0) noteNobody(name, word, reading);
      for (const rule of meant ?? []) gone.add(rule);
    }
    rules.remove([...gone]);
  };
}

function noteNobody(name: Span, which: Span, { report }: Reading): void {
  report.note(which.place(), `${name.text}: no rule that was read before is meant by ${which.text}`);
}

function targetUpdate(readWhich: ReadWhich): Directive {
  return (written, rules, reading) => {
    const which = readWhich(written.words[0], reading);
    if (which !== undefined) updateTargets(which, 0, written, rules, reading);
  };
}

function updateTargetsById(written: Written, rules: RuleList, reading: Reading): void {
  const parts = withLink(written.words[0], reading);
  const which = parts && byId(parts.ids, reading);
  if (which !== undefined) updateTargets(which, parts?.link ?? 0, written, rules, reading);
}

function updateTargets(which: Which, link: number, written: Written, rules: RuleList, reading: Reading): void {
  const [chosen, targets, replaced] = written.words;
  const added = readTargets(targets, reading);
  const gone = replaced === undefined ? [] : readTargets(replaced, reading);
  for (const draft of linksMeant(which, link, written, rules, reading)) {
    if (!changeTargets(draft, added, gone)) {
      reading.report.note((replaced ?? chosen).place(), `${written.name.text}: ${chosen.text} has no target ${replaced?.text}`);
    }
  }
}

function linksMeant(which: Which, link: number, { name, words }: Written, rules: RuleList, reading: Reading) {
  const meant = rules.meant(which);
  if (meant.length === 0) noteNobody(name, words[0], reading);
  return meant.flatMap((rule) => {
    if (link < rule.links.length) return [rule.links[link]];
    reading.report.refuse(words[0].place(), `the chain of rule ${rule.id} has ${rule.links.length} links`, 'the first one is 0');
    return [];
  });
}

function updateActions(written: Written, rules: RuleList, reading: Reading): void {
  const parts = withLink(written.words[0], reading);
  const which = parts && byId(parts.ids, reading);
  if (which === undefined || parts === undefined) return;
  const role: Role = parts.link > 0 ? 'link update' : 'rule update';
  const links = linksMeant(which, parts.link, written, rules, reading);
  // A list that changes nothing must be well formed, too.
  const sets = links.length === 0 ? [emptyActions()] : links.map(({ actions }) => actions);
  for (const set of sets) readActions(written.words[1], set, role, reading);
}
