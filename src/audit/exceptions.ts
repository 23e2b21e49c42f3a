import type { Acceptance } from '../config/audit-options.ts';
import { didYouMean } from '../config/messages.ts';
import { nearest } from '../config/suggest.ts';
import { type Check, open, type Verdict } from './model.ts';

const DAY = 86_400_000;
const KINDS = ['route', 'listener', 'service', 'authentication', 'limit'] as const;

/** The exceptions of a configuration, and which of them were of use. */
export class Exceptions {
  readonly #list: readonly Acceptance[];
  readonly #now: number;
  /** What each exception names and what it has accepted: an exception for two routes must be of use for both. */
  readonly #used = new Set<string>();

  constructor(list: readonly Acceptance[], now: number) {
    this.#list = list;
    this.#now = now;
  }

  /** The exception that is for this finding; undefined: it stays open. */
  find(check: string, verdict: Verdict): Acceptance | undefined {
    for (const [index, one] of this.#list.entries()) {
      if (one.check !== check || !matches(one, verdict)) continue;
      this.#used.add(`${index} ${verdict.subject.kind === 'section' ? '' : verdict.subject.name}`);
      if (!isOver(one, this.#now)) return one;
    }
    return undefined;
  }

  /** What is wrong with the exceptions themselves; to be asked when all findings have been. */
  *problems(names: readonly string[]): Iterable<Verdict> {
    for (const [index, one] of this.#list.entries()) {
      const subject = { kind: 'section', name: 'audit.accept', path: ['audit', 'accept', index] } as const;
      const problem = this.#problem(one, index, names);
      yield { subject, ...(problem ?? { ok: true, at: [], says: `accepts ${one.check}` }) };
    }
  }

  #problem(one: Acceptance, index: number, names: readonly string[]) {
    if (!names.includes(one.check)) {
      const near = nearest(one.check, names);
      return open(`there is no check ${one.check}${near === undefined ? '' : ` (${didYouMean(near)})`}`, ['check']);
    }
    if (one.check === EXCEPTIONS) return open('an exception cannot accept what is wrong with exceptions', ['check']);
    if (isOver(one, this.#now))
      return open(`ended on ${one.until}`, ['until'], 'mend what it accepted, or decide anew until when');
    const kind = KINDS.find((key) => one[key] !== undefined);
    const wanted = kind === undefined ? [''] : (one[kind] ?? []);
    const idle = wanted.find((name) => !this.#used.has(`${index} ${name}`));
    if (idle === undefined) return undefined;
    const what = kind === undefined ? 'nothing in the file as a whole' : `nothing about ${kind} ${idle}`;
    return open(`accepts nothing: ${one.check} finds ${what}`, kind === undefined ? [] : [kind]);
  }
}

function matches(one: Acceptance, { subject }: Verdict): boolean {
  const kind = KINDS.find((key) => one[key] !== undefined);
  // An exception that names nothing must not cover routes that are written tomorrow.
  if (kind === undefined) return subject.kind === 'section';
  if (subject.kind !== kind || one[kind]?.includes(subject.name) !== true) return false;
  return one.methods === undefined || sameSet(one.methods, subject.methods ?? []);
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).size === new Set(b).size && a.every((one) => b.includes(one));
}

/** The last day counts to its end, in UTC. */
function isOver({ until }: Acceptance, now: number): boolean {
  return until !== undefined && now >= Date.parse(until) + DAY;
}

const EXCEPTIONS = 'exceptions';

/** Judged by {@link Exceptions.problems} when all others have been. */
export const exceptionsCheck: Check = {
  name: EXCEPTIONS,
  title: 'Every exception is for something, and still counts',
  heading: 'admin',
  owasp: ['API9'],
  why: 'An exception that nothing needs any more waits for something new to hide.',
  fix: 'take the exception away',
  applies: 'entries of `audit.accept`',
  judge: () => [],
};
