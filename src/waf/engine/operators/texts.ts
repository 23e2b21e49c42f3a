import type { OperatorFactory } from '../operator.ts';
import { textOperator } from './argument.ts';

/** Bytes compare as they are, with case. The empty text is in every other. */
export const beginsWith: OperatorFactory = textOperator((value, text) => value.startsWith(text), 'holds');
export const endsWith: OperatorFactory = textOperator((value, text) => value.endsWith(text), 'holds');
export const contains: OperatorFactory = textOperator((value, text) => value.includes(text), 'holds');
export const streq: OperatorFactory = textOperator((value, text) => value === text, 'holds');
/** The other way round: whether the value is in the text. */
export const within: OperatorFactory = textOperator((value, text) => text.includes(value));
