import path from 'node:path';
import type { RuleProblem, RuleSet } from '../rule-set.ts';
import { RULE_DIRECTIVES } from './directives.ts';
import { type Line, linesOf } from './lines.ts';
import { didYouMean } from './nearest.ts';
import { shown } from './numbers.ts';
import { Reading, type RuleWorld } from './reading.ts';
import { Report } from './report.ts';
import { RuleList } from './rule-list.ts';
import { SETTINGS, type Settings, UNSUPPORTED, WITHOUT_MEANING } from './settings.ts';
import type { Span } from './span.ts';
import { wordsOf } from './words.ts';

export type { RuleWorld } from './reading.ts';

/** One text of rules: a file's, or what a configuration says. A byte string. */
export interface RuleSource {
  readonly file: string;
  readonly text: string;
}

export type ReadResult =
  | {
      readonly ok: true;
      readonly rules: RuleSet;
      /** What is allowed and worth knowing: directives without meaning here, updates that meet no rule, skips that lead nowhere. */
      readonly notes: readonly RuleProblem[];
    }
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

const DEEPEST_INCLUDE = 16;
const MOST_FILES = 2000;

/** Reads texts of rules one behind the other, as if they were one. All problems at once, up to fifty. */
export function readRules(sources: readonly RuleSource[], world: RuleWorld): ReadResult {
  const reader = new RuleReader(world);
  for (const source of sources) reader.read(source, []);
  return reader.result();
}

type Directive = (name: Span, words: readonly Span[], including: readonly string[]) => void;

class RuleReader {
  readonly #report = new Report();
  readonly #reading: Reading;
  readonly #rules: RuleList;
  readonly #settings: Settings = {};
  readonly #components: string[] = [];
  readonly #directives: ReadonlyMap<string, Directive>;
  #filesRead = 0;

  constructor(world: RuleWorld) {
    this.#reading = new Reading(world, this.#report);
    this.#rules = new RuleList(this.#report);
    this.#directives = this.#allDirectives();
  }

