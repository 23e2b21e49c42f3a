import type { OperatorFactory } from '../operator.ts';
import { textOperator } from './argument.ts';

/** Bytes compare as they are, with case. The empty text is in every other. */
export const beginsWith: OperatorFactory = textOperator((value, text) => value.startsWith(text));
export const endsWith: OperatorFactory = textOperator((value, text) => value.endsWith(text));
export const contains: OperatorFactory = textOperator((value, text) => value.includes(text));
export const streq: OperatorFactory = textOperator((value, text) => value === text);
/** The other way round: whether the value is in the text. */
export const within: OperatorFactory = textOperator((value, text) => text.includes(value));
