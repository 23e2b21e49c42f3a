import { runRules, step } from '../transaction/run.ts';
import type { Transaction } from '../transaction/transaction.ts';
import type { FastPhase, FastProgram, FastRule } from './fast-program.ts';
import type { Check, Hits } from './sieve-node.ts';

/** Behind all rules of a phase. */
const END = Number.POSITIVE_INFINITY;

const MOST_RUNS = 2 ** 30;

/** Runs phases of a fast program. One for all requests: judging a phase never waits, so no two are judged at once. */
export class FastRunner implements Hits {
  readonly program: FastProgram;
  /** By check: the number of the phase run in which it matched last. */
  readonly #hits: Int32Array;
  #run = 0;
  /** Checks that matched in phase 1 and count in phase 2. */
  #carry: number[] = [];

  constructor(program: FastProgram) {
    this.program = program;
    this.#hits = new Int32Array(program.checks);
  }

  hit(check: Check): void {
    this.#hits[check.id] = this.#run;
    if (this.program.carried[check.id] === 1) this.#carry.push(check.id);
  }

  /** The same as the plain run of a phase: only rules that may do something are run, and these the plain way. */
  runPhase(t: Transaction, number: 1 | 2 | 3 | 4 | 5): void {
    const phase = this.program.phases[number];
    if (this.program.writes.anyThrough(t.ranThrough, END, number - 1)) {
      this.#goPlain(t, t.ranThrough, END);
      runRules(t, number, 0);
      return;
    }
    t.ranThrough = number;
    this.#nextRun();
    this.program.world.begin();
    for (const source of phase.sources) source.judge(t, this);
    if (number <= 2) this.#carryOver(t, number);
    this.#runRules(t, phase, number);
  }

  /** Other requests are judged between the phases of this one: what counts later is kept with it. */
  #carryOver(t: Transaction, phase: number): void {
    if (phase === 1 && this.#carry.length > 0) t.carried = this.#carry;
    else if (phase === 2) for (const id of t.carried) this.#hits[id] = this.#run;
    if (this.#carry.length > 0) this.#carry = [];
  }

  /** Numbers stay small integers: others would be allocated at each comparison (measured: 40 kB a request). */
  #nextRun(): void {
    if (++this.#run < MOST_RUNS) return;
    this.#hits.fill(0);
    this.#run = 1;
  }

  #runRules(t: Transaction, { rules }: FastPhase, number: 1 | 2 | 3 | 4 | 5): void {
    for (let i = 0; i < rules.length; ) {
      const one = rules[i];
      if (one.row !== undefined && !t.tx.hasWritten(one.row.names) && !t.removals.hasAny(one.row.rules)) {
        for (const [name, value] of one.row.writes) t.setTx(name, value);
        i = one.row.end;
        continue;
      }
      if (!this.#mayMatch(one, t)) {
        i++;
        continue;
      }
      const key = one.memory?.keyOf(t);
      if (key !== undefined && one.memory?.knows(key) === true) {
        i++;
        continue;
      }
      const changes = t.changes;
      const matched = t.matched;
      const next = step(t, one.rule, one.at);
      if (key !== undefined && t.matched === matched) one.memory?.learn(key, t);
      if (t.isOver(number)) {
        if (this.program.writes.anyThrough(number, one.at, number)) this.#goPlain(t, number, one.at);
        return;
      }
      if ((t.changes !== changes && this.#isUnforeseen(t)) || this.program.writes.anyBetween(number, one.at, next)) {
        this.#goPlain(t, number, one.at);
        runRules(t, number, next);
        return;
      }
      i++;
      if (next > one.at + 1) while (i < rules.length && rules[i].at < next) i++;
    }
  }

  #mayMatch({ rule, gates, counts, writtenLike }: FastRule, t: Transaction): boolean {
    if (writtenLike !== undefined && !t.tx.hasWrittenLike(writtenLike)) return false;
    if (gates === undefined) return true;
    if (counts && t.removals.targetsOf(rule.definition) !== undefined) return true;
    // By index: the iterators of two loops for each of two hundred rules were two thirds of all that a request allocated.
    for (let i = 0; i < gates.length; i++) if (!this.#anyHit(gates[i])) return false;
    return true;
  }

  #anyHit(checks: readonly number[]): boolean {
    for (let i = 0; i < checks.length; i++) if (this.#hits[checks[i]] === this.#run) return true;
    return false;
  }

  /** From here on everything is run, and nothing of it was foreseen. */
  #goPlain(t: Transaction, phase: number, at: number): void {
    t.plain = true;
    this.program.writes.takeBack(t, phase, at);
  }

  /** A rule changed what was taken for granted: how bodies are read, or that a rule which was run beforehand runs at all. */
  #isUnforeseen(t: Transaction): boolean {
    return t.readingChangedIn > 1 || t.removals.hasAny(this.program.done);
  }
}
