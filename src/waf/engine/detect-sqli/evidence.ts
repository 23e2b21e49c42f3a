/** What a reading has seen: bits. */
export const LOGICAL = 1;
/** A comparison of anything. */
export const COMPARED = 1 << 1;
/** A comparison whose sides the query's columns have no part in: always true or always false. */
export const CONSTANT_COMPARED = 1 << 2;
export const CALCULATED = 1 << 3;
export const CALLED = 1 << 4;
/** A second function of SQL's. */
export const CALLED_AGAIN = 1 << 5;
export const TOLD = 1 << 6;
export const DANGER = 1 << 7;
export const UNITED = 1 << 8;
/** `union select` with an item that can be nothing else. */
export const UNION_SELECTED = 1 << 9;
export const SELECTED = 1 << 10;
export const FROM_TABLE = 1 << 11;
export const WHERE_CLAUSE = 1 << 12;
export const ORDERED = 1 << 13;
export const ORDERED_BY_NUMBER = 1 << 14;
export const HAVING_CLAUSE = 1 << 15;
export const CASE_BEGUN = 1 << 16;
export const CASE_COMPLETE = 1 << 17;
export const VARIABLE_USED = 1 << 18;
export const GLOBAL_USED = 1 << 19;
export const INTO_FILE = 1 << 20;
export const STATEMENT_BEGUN = 1 << 21;
export const CATALOGUE_NAMED = 1 << 22;
/** An operand that is no string. */
export const BEYOND_STRINGS = 1 << 23;
/** A comma outside of all parentheses and clauses. */
export const LISTED = 1 << 24;
/** `select *`, or a function's result. */
export const STARRED = 1 << 25;
export const NEGATIVE = 1 << 26;
/** A comparison within a function's arguments: `if(1=1, …)`. */
export const COMPARED_INSIDE = 1 << 27;
export const PREFIXED = 1 << 28;
export const OPERATED_AGAIN = 1 << 29;
export const LIMITED = 1 << 30;
/** A name is an operand: a column, or a word of prose. */
export const NAMED_OPERAND = 1 << 31;

/** How a reading ended. */
export const BROKEN = 0;
export const COMPLETE = 1;
export const COMMENTED = 2;
/** In a string that the query's own quote closes. */
export const LEFT_OPEN = 3;

/** What the first operand is. */
export const LEAD_NONE = 0;
export const LEAD_NUMBER = 1;
export const LEAD_STRING = 2;
export const LEAD_VALUE = 3;
export const LEAD_NAME = 4;
/** One of SQL's functions, of those that programs have as well. */
export const LEAD_CALL = 5;
