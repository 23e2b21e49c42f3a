import type { Match } from '../operator.ts';
import type { CompiledLink, CompiledRule, NameMatcher, Program } from '../program/program.ts';
import type { Macro, RuleDefinition } from '../rule-set.ts';
import type { Transformation } from '../transformation.ts';
import { ByteClasses } from './byte-classes.ts';
import { compileRequirement, LiteralIds } from './compiled-requirement.ts';
import { type Foreseen, foresee, type LiveRule } from './foresee.ts';
import { ForeseenWrites } from './foreseen-writes.ts';
import { type Gate, gatesOf } from './gates.ts';
import { knownRows, type KnownRow } from './known-rows.ts';
import { FoundLiterals, Literals } from './literals.ts';
import { ANYTHING, type Requirement } from './requirement.ts';
import { memoryOf, type RuleMemory } from './rule-memory.ts';
import { type Check, SieveWorld } from './sieve-node.ts';
import { type Source, sourcesOf, type Use } from './sources.ts';
import { type Step, Steps } from './step.ts';

/** A program with all that is known about it before requests come. It judges as the plain one does, and much faster. */
export interface FastProgram {
  readonly base: ReadonlyMap<string, string>;
  readonly phases: readonly FastPhase[];
  /** By id of a check: 1 where its verdicts of phase 1 count in phase 2. */
  readonly carried: Uint8Array;
  /** Rules that were run when the program was made. */
  readonly done: ReadonlySet<RuleDefinition>;
  /** What they wrote into TX. */
  readonly writes: ForeseenWrites;
  readonly world: SieveWorld;
  readonly checks: number;
}

export interface FastPhase {
  readonly sources: readonly Source[];
  readonly rules: readonly FastRule[];
}

export interface FastRule {
  readonly rule: CompiledRule;
  /** Index among all rules of the phase. */
  readonly at: number;
  /** For each gate, the ids of checks of which one must have matched; undefined: it has to be run. */
  readonly gates: readonly (readonly number[])[] | undefined;
  /** Whether it counts members: then a target that a rule takes away may change what it says. */
  readonly counts: boolean;
  /** Patterns of which one has to choose a variable of TX that the request itself wrote; undefined: that does not matter. */
  readonly writtenLike: readonly NameMatcher[] | undefined;
  /** Knows for what values the rule does nothing; undefined: it has to be run. */
  readonly memory: RuleMemory | undefined;
  /** The row of rules that begins here, when its outcome is known. */
  readonly row: KnownRow | undefined;
}

export function makeFast(program: Program): FastProgram {
  return new Maker(program).make();
}

/** A check before its requirement is known to the others. */
interface Draft {
  readonly id: number;
  readonly transformations: readonly Transformation[];
  readonly requirement: Requirement;
  readonly link: CompiledLink;
  /** Of `multiMatch`: where the last step changes nothing, the value was judged before. */
  readonly repeats: boolean;
}

class Maker {
  readonly #foreseen: Foreseen;
  readonly #program: Program;
  readonly #written: ReadonlySet<string>;
  readonly #drafts = new Map<string, Draft>();
  readonly #operators = new Map<unknown, number>();

  constructor(program: Program) {
    this.#program = program;
    this.#foreseen = foresee(program);
    this.#written = new Set(this.#foreseen.live.flat().flatMap(({ dependencies }) => [...dependencies.writes]));
  }

