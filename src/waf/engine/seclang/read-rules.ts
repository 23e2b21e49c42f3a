import type { Link, MarkerDefinition, Phase, Place, RuleDefinition, RuleProblem, RuleSet, RuleSettings } from '../rule-set.ts';
import { parseActionList } from './action-list.ts';
import { type Defaults, isDisruptive, NO_DEFAULTS, parseDisruption } from './defaults.ts';
import { needArgument, parseIdRanges, splitOnce } from './effects.ts';
import { type LogicalLine, logicalLines } from './lines.ts';
import { nearest } from './nearest.ts';
import { parseOperator } from './operator-use.ts';
import { checkChained, isChained, linkOf, logging, type Names, phaseOf, ruleOf, type WrittenRule } from './rule.ts';
import { SETTINGS, WITHOUT_MEANING } from './settings.ts';
import { SyntaxProblem } from './syntax-error.ts';
import { parseTargetChanges, parseTargets } from './targets.ts';
import { isMeant, type Which, withTargets } from './updates.ts';
import { type Word, wordsOf } from './words.ts';

/** One text of rules: a file's, or what a configuration says. A byte string. */
export interface RuleSource {
  readonly file: string;
  readonly text: string;
}

/** What reading takes from outside: this engine opens no files. */
export interface RuleWorld extends Names {
  /** The text of a file as a byte string; undefined: it cannot be read. `from` is the file that names it. */
  readFile(file: string, from: string): string | undefined;
  /** Paths that match, `*` and all, relative to the file that asks. */
  list(pattern: string, from: string): readonly string[];
}

export type ReadResult =
  | { readonly ok: true; readonly rules: RuleSet; readonly notes: readonly RuleProblem[] }
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

const MOST_PROBLEMS = 50;
const DEEPEST_INCLUDE = 10;

/** Reads texts of rules one behind the other, as if they were one. All problems at once, up to fifty. */
export function readRules(sources: readonly RuleSource[], world: RuleWorld): ReadResult {
  const reader = new RuleReader(world);
  for (const source of sources) reader.read(source, 0);
  return reader.result();
}

class RuleReader {
  readonly #world: RuleWorld;
  readonly #problems: RuleProblem[] = [];
  readonly #notes: RuleProblem[] = [];
  readonly #entries: (RuleDefinition | MarkerDefinition)[] = [];
  readonly #ids = new Map<number, Place>();
  readonly #defaults = new Map<Phase, Defaults>();
  readonly #components: string[] = [];
  readonly #files: string[] = [];
  readonly #settings: { -readonly [K in keyof RuleSettings]: RuleSettings[K] } = {};
  /** The links of a chain that is not complete yet. */
  #chain: { readonly head: WrittenRule; readonly links: Link[] } | undefined;

  constructor(world: RuleWorld) {
    this.#world = world;
  }

