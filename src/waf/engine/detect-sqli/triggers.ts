import { anyLiteral, bytesOf, literal, type Requirement } from '../fast/requirement.ts';

const SIGNS = '"\'`(<=>;#@\\';

/**
 * What a value cannot be found without: a sign, the beginning or end of a comment, or words that make SQL without any of them
 * (`1 union select a`). A filter may pass over every other value.
 */
export const sqliTriggers: Requirement = {
  kind: 'any',
  of: [
    bytesOf(Uint8Array.from({ length: 256 }, (_, byte) => Number(SIGNS.includes(String.fromCharCode(byte))))),
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

/** Whether a value meets a requirement, plainly. */
export function meets(value: string, requirement: Requirement): boolean {
  return holds(value, value.toLowerCase(), requirement);
}

function holds(value: string, lower: string, requirement: Requirement): boolean {
  switch (requirement.kind) {
    case 'anything':
      return true;
    case 'nothing':
      return false;
    case 'literal':
      return lower.includes(requirement.text);
    case 'bytes':
      return holdsByte(value, requirement.set);
    case 'all':
      return requirement.of.every((part) => holds(value, lower, part));
    case 'any':
      return requirement.of.some((part) => holds(value, lower, part));
  }
}

function holdsByte(value: string, set: Uint32Array): boolean {
  for (let i = 0; i < value.length; i++) {
    const byte = value.charCodeAt(i);
    if (((set[byte >>> 5] >>> (byte & 31)) & 1) === 1) return true;
  }
  return false;
}
