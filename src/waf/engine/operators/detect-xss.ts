import { detectXss, xssTriggers } from '../detect-xss/detect-xss.ts';
import type { Match, OperatorFactory, PreparedOperator } from '../operator.ts';

/** Matches a value that would run script in a page; TX.0 is a short name of what was found. It takes no argument. */
export const detectXSS: OperatorFactory = () => DETECT_XSS;

const DETECT_XSS: PreparedOperator = {
  requirement: xssTriggers,
  judge(value: string, match: Match): boolean {
    const found = detectXss(value);
    if (found === undefined) return false;
    if (match.capturing) match.groups = [found];
    return true;
  },
};
