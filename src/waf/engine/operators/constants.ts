import type { OperatorFactory, PreparedOperator } from '../operator.ts';

const ALWAYS: PreparedOperator = { judge: () => true };
const NEVER: PreparedOperator = { judge: () => false };

export const unconditionalMatch: OperatorFactory = () => ALWAYS;
export const noMatch: OperatorFactory = () => NEVER;
