import { anyLiteral, type Requirement } from '../fast/requirement.ts';
import type { Match, OperatorFactory, PreparedOperator } from '../operator.ts';
import { fixedText } from './argument.ts';
import { PhraseAutomaton } from './phrase-automaton.ts';

/** Snort's notation for bytes: `|0d 0a|`. */
const HEX_BYTES = /\|((?: *[0-9a-f]{2})+) *\|/gi;

/** Phrases apart by white space, any of which is in the value, without case. */
export const pm: OperatorFactory = (argument) => new Phrases(phrasesOf(fixedText(argument)));

/** The same with the phrases in a file, one a line. */
export const pmFromFile: OperatorFactory = (argument, world) => {
  const names = fixedText(argument).split(/\s+/).filter(Boolean);
  return new Phrases(names.flatMap((name) => world.readLines(name)));
};

class Phrases implements PreparedOperator {
  readonly #phrases: readonly string[];
  readonly #automaton: PhraseAutomaton;
  readonly requirement: Requirement;

  constructor(phrases: readonly string[]) {
    this.#phrases = phrases;
    this.requirement = anyLiteral(phrases);
    this.#automaton = new PhraseAutomaton(phrases);
  }

  judge(value: string, match: Match): boolean {
    const found = this.#automaton.find(value);
    if (found < 0) return false;
    if (match.capturing) match.groups = [this.#phrases[found]];
    return true;
  }
}

/** White space between the bars parts no phrases, nor does a space that they spell. */
function phrasesOf(text: string): string[] {
  const bytes: string[] = [];
  const marked = text.replace(HEX_BYTES, (_, digits: string) => {
    bytes.push(Buffer.from(digits.replaceAll(' ', ''), 'hex').toString('latin1'));
    // Byte strings end at U+00FF, so this stands for nothing else.
    return '\u0100';
  });
  let next = 0;
  return marked
    .split(/[\t-\r ]+/)
    .filter(Boolean)
    .map((phrase) => phrase.replace(/\u0100/g, () => bytes[next++]));
}
