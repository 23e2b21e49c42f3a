import type { OperatorFactory } from '../operator.ts';
import { numberOperator } from './argument.ts';

export const eq: OperatorFactory = numberOperator((value, than) => value === than);
export const ge: OperatorFactory = numberOperator((value, than) => value >= than);
export const gt: OperatorFactory = numberOperator((value, than) => value > than);
export const le: OperatorFactory = numberOperator((value, than) => value <= than);
export const lt: OperatorFactory = numberOperator((value, than) => value < than);
