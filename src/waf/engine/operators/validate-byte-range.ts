import { bytesOf, type Requirement } from '../fast/requirement.ts';
import { type OperatorFactory, type PreparedOperator, RuleError } from '../operator.ts';
import { fixedText } from './argument.ts';

const RANGE = /^(\d{1,3})(?:-(\d{1,3}))?$/;

/** Matches a value that holds a byte outside the ranges. */
export const validateByteRange: OperatorFactory = (argument) => new ByteRange(tableOf(fixedText(argument)));

class ByteRange implements PreparedOperator {
  readonly #allowed: Uint8Array;
  readonly requirement: Requirement;

  constructor(allowed: Uint8Array) {
    this.#allowed = allowed;
    this.requirement = bytesOf(allowed.map((is) => 1 - is));
  }
  judge(value: string): boolean {
    const allowed = this.#allowed;
    for (let i = 0; i < value.length; i++) if (allowed[value.charCodeAt(i)] === 0) return true;
    return false;
  }
}

function tableOf(text: string): Uint8Array {
  const allowed = new Uint8Array(256);
  for (const part of text.split(',')) {
    const [from, to] = rangeOf(part.trim());
    allowed.fill(1, from, to + 1);
  }
  return allowed;
}

function rangeOf(text: string): [number, number] {
  const found = RANGE.exec(text);
  const from = Number(found?.[1]);
  const to = Number(found?.[2] ?? found?.[1]);
  if (found === null || from > to || to > 255) {
    throw new RuleError(`'${text}' is no range of bytes`, 'write numbers from 0 to 255 and ranges of them, as in 9,10,32-126');
  }
  return [from, to];
}