  result(): ReadResult {
    const { problems, notes } = this.#report;
    if (problems.length > 0) return { ok: false, problems };
    const entries = this.#rules.complete();
    const files = [...this.#reading.files];
    return { ok: true, rules: { entries, settings: this.#settings, components: this.#components, files }, notes };
  }

  /** @param including - the files that include this one, the outermost first */
  read(source: RuleSource, including: readonly string[]): void {
    this.#filesRead++;
    this.#reading.files.add(source.file);
    for (const line of linesOf(source, this.#report)) {
      if (this.#report.isFull) return;
      this.#readLine(line, including);
    }
    this.#rules.endChain('the file ends here');
  }

  #readLine(line: Line, including: readonly string[]): void {
    const words = wordsOf(line, this.#report);
    if (words === undefined) this.#rules.lose();
    else if (words.length > 0) this.#readDirective(words[0], words.slice(1), including);
  }

  #readDirective(name: Span, words: readonly Span[], including: readonly string[]): void {
    const directive = this.#directives.get(name.text.toLowerCase());
    if (directive !== undefined) directive(name, words, including);
    else this.#refuseUnknown(name);
  }

  #refuseUnknown(name: Span): void {
    const { text } = name;
    this.#rules.lose();
    if (/^<\/?[A-Za-z]/.test(text)) {
      const hint = 'keep the directives between its tags that are meant for here, without the tags';
      this.#report.refuse(name.place(), `${text}… is a section of a web server: sections are not read here`, hint);
    } else {
      const hint = didYouMean(text, this.#directiveNames()) ?? 'a line that goes on needs a backslash at its end';
      this.#report.refuse(name.place(), `there is no directive ${shown(text)}`, hint);
    }
  }

  #directiveNames(): string[] {
    return [RULE_DIRECTIVES, SETTINGS, WITHOUT_MEANING].flatMap((table) => Object.keys(table));
  }

  #allDirectives(): ReadonlyMap<string, Directive> {
    const all: [string, Directive][] = [
      ...Object.keys(RULE_DIRECTIVES).map((name): [string, Directive] => [
        name,
        (written, words) => this.#readRules(name, written, words),
      ]),
      ...Object.keys(SETTINGS).map((name): [string, Directive] => [name, (written, words) => this.#set(name, written, words)]),
      ...Object.keys(WITHOUT_MEANING).map((name): [string, Directive] => [name, (written) => this.#noteMeaning(name, written)]),
      ...Object.keys(UNSUPPORTED).map((name): [string, Directive] => [name, (written) => this.#refuse(name, written)]),
      ['SecResponseBodyMimeTypesClear', () => void (this.#settings.responseBodyTypes = [])],
      ['SecComponentSignature', (name, words) => this.#component(name, words)],
      ['Include', (name, words, including) => this.#include(name, words, including, false)],
      ['IncludeOptional', (name, words, including) => this.#include(name, words, including, true)],
    ];
    return new Map(all.map(([name, read]) => [name.toLowerCase(), read]));
  }

  #readRules(canonical: string, name: Span, words: readonly Span[]): void {
    const directive = RULE_DIRECTIVES[canonical];
    const isRule = canonical === 'SecRule' || canonical === 'SecAction';
    if (!isRule) this.#rules.endChain('another directive follows');
    if (this.#hasWords(name, words, ...directive.words)) directive.read({ name, words }, this.#rules, this.#reading);
    else if (isRule) this.#rules.lose();
  }

  #hasWords(name: Span, words: readonly Span[], least: number, most: number): boolean {
    if (words.length < least)
      this.#report.refuse(name.place(), `${name.text} takes ${least} words at least`, 'quotes hold a word together');
    if (words.length > most) {
      const hint = 'a word with white space or quotes stands in quotes, with a backslash before each quote within';
      this.#report.refuse(words[most].place(), `${name.text} takes ${most} words at most: this is one too many`, hint);
    }
    return words.length >= least && words.length <= most;
  }

  #set(canonical: string, name: Span, words: readonly Span[]): void {
    const most = canonical === 'SecResponseBodyMimeType' ? Number.MAX_SAFE_INTEGER : canonical === 'SecUnicodeMapFile' ? 2 : 1;
    if (this.#hasWords(name, words, 1, most)) SETTINGS[canonical](words, this.#settings, this.#reading);
  }

  #noteMeaning(canonical: string, name: Span): void {
    this.#report.note(name.place(), `${canonical} means nothing here: ${WITHOUT_MEANING[canonical]}`);
  }

  #refuse(canonical: string, name: Span): void {
    this.#report.refuse(name.place(), `${canonical} is not supported: ${UNSUPPORTED[canonical]}`, 'take it out');
  }

  #component(name: Span, words: readonly Span[]): void {
    if (this.#hasWords(name, words, 1, 1)) this.#components.push(words[0].text);
  }

  #include(name: Span, words: readonly Span[], including: readonly string[], optional: boolean): void {
    this.#rules.endChain('another directive follows');
    if (!this.#hasWords(name, words, 1, 1)) return;
    const [pattern] = words;
    const from = pattern.place().file;
    const files = this.#filesNamed(pattern.text, from);
    if (files.length === 0 && !optional) this.#report.refuse(pattern.place(), `no file matches ${pattern.text}`, besides(from));
    for (const file of files) {
      if (this.#report.isFull) return;
      this.#includeOne(file, pattern, [...including, from], optional);
    }
  }

  /** Without a wildcard a file is named, so that one that is missing is told from a pattern that matches none. */
  #filesNamed(pattern: string, from: string): readonly string[] {
    if (/[*?[]/.test(pattern)) return this.#reading.world.list(pattern, from);
    return [path.resolve(path.dirname(from), pattern)];
  }

  #includeOne(file: string, pattern: Span, including: readonly string[], optional: boolean): void {
    if (including.some((one) => path.resolve(one) === path.resolve(file))) {
      this.#report.refuse(pattern.place(), `${file} includes itself by this`, 'take one of the two Includes out');
    } else if (including.length > DEEPEST_INCLUDE || this.#filesRead >= MOST_FILES) {
      this.#report.refuse(pattern.place(), `files include files ${DEEPEST_INCLUDE} deep and ${MOST_FILES} in all at most`);
    } else {
      const text = this.#reading.world.readFile(file, including[including.length - 1]);
      if (text !== undefined) this.read({ file, text }, including);
      else if (!optional)
        this.#report.refuse(pattern.place(), `${file} cannot be read`, besides(including[including.length - 1]));
    }
  }
}

function besides(from: string): string {
  return `a path is taken from the folder of ${from}`;
}
