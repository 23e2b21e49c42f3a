import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { DocumentProblem } from './contract.ts';
import { findJsonError } from './json-error.ts';
import { countMembers, findDoubled, findInJson } from './json-text.ts';

/** A file that was read: its value, and where things stand in it. */
export interface Source {
  readonly file: string;
  readonly value: unknown;
  /** The place of what the tokens lead to, or of the nearest thing around it. A collection stands where its name stands. */
  place(tokens: readonly string[], at?: 'key' | 'value'): Place;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Parsed {
  readonly source: Source | undefined;
  readonly problems: readonly DocumentProblem[];
}

/** Deeper documents have no use, and walking them would need a stack without bound. */
const MAX_DEPTH = 200;
const TOO_DEEP = `nested more than ${MAX_DEPTH} deep`;
const START: Place = { line: 1, column: 1 };

/** Reads YAML 1.2 or JSON. */
export function parseSource(file: string, text: string): Parsed {
  if (!text.trimStart().startsWith('{')) return parseYaml(file, text);
  try {
    return readJson(file, text, JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Flow style of YAML looks like JSON; what calls itself JSON must be it.
    return file.endsWith('.json') ? broken([syntaxProblem(file, text)]) : parseYaml(file, text);
  }
}

const broken = (problems: DocumentProblem[]): Parsed => ({ source: undefined, problems });

const problem = (file: string, place: Place, message: string): DocumentProblem => ({
  file,
  ...place,
  message,
  severity: 'error',
});

function syntaxProblem(file: string, text: string): DocumentProblem {
  const { offset, wanted } = findJsonError(text);
  return problem(file, new Lines(text).place(offset), `not JSON: ${wanted} must stand here`);
}

class Lines {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  place(offset: number): Place {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - this.#starts[low] + 1 };
  }
}

function readJson(file: string, text: string, value: unknown): Parsed {
  let lines: Lines | undefined;
  const at = (offset: number) => {
    lines ??= new Lines(text);
    return lines.place(offset);
  };
  const { members, deep } = measure(value);
  if (deep) return broken([problem(file, START, TOO_DEEP)]);
  const doubled = members === countMembers(text) ? [] : findDoubled(text);
  const place = (tokens: readonly string[], of?: 'key' | 'value') => {
    const found = findInJson(text, tokens);
    return at(of === 'key' || text[found.value] === '{' || text[found.value] === '[' ? found.key : found.value);
  };
  return {
    source: { file, value, place },
    problems: doubled.map(({ name, offset }) => problem(file, at(offset), `${JSON.stringify(name)} is written twice`)),
  };
}

/** Members of all mappings, and whether it is too deep. Aliases count as often as they are used. */
function measure(value: unknown): { readonly members: number; readonly deep: boolean } {
  let members = 0;
  const waiting: [unknown, number][] = [[value, 0]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [one, depth] = next;
    if (typeof one !== 'object' || one === null) continue;
    if (depth > MAX_DEPTH) return { members, deep: true };
    const children = Object.values(one);
    if (!Array.isArray(one)) members += children.length;
    for (const child of children) if (typeof child === 'object') waiting.push([child, depth + 1]);
  }
  return { members, deep: false };
}

function parseYaml(file: string, text: string): Parsed {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      schema: 'core',
      merge: true,
      uniqueKeys: true,
      prettyErrors: false,
    });
    if (document.errors.length > 0)
      return broken(document.errors.map((error) => problem(file, at(error.pos[0]), sentence(error.message))));
    // Aliases are counted as they unfold: a few lines of them can stand for gigabytes.
    const value: unknown = document.toJS({ maxAliasCount: 1000 });
    if (measure(value).deep) return broken([problem(file, START, TOO_DEEP)]);
    return { source: { file, value, place: (tokens, of) => at(offsetInYaml(document, tokens, of)) }, problems: [] };
  } catch (error) {
    if (error instanceof RangeError) return broken([problem(file, START, TOO_DEEP)]);
    if (error instanceof ReferenceError) return broken([problem(file, START, sentence(error.message))]);
    throw error;
  }
}

const sentence = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1);

/** A key as a name: `200:` is the member "200". */
const nameOf = (key: unknown): string => (typeof key === 'string' ? key : key === null ? '' : JSON.stringify(key));

function offsetInYaml(document: Document.Parsed, tokens: readonly string[], of: 'key' | 'value' | undefined): number {
  let node: Node | null | undefined = document.contents;
  let key = node?.range?.[0] ?? 0;
  for (const token of tokens) {
    if (isAlias(node)) node = node.resolve(document);
    const pair = isMap(node) ? node.items.find((one) => isScalar(one.key) && nameOf(one.key.value) === token) : undefined;
    const next = (isSeq(node) ? node.items[Number(token)] : pair?.value) as Node | null | undefined;
    if (pair === undefined && next === undefined) return key;
    key = ((pair?.key ?? next) as Node | undefined)?.range?.[0] ?? key;
    node = next;
  }
  return isScalar(node) && of !== 'key' ? (node.range?.[0] ?? key) : key;
}
