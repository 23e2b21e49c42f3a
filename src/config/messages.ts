import { nearest } from './suggest.ts';

/** What zod says is wrong, raw or finished, read loosely: every code has members of its own. */
export interface Issue {
  readonly code?: string | undefined;
  readonly input?: unknown;
  readonly [member: string]: unknown;
}

const TYPE_NAMES: Record<string, string> = {
  object: 'a mapping',
  record: 'a mapping',
  map: 'a mapping',
  array: 'a list',
  tuple: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'nothing',
};

/** How to write what was expected, for those who wrote a single value instead. */
const HOW: Record<string, string> = { 'a mapping': ', such as { key: value }', 'a list': ': write it in [ ]' };

/** The message of one issue where the schema has none of its own. Never holds the value that was found. */
export function issueMessage(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return expected(typeName(issue.expected as string), issue.input);
    case 'invalid_value':
      return expected(orList(quoted(issue.values as readonly unknown[])), issue.input);
    case 'too_small':
      return boundMessage(issue.origin as string, 'least', Number(issue.minimum), issue.inclusive !== false);
    case 'too_big':
      return boundMessage(issue.origin as string, 'most', Number(issue.maximum), issue.inclusive !== false);
    case 'invalid_format':
      return formatMessage(issue);
    case 'invalid_union':
      return unionMessage(issue);
    case 'unrecognized_keys':
      return `unknown key ${(issue.keys as string[]).map((key) => JSON.stringify(key)).join(', ')}`;
    default:
      return 'not a valid value';
  }
}

/** For a word that must be one of a few: the nearest of these. */
export function wordHint(issue: Issue): string | undefined {
  const truth = truthMeant(issue);
  if (truth !== undefined) return `did you mean ${truth}?`;
  const candidates = allowedWords(issue);
  if (typeof issue.input === 'number' && candidates.includes(`${issue.input}`)) return `write it in quotes: "${issue.input}"`;
  const found = typeof issue.input === 'string' ? nearest(issue.input, candidates) : undefined;
  return found === undefined ? undefined : didYouMean(found);
}

const TRUTH: Record<string, boolean> = { yes: true, on: true, no: false, off: false };

/** The words of older YAML, where a truth value may stand. */
function truthMeant(issue: Issue): boolean | undefined {
  const branches = issue.code === 'invalid_union' ? (issue.errors as Issue[][]).map(([first]) => first) : [issue];
  const wanted = branches.some((branch) => branch?.code === 'invalid_type' && branch.expected === 'boolean');
  const word = typeof issue.input === 'string' ? issue.input.toLowerCase() : '';
  return wanted && Object.hasOwn(TRUTH, word) ? TRUTH[word] : undefined;
}

export function didYouMean(word: string): string {
  return `did you mean ${JSON.stringify(word)}?`;
}

function allowedWords(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return (issue.values as readonly unknown[]).filter((value) => typeof value === 'string');
  if (issue.code === 'invalid_union') return (issue.errors as Issue[][]).flat().flatMap(allowedWords);
  return [];
}

function unionMessage(issue: Issue): string {
  const branches = issue.errors as Issue[][];
  const forms = branches.flatMap(([first]) => {
    if (first?.code === 'invalid_type')
      return first.expected === 'boolean' ? ['true', 'false'] : [typeName(first.expected as string)];
    return first?.code === 'invalid_value' ? quoted(first.values as readonly unknown[]) : [];
  });
  const known = [...new Set(forms)];
  return known.length === 0 ? 'not a valid value' : expected(orList(known), issue.input);
}

function expected(what: string, found: unknown): string {
  if (found === null) return `has no value: expected ${what}`;
  const kind = Array.isArray(found) ? 'array' : typeof found;
  const name = typeName(kind);
  // "not text" would say nothing: every word of the file is text.
  return kind === 'undefined' || kind === 'string' || kind === 'number'
    ? `expected ${what}${HOW[what] ?? ''}`
    : `expected ${what}, not ${typeof found === 'boolean' ? `${found}` : name}`;
}

function boundMessage(origin: string, side: 'least' | 'most', bound: number, inclusive: boolean): string {
  const counted = origin === 'string' ? 'character' : 'entry';
  if (origin === 'number' || origin === 'int')
    return inclusive ? `must be at ${side} ${bound}` : `must be ${side === 'least' ? 'more' : 'less'} than ${bound}`;
  if (side === 'least' && bound === 1) return origin === 'string' ? 'must not be empty' : 'needs at least one entry';
  return `needs at ${side} ${bound} ${bound === 1 ? counted : counted.replace(/y$/, 'ie').concat('s')}`;
}

function formatMessage(issue: Issue): string {
  if (issue.format === 'starts_with') return `must begin with ${JSON.stringify(issue.prefix)}`;
  if (issue.format === 'safeint') return 'expected a whole number';
  return issue.format === 'regex' ? 'does not have the right form' : `is not a valid ${String(issue.format)}`;
}

function typeName(type: string): string {
  return TYPE_NAMES[type] ?? type;
}

function quoted(values: readonly unknown[]): string[] {
  return values.map((value) => JSON.stringify(value));
}

function orList(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items[items.length - 1]}`;
}
