import { anyLiteral, byteIn, literal, type Requirement } from '../fast/requirement.ts';

const SIGNS = '"\'`(<=>;#@\\';

/**
 * What a value cannot be found without: a sign, the beginning or end of a comment, or words that make SQL without any of them
 * (`1 union select a`). A filter may pass over every other value.
 */
export const sqliTriggers: Requirement = {
  kind: 'any',
  of: [
    byteIn(SIGNS),
    anyLiteral(['--', '/*', '*/', '||', '&&', 'union', 'intersect', 'except', 'outfile', 'dumpfile', 'having', 'xp_', 'sp_']),
    words('case', 'when', 'then'),
    words('select', 'from'),
    words('from', 'where'),
    words('order', 'by'),
    words('group', 'by'),
    words('insert', 'into'),
    words('delete', 'from'),
    words('declare', 'cursor'),
    words('load', 'infile'),
    both(anyLiteral(['drop', 'alter', 'create', 'truncate']), anyLiteral(['table', 'database', 'view', 'schema', 'user'])),
    both(anyLiteral(['like', 'glob', 'similar', 'regexp', 'between']), anyLiteral(['and', 'or'])),
    both(anyLiteral(['null', 'true', 'false', 'unknown']), literal('is')),
  ],
};

function words(...texts: readonly string[]): Requirement {
  return { kind: 'all', of: texts.map(literal) };
}

function both(a: Requirement, b: Requirement): Requirement {
  return { kind: 'all', of: [a, b] };
}
