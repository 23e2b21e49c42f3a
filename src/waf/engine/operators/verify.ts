import { type Match, type OperatorFactory, type PreparedOperator, RuleError } from '../operator.ts';
import type { CompiledPattern } from '../regex/compile.ts';
import type { PatternNode } from '../regex/node.ts';
import { isCardNumber, isCpf, isSsn, isSvnr } from './check-digits.ts';
import { patternOf } from './rx.ts';

/** The argument is a pattern that finds what may be a number; those match that their check digits prove. */
export const verifyCC: OperatorFactory = verifier(isCardNumber);
export const verifyCPF: OperatorFactory = verifier(isCpf);
export const verifySSN: OperatorFactory = verifier(isSsn);
export const verifySVNR: OperatorFactory = verifier(isSvnr);

/** Numbers are short. A pattern for longer ones could read all of a value for each candidate. */
const LONGEST = 256;
/**
 * Candidates may overlap (a digit more in front hides no number), so the search goes on one byte behind where the last one began. When so
 * many bytes per byte of the value have been read, it goes on behind the last one instead: the cost stays linear.
 */
const MOST_READ = 64;

function verifier(proves: (candidate: string) => boolean): OperatorFactory {
  return (argument, world) => {
    const pattern = patternOf(argument, world);
    const longest = longestMatch(pattern.node);
    if (longest > LONGEST) {
      throw new RuleError(
        `the pattern can match more than ${LONGEST} bytes`,
        'give its repetitions an upper bound, as in \\d{13,16}',
      );
    }
    return new Verifier(pattern, longest, proves);
  };
}

class Verifier implements PreparedOperator {
  readonly #pattern: CompiledPattern;
  readonly #longest: number;
  readonly #proves: (candidate: string) => boolean;

  constructor(pattern: CompiledPattern, longest: number, proves: (candidate: string) => boolean) {
    this.#pattern = pattern;
    this.#longest = longest;
    this.#proves = proves;
  }

  judge(value: string, match: Match): boolean {
    if (!this.#pattern.test(value)) return false;
    let left = MOST_READ * value.length;
    for (let from = 0; from <= value.length; ) {
      const places = this.#pattern.execAt(value, from);
      if (places === undefined) return false;
      const [start, end] = places;
      const candidate = value.slice(start, end);
      if (this.#proves(candidate)) {
        if (match.capturing) match.groups = [candidate];
        return true;
      }
      left -= this.#longest;
      from = left > 0 ? start + 1 : Math.max(end, start + 1);
    }
    return false;
  }
}

/** Bytes of the longest match, Infinity where there is no bound. */
function longestMatch(node: PatternNode): number {
  switch (node.kind) {
    case 'empty':
    case 'assert':
      return 0;
    case 'set':
      return 1;
    case 'concat':
      return node.parts.reduce((sum, part) => sum + longestMatch(part), 0);
    case 'alternate':
      return Math.max(...node.options.map(longestMatch));
    case 'repeat': {
      const body = longestMatch(node.body);
      return body === 0 ? 0 : body * node.max;
    }
    case 'capture':
      return longestMatch(node.body);
  }
}
