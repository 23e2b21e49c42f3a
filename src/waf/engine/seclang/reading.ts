import { PatternCache } from '../regex/compile.ts';
import { PatternError } from '../regex/node.ts';
import type { OperatorUse, Place, RuleProblem } from '../rule-set.ts';
import type { CompiledPattern } from '../regex/compile.ts';
import type { Report } from './report.ts';
import type { Span } from './span.ts';

/** What a reader of rules asks of the world outside: it opens no file itself. */
export interface RuleWorld {
  /** The text of a file as a byte string; undefined: it cannot be read. `from` is the file that names it. */
  readFile(file: string, from: string): string | undefined;
  /** Paths that a pattern with `*` names, in their order, taken from the folder of the file that asks. */
  list(pattern: string, from: string): readonly string[];
  /** Names in lower case to how they are spelt. */
  readonly operators: ReadonlyMap<string, string>;
  readonly transformations: ReadonlyMap<string, string>;
  /** Operators of the language that there are not, in lower case, and why. */
  readonly unsupportedOperators?: ReadonlyMap<string, string>;
  /** Whether an operator can take its argument. */
  checkOperator?(use: OperatorUse, place: Place): RuleProblem | undefined;
}

/** One reading of rule files: what all its parts need. */
export class Reading {
  readonly world: RuleWorld;
  readonly report: Report;
  /** Files of rules and of their data: whoever watches for changes watches these. */
  readonly files = new Set<string>();
  readonly #patterns = new PatternCache();

  constructor(world: RuleWorld, report: Report) {
    this.world = world;
    this.report = report;
  }

  /** A pattern that selects names, tags or messages; undefined where it is wrong, which is reported. */
  pattern(written: Span, prefix = ''): CompiledPattern | undefined {
    try {
      return this.#patterns.compile(prefix + written.text);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      const at = Math.min(Math.max(error.offset - prefix.length, 0), written.text.length);
      return this.report.refuse(written.place(at), error.message, error.hint);
    }
  }
}
