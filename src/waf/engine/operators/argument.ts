import { ANYTHING, literal, type Requirement } from '../fast/requirement.ts';
import { type Match, type OperatorFactory, type PreparedOperator, RuleError } from '../operator.ts';
import type { Macro } from '../rule-set.ts';

/** The text of an argument that holds no references; undefined where it is known only in a transaction. */
export function constantText({ parts }: Macro): string | undefined {
  return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined;
}

/** The text of an argument that is worked up when rules load and so cannot hold references. */
export function fixedText(argument: Macro): string {
  const text = constantText(argument);
  if (text === undefined) throw new RuleError('this operator takes no %{…} in its argument', 'write the text itself');
  return text;
}

/** An operator that compares a value with a text. `holds`: a value that matches holds the text. */
export function textOperator(compare: (value: string, text: string) => boolean, holds?: 'holds'): OperatorFactory {
  return (argument) => {
    const text = constantText(argument);
    return text === undefined
      ? new WithMacro(argument, compare)
      : new WithText(text, compare, holds === undefined || text === '' ? ANYTHING : literal(text));
  };
}

/** An operator that compares numbers. */
export function numberOperator(compare: (value: number, than: number) => boolean): OperatorFactory {
  return (argument) => {
    const text = constantText(argument);
    if (text !== undefined) return new WithNumber(toNumber(text), compare);
    return new WithMacro(argument, (value, expanded) => compare(toNumber(value), toNumber(expanded)));
  };
}

class WithText implements PreparedOperator {
  readonly #text: string;
  readonly #compare: (value: string, text: string) => boolean;
  readonly requirement: Requirement;

  constructor(text: string, compare: (value: string, text: string) => boolean, requirement: Requirement) {
    this.requirement = requirement;
    this.#text = text;
    this.#compare = compare;
  }
  judge(value: string): boolean {
    return this.#compare(value, this.#text);
  }
}

class WithMacro implements PreparedOperator {
  readonly #argument: Macro;
  readonly #compare: (value: string, text: string) => boolean;
  constructor(argument: Macro, compare: (value: string, text: string) => boolean) {
    this.#argument = argument;
    this.#compare = compare;
  }
  judge(value: string, match: Match): boolean {
    return this.#compare(value, match.expand(this.#argument));
  }
}

class WithNumber implements PreparedOperator {
  readonly #than: number;
  readonly #compare: (value: number, than: number) => boolean;
  constructor(than: number, compare: (value: number, than: number) => boolean) {
    this.#than = than;
    this.#compare = compare;
  }
  judge(value: string): boolean {
    return this.#compare(toNumber(value), this.#than);
  }
}

/** What C's atoi reads: white space, a sign, digits up to the first other byte; nothing is 0. A long number stays long. */
export function toNumber(text: string): number {
  let i = 0;
  while (isSpace(text.charCodeAt(i))) i++;
  const sign = text.charCodeAt(i);
  if (sign === 0x2d || sign === 0x2b) i++;
  let number = 0;
  for (; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
  }
  // No negative zero: it would not be the same as zero for everyone.
  return sign === 0x2d ? 0 - number : number;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