  result(): ReadResult {
    if (this.#problems.length > 0) return { ok: false, problems: this.#problems };
    const rules = { entries: this.#entries, settings: this.#settings, components: this.#components, files: this.#files };
    return { ok: true, rules, notes: [...this.#notes, ...this.#skipsToNowhere()] };
  }

  read({ file, text }: RuleSource, depth: number): void {
    this.#files.push(file);
    for (const line of logicalLines(file, text)) {
      if (this.#problems.length >= MOST_PROBLEMS) return;
      this.#guard(line.place(0), () => this.#directive(line, depth));
    }
    if (this.#chain === undefined) return;
    this.#problem(
      this.#chain.head.place,
      'the chain that begins here is not complete at the end of the file',
      'the last rule has `chain`',
    );
    this.#chain = undefined;
  }

  /** What is wrong with one directive is noted, and the next one is read. */
  #guard(place: Place, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      this.#chain = undefined;
      this.#problem(error.place ?? place, error.message, error.hint);
    }
  }

  #problem(place: Place, message: string, hint?: string): void {
    this.#problems.push(hint === undefined ? { ...place, message } : { ...place, message, hint });
  }

  #directive(line: LogicalLine, depth: number): void {
    const words = wordsOf(line);
    const name = words[0].text.toLowerCase();
    const special = SPECIAL.get(name);
    if (special !== undefined) special(this, words, line, depth);
    else if (SETTINGS.has(name)) Object.assign(this.#settings, SETTINGS.get(name)?.(words, line));
    else this.#other(name, words, line);
  }

  #other(name: string, words: readonly Word[], line: LogicalLine): void {
    const instead = WITHOUT_MEANING.get(name);
    const place = line.place(words[0].at);
    if (instead !== undefined) this.#notes.push({ ...place, message: `${words[0].text} means nothing here: ${instead}` });
    else {
      const known = [...SPECIAL.keys(), ...SETTINGS.keys(), ...WITHOUT_MEANING.keys()];
      throw new SyntaxProblem(place, `the directive ${words[0].text} is not supported`, nearest(name, known));
    }
  }

  // ---- rules

  /** SecRule TARGETS OPERATOR [ACTIONS] */
  rule(words: readonly Word[], line: LogicalLine): void {
    const [name, targets, operator, actions] = words;
    if (operator === undefined || words.length > 4) {
      throw new SyntaxProblem(line.place(name.at), 'a rule is SecRule TARGETS "OPERATOR" "ACTIONS"');
    }
    const at = (word: Word) => (offset: number) => line.place(word.at + offset);
    this.#written({
      place: line.place(name.at),
      targets: parseTargets(targets.text, at(targets), this.#world.variables),
      operator: parseOperator(operator.text, at(operator), this.#world.operators),
      actions: actions === undefined ? [] : parseActionList(actions.text, at(actions)),
    });
  }

  /** SecAction ACTIONS */
  action(words: readonly Word[], line: LogicalLine): void {
    const [name, actions] = words;
    if (actions === undefined || words.length > 2) throw new SyntaxProblem(line.place(name.at), 'it is SecAction "ACTIONS"');
    this.#written({
      place: line.place(name.at),
      targets: [],
      operator: undefined,
      actions: parseActionList(actions.text, (offset) => line.place(actions.at + offset)),
    });
  }

  #written(rule: WrittenRule): void {
    const chain = this.#chain;
    const head = chain?.head ?? rule;
    if (chain !== undefined) checkChained(rule);
    const links = [...(chain?.links ?? []), linkOf(rule, this.#defaultsOf(phaseOf(head.actions)), this.#world)];
    this.#chain = isChained(rule) ? { head, links } : undefined;
    if (this.#chain === undefined) this.#add(ruleOf(head, links, (phase) => this.#defaultsOf(phase)));
  }

  #add(rule: RuleDefinition): void {
    const before = this.#ids.get(rule.id);
    if (rule.id !== 0 && before !== undefined) {
      throw new SyntaxProblem(rule.place, `the id ${rule.id} is taken: ${before.file}:${before.line}`, 'ids are unique');
    }
    this.#ids.set(rule.id, rule.place);
    this.#entries.push(rule);
  }

  #defaultsOf(phase: Phase): Defaults {
    return this.#defaults.get(phase) ?? NO_DEFAULTS;
  }

  /** SecDefaultAction ACTIONS: for rules of its phase that are read behind it. */
  defaults(words: readonly Word[], line: LogicalLine): void {
    const [name, list] = words;
    if (list === undefined) throw new SyntaxProblem(line.place(name.at), 'it is SecDefaultAction "ACTIONS"');
    const actions = parseActionList(list.text, (offset) => line.place(list.at + offset));
    const status = actions.find((action) => action.name === 'status')?.argument;
    const disruptive = actions.findLast(isDisruptive);
    const [log, auditLog] = logging(actions, NO_DEFAULTS);
    const transformations = actions
      .filter((action) => action.name === 't')
      .map((action) => this.#world.transformations.get(needArgument(action).toLowerCase()) ?? 'none')
      .filter((transformation) => transformation !== 'none');
    const disruption =
      disruptive === undefined
        ? NO_DEFAULTS.disruption
        : parseDisruption(disruptive, status && Number(status) ? Number(status) : undefined, NO_DEFAULTS);
    this.#defaults.set(phaseOf(actions), { transformations, disruption, log, auditLog });
  }

  marker(words: readonly Word[], line: LogicalLine): void {
    if (words[1] === undefined) throw new SyntaxProblem(line.place(words[0].at), 'a marker needs a name');
    this.#entries.push({ kind: 'marker', label: words[1].text.replace(/^'(.*)'$/, '$1') });
  }

  component(words: readonly Word[]): void {
    this.#components.push(words[1]?.text ?? '');
  }

  // ---- changes of rules that were read before

  remove(which: Which): void {
    const kept = this.#entries.filter((entry) => entry.kind === 'marker' || !isMeant(entry, which));
    for (const entry of this.#entries) if (entry.kind === 'rule' && isMeant(entry, which)) this.#ids.delete(entry.id);
    this.#entries.splice(0, this.#entries.length, ...kept);
  }

  /** SecRuleUpdateTargetBy… WHICH TARGETS [REPLACED] */
  updateTargets(which: Which, link: number, words: readonly Word[], line: LogicalLine): void {
    const [name, , targets, replaced] = words;
    if (targets === undefined) throw new SyntaxProblem(line.place(name.at), 'targets are missing', '"!ARGS:comment"');
    const read = (word: Word) => parseTargetChanges(word.text, (offset) => line.place(word.at + offset), this.#world.variables);
    const [added, gone] = [read(targets), replaced === undefined ? [] : read(replaced)];
    this.#change(which, line, (rule) => withTargets(rule, link, added, gone));
  }

  /** SecRuleUpdateActionById ID[:LINK] ACTIONS */
  updateActions(which: Which, link: number, words: readonly Word[], line: LogicalLine): void {
    const [name, , list] = words;
    if (list === undefined) throw new SyntaxProblem(line.place(name.at), 'actions are missing');
    const actions = parseActionList(list.text, (offset) => line.place(list.at + offset));
    this.#change(which, line, (rule) => this.#withActions(rule, link, actions, line.place(name.at)));
  }

  /** What is written anew takes the place of what was there; metadata and effects that are not mentioned stay. */
  #withActions(rule: RuleDefinition, link: number, actions: WrittenRule['actions'], place: Place): RuleDefinition {
    const defaults: Defaults = { transformations: [], disruption: rule.disruption, log: rule.log, auditLog: rule.auditLog };
    const written: WrittenRule = { place, targets: [], operator: undefined, actions };
    const made = linkOf(written, defaults, this.#world);
    const links = rule.links.map((one, i) => (i === link ? mergedLink(one, made, actions) : one));
    if (link > 0) return { ...rule, links };
    const { message, logData, severity, tags, ...changes } = ruleOf(written, links, () => defaults);
    return {
      ...rule,
      links,
      disruption: changes.disruption,
      block: actions.some(isDisruptive) ? changes.block : rule.block,
      log: changes.log,
      auditLog: changes.auditLog,
      message: message ?? rule.message,
      logData: logData ?? rule.logData,
      severity: severity ?? rule.severity,
      tags: [...rule.tags, ...tags],
    };
  }

  #change(which: Which, line: LogicalLine, change: (rule: RuleDefinition) => RuleDefinition): void {
    let changed = 0;
    this.#entries.forEach((entry, i) => {
      if (entry.kind === 'marker' || !isMeant(entry, which)) return;
      this.#entries[i] = change(entry);
      changed++;
    });
    if (changed === 0) this.#notes.push({ ...line.place(0), message: 'no rule that was read before is meant here' });
  }

  // ---- other files

  include(words: readonly Word[], line: LogicalLine, depth: number, optional: boolean): void {
    const [name, pattern] = words;
    if (pattern === undefined) throw new SyntaxProblem(line.place(name.at), 'a file is missing');
    if (depth >= DEEPEST_INCLUDE)
      throw new SyntaxProblem(line.place(name.at), `files include each other ${DEEPEST_INCLUDE} deep`);
    const from = line.place(0).file;
    const files = this.#world.list(pattern.text, from);
    if (files.length === 0 && !optional) throw new SyntaxProblem(line.place(pattern.at), `no file matches ${pattern.text}`);
    for (const file of files) {
      const text = this.#world.readFile(file, from);
      if (text === undefined) throw new SyntaxProblem(line.place(pattern.at), `${file} cannot be read`);
      this.read({ file, text }, depth + 1);
    }
  }

  /** A skip to a marker that never comes ends the phase: allowed, and rarely meant. */
  #skipsToNowhere(): RuleProblem[] {
    const labels = new Set(this.#entries.flatMap((entry) => (entry.kind === 'marker' ? [entry.label] : [String(entry.id)])));
    return this.#entries.flatMap((entry) => {
      if (entry.kind === 'marker' || entry.skipAfter === undefined || labels.has(entry.skipAfter)) return [];
      return [{ ...entry.place, message: `skipAfter:${entry.skipAfter} leads to no marker: the phase ends here` }];
    });
  }
}

