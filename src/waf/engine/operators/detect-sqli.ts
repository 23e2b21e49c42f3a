import { detectSqli, sqliTriggers } from '../detect-sqli/detect-sqli.ts';
import type { Match, OperatorFactory, PreparedOperator } from '../operator.ts';

/** Matches a value that injects SQL; TX.0 is a short name of what was found. It takes no argument. */
export const detectSQLi: OperatorFactory = () => DETECT_SQLI;

const DETECT_SQLI: PreparedOperator = {
  requirement: sqliTriggers,
  judge(value: string, match: Match): boolean {
    const found = detectSqli(value);
    if (found === undefined) return false;
    if (match.capturing) match.groups = [found];
    return true;
  },
};