  make(): FastProgram {
    const { base, live, done, writes } = this.#foreseen;
    const gated = live.map((rules) => rules.map((one) => ({ one, gates: gatesOf(one.rule, this.#written) })));
    const drafts = gated.map((rules) => rules.map(({ gates }) => gates.map((gate) => this.#draftsOf(gate))));
    const { checks, world } = this.#checks();
    const uses: Use[][] = gated.map(() => []);
    const rules = gated.map((list, phase) => {
      const rows = knownRows(this.#program, base, live[phase], phase);
      return list.map(({ one, gates }, i) => {
        const ids = gates.map((gate, g) => this.#use(gate, drafts[phase][i][g], checks, uses[phase]));
        return fastRule(one, ids, rows.get(i), memoryOf(one, live.flat()), writtenLike(one, base));
      });
    });
    const carried = judgeHeadsOnce(uses, checks.length);
    const phases = rules.map((list, phase) => ({ sources: sourcesOf(uses[phase], world), rules: list }));
    return {
      base,
      phases,
      carried,
      done: new Set([...done].map(({ definition }) => definition)),
      writes: new ForeseenWrites(writes),
      world,
      checks: checks.length,
    };
  }

  /** `multiMatch` looks at the value behind each step: each is a check of its own. */
  #draftsOf({ link, targets }: Gate): Draft[] {
    const { transformations, multiMatch } = link;
    if (!multiMatch) return [this.#draft(link, transformations, targets, false)];
    return Array.from({ length: transformations.length + 1 }, (_, i) =>
      this.#draft(link, transformations.slice(0, i), targets, i > 0),
    );
  }

  #draft(link: CompiledLink, all: readonly Transformation[], targets: Gate['targets'], repeats: boolean): Draft {
    const transformations = all.filter(({ name }) => name !== 'none');
    const chain = transformations.map(({ name }) => name).join();
    const key = `${this.#operatorId(link.operator)} ${link.negated} ${repeats} ${chain} ${placesOf(targets)}`;
    const known = this.#drafts.get(key);
    if (known !== undefined) return known;
    const requirement = link.negated ? ANYTHING : (link.operator?.requirement ?? ANYTHING);
    const draft = { id: this.#drafts.size, transformations, requirement, link, repeats };
    this.#drafts.set(key, draft);
    return draft;
  }

  #operatorId(operator: unknown): number {
    const known = this.#operators.get(operator);
    if (known !== undefined) return known;
    this.#operators.set(operator, this.#operators.size);
    return this.#operators.size - 1;
  }

  #checks(): { checks: readonly Check[]; world: SieveWorld } {
    const drafts = [...this.#drafts.values()];
    const classes = new ByteClasses();
    const steps = new Steps(classes);
    const ids = new LiteralIds();
    const match = new KnownMatch(this.#foreseen.base);
    const checks = drafts.map((draft) => {
      const used = new Set<number>();
      const requirement = compileRequirement(draft.requirement, classes, ids, used);
      return new LinkCheck(
        draft,
        draft.transformations.map((one) => steps.of(one)),
        requirement,
        [...used],
        match,
      );
    });
    const literals = new Literals(ids.texts);
    return { checks, world: new SieveWorld(classes, literals, new FoundLiterals(ids.texts.length, checks.length), checks) };
  }

  #use({ targets }: Gate, drafts: readonly Draft[], checks: readonly Check[], uses: Use[]): number[] {
    for (const target of targets) for (const { id } of drafts) uses.push({ target, check: checks[id] });
    return drafts.map(({ id }) => id);
  }
}

function fastRule(
  { rule, at }: LiveRule,
  gates: readonly (readonly number[])[],
  row: FastRule['row'],
  memory: RuleMemory | undefined,
  like: FastRule['writtenLike'],
): FastRule {
  const counts = rule.links.some(({ targets }) => targets.some(({ count }) => count));
  return { rule, at, gates: gates.length === 0 ? undefined : gates, counts, row, memory, writtenLike: like };
}

/**
 * The patterns of a rule that begins by choosing variables of TX by pattern alone. Where none of those that are known beforehand is
 * chosen, only what a request writes can be.
 */
function writtenLike({ rule: { links } }: LiveRule, base: ReadonlyMap<string, string>): readonly NameMatcher[] | undefined {
  const [{ targets, operator }] = links;
  if (operator === undefined) return undefined;
  const patterns = targets.map(({ variable, names, count }) => (variable.name === 'TX' && !count ? names : undefined));
  const chosen = patterns.filter((names) => names !== undefined);
  if (chosen.length !== targets.length || chosen.some((names) => [...base.keys()].some((name) => names.matches(name))))
    return undefined;
  return chosen;
}

/** What the head of a request says does not change: what phase 2 asks about it is judged together with what phase 1 does. */
function judgeHeadsOnce(uses: Use[][], checks: number): Uint8Array {
  const carried = new Uint8Array(checks);
  const [, first, second] = uses;
  for (const use of second) {
    if (!isOfHead(use)) continue;
    first.push(use);
    carried[use.check.id] = 1;
  }
  uses[2] = second.filter((use) => !isOfHead(use));
  return carried;
}

function isOfHead({ target: { variable } }: Use): boolean {
  return variable.phase === 1 && variable.grows !== true;
}

/** Rules that choose or count members share verdicts only where they choose the same. */
function placesOf(targets: Gate['targets']): string {
  const chosen = targets.filter(({ count, names }) => count || names !== undefined);
  return chosen.length === 0 ? '' : JSON.stringify(targets.map(({ variable, written }) => [variable.name, written]));
}

class LinkCheck implements Check {
  readonly id: number;
  readonly repeats: boolean;
  readonly steps: readonly Step[];
  readonly requirement: Check['requirement'];
  readonly literals: readonly number[];
  readonly leastLength: number;
  readonly #operator: NonNullable<CompiledLink['operator']>;
  readonly #negated: boolean;
  readonly #match: Match;

  constructor(
    draft: Draft,
    steps: readonly Step[],
    requirement: Check['requirement'],
    literals: readonly number[],
    match: Match,
  ) {
    this.id = draft.id;
    this.repeats = draft.repeats;
    this.steps = steps;
    this.requirement = requirement;
    this.literals = literals;
    this.leastLength = draft.link.negated ? 0 : (draft.link.operator?.leastLength ?? 0);
    this.#operator = draft.link.operator as NonNullable<CompiledLink['operator']>;
    this.#negated = draft.link.negated;
    this.#match = match;
  }

  judge(value: string): boolean {
    return this.#operator.judge(value, this.#match) !== this.#negated;
  }
}

/** What macros in arguments mean where they only name what is known beforehand. Nothing is captured. */
class KnownMatch implements Match {
  readonly capturing = false;
  groups: undefined;
  readonly #base: ReadonlyMap<string, string>;

  constructor(base: ReadonlyMap<string, string>) {
    this.#base = base;
  }

  expand({ parts }: Macro): string {
    return parts.map((part) => (typeof part === 'string' ? part : (this.#base.get(part.name ?? '') ?? ''))).join('');
  }
}