function mergedLink(before: Link, made: Link, actions: WrittenRule['actions']): Link {
  const says = (name: string) => actions.some((action) => action.name === name);
  return {
    ...before,
    transformations: says('t') ? made.transformations : before.transformations,
    multiMatch: before.multiMatch || made.multiMatch,
    capture: before.capture || made.capture,
    effects: [...before.effects, ...made.effects],
  };
}

type Special = (reader: RuleReader, words: readonly Word[], line: LogicalLine, depth: number) => void;

const SPECIAL: ReadonlyMap<string, Special> = new Map<string, Special>([
  ['secrule', (reader, words, line) => reader.rule(words, line)],
  ['secaction', (reader, words, line) => reader.action(words, line)],
  ['secdefaultaction', (reader, words, line) => reader.defaults(words, line)],
  ['secmarker', (reader, words, line) => reader.marker(words, line)],
  ['seccomponentsignature', (reader, words) => reader.component(words)],
  ['secruleremovebyid', (reader, words, line) => reader.remove({ by: 'id', ranges: rangesOf(words.slice(1), line) })],
  ['secruleremovebytag', (reader, words, line) => reader.remove({ by: 'tag', pattern: textOf(words, line) })],
  ['secruleremovebymsg', (reader, words, line) => reader.remove({ by: 'msg', pattern: textOf(words, line) })],
  ['secruleupdatetargetbyid', (reader, words, line) => reader.updateTargets(...idAndLink(words, line), words, line)],
  [
    'secruleupdatetargetbytag',
    (reader, words, line) => reader.updateTargets({ by: 'tag', pattern: textOf(words, line) }, 0, words, line),
  ],
  [
    'secruleupdatetargetbymsg',
    (reader, words, line) => reader.updateTargets({ by: 'msg', pattern: textOf(words, line) }, 0, words, line),
  ],
  ['secruleupdateactionbyid', (reader, words, line) => reader.updateActions(...idAndLink(words, line), words, line)],
  ['include', (reader, words, line, depth) => reader.include(words, line, depth, false)],
  ['includeoptional', (reader, words, line, depth) => reader.include(words, line, depth, true)],
]);

function textOf(words: readonly Word[], line: LogicalLine): string {
  if (words[1] === undefined) throw new SyntaxProblem(line.place(words[0].at), `${words[0].text} needs an argument`);
  return words[1].text;
}

function rangesOf(words: readonly Word[], line: LogicalLine): ReturnType<typeof parseIdRanges> {
  if (words.length === 0) throw new SyntaxProblem(line.place(0), 'ids of rules are missing');
  return words.flatMap((word) => parseIdRanges(word.text, line.place(word.at)));
}

/** `942100`, `942100-942199`, or `942100:1` for the second link of a chain. */
function idAndLink(words: readonly Word[], line: LogicalLine): [Which, number] {
  const [ids, link] = splitOnce(textOf(words, line), ':');
  if (link !== undefined && !/^\d{1,3}$/.test(link)) {
    throw new SyntaxProblem(line.place(words[1].at), `${link} is no place in a chain`, 'the first link is 0');
  }
  return [{ by: 'id', ranges: parseIdRanges(ids, line.place(words[1].at)) }, Number(link ?? 0)];
}
