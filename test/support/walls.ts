import path from 'node:path';
import type { SourceFile } from './sources.ts';

/** The folders of `src/` that are rooms of the corridor. `test/order.test.ts` holds this to `StageName`. */
export const ROOMS = [
  'listen',
  'route',
  'limit',
  'authenticate',
  'authorize',
  'validate',
  'waf',
  'translate',
  'compose',
  'upstream',
  'observe',
];

/** What a room may import besides its own folder. */
const GROUND = ['exchange', 'errors', 'stores', 'egress', 'config/units.ts', 'config/values.ts', 'config/hash.ts'];

/** Who puts rooms together; `audit` reads the options of all of them. */
const ASSEMBLERS = ['main.ts', 'cli', 'config', 'pipeline/order.ts', 'process', 'gateway', 'audit'];

/** Engines may become packages of their own one day: nothing of the house inside them. */
const ENGINES = ['src/waf/engine/', 'src/translate/grpc/', 'src/validate/openapi/'];

/** Files that may compile a regular expression from text that is not in the source, each with its reason. */
const REGEXP_ALLOWED: Record<string, string> = {};

export interface Import {
  /** As written: `./x.ts`, `node:net`, `zod`. */
  readonly specifier: string;
  /** Path from the repository's root for relative imports. */
  readonly file: string | undefined;
  /** True only for `import type` and `export type`: nothing is loaded when the program runs. */
  readonly typeOnly: boolean;
  /** `import()`: loaded when that line runs, if ever. */
  readonly dynamic: boolean;
  readonly line: number;
}

export interface Rule {
  readonly name: string;
  readonly reason: string;
  /** One line for each place where the rule is broken. */
  check(sources: readonly SourceFile[]): string[];
}

const FROM = /\b(import|export)\s+(type\s+(?!from\b))?(?:[\w$*\s{},]|\btype\b)*?\bfrom\s*(['"])([^'"]+)\3/g;
const BARE = /(?<!['"])\bimport\s*(\(?)\s*(['"])([^'"]+)\2/g;

/** Every import and re-export of a file, dynamic ones too, in source order. */
export function readImports(source: SourceFile): Import[] {
  const text = withoutComments(source.text);
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean, dynamic: boolean, index: number): void => {
    const file = specifier.startsWith('.') ? path.posix.join(path.posix.dirname(source.path), specifier) : undefined;
    found.push({ specifier, file, typeOnly, dynamic, line: text.slice(0, index).split('\n').length });
  };
  for (const match of text.matchAll(FROM)) add(match[4], match[2] !== undefined, false, match.index);
  for (const match of text.matchAll(BARE)) add(match[3], false, match[1] !== '', match.index);
  return found.sort((a, b) => a.line - b.line);
}

/** Blanks comments that stand on lines of their own and keeps every line where it was. */
function withoutComments(text: string): string {
  return text.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/^[ \t]*\/\/.*$/gm, '');
}

/** Blanks the insides of strings and the comments behind code too, which may hold what only looks like code. */
function codeOnly(text: string): string {
  const blank = withoutComments(text).replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\$\n]|\\.)*`/g, "''");
  return blank.replace(/ \/\/ .*$/gm, '');
}

const isTest = (file: string): boolean => file.endsWith('.test.ts') || file.includes('/testdata/');

/**
 * The part of the house that a file belongs to: its folder in `src/`, or itself where a single file has rules of its
 * own: units and hash stand below the rooms that use them, order above the rooms that it lists.
 */
const PARTS = ['config/units.ts', 'config/values.ts', 'config/hash.ts', 'pipeline/order.ts'];

export function partOf(file: string): string {
  const inside = file.replace(/^src\//, '');
  if (PARTS.includes(inside)) return inside;
  return inside.split('/')[0];
}

/** Applies `judge` to each import between different parts of the house; tests are free. */
function checkImports(sources: readonly SourceFile[], judge: (from: string, to: string, one: Import) => boolean): string[] {
  return sources
    .filter((source) => !isTest(source.path))
    .flatMap((source) =>
      readImports(source)
        .filter((one) => one.file?.startsWith('src/') && !judge(source.path, one.file, one))
        .map((one) => `${source.path}:${one.line} imports ${one.file}${one.typeOnly ? ' (types)' : ''}`),
    );
}

const isRoom = (part: string): boolean => ROOMS.includes(part);

const roomsKnowOnlyTheGround: Rule = {
  name: 'a room knows only its own folder and the ground',
  reason: `A room that reaches into another cannot be read, tested or replaced alone. What it needs of others is handed to it in
\`prepare\`. Rooms may import ${GROUND.join(', ')}, types of pipeline/ (\`import type\`), and their own folder.`,
  check: (sources) =>
    checkImports(sources, (from, to, one) => {
      const [here, there] = [partOf(from), partOf(to)];
      if (!isRoom(here) || here === there || GROUND.includes(there)) return true;
      return there === 'pipeline' && one.typeOnly;
    }),
};

const onlyAssemblersKnowRooms: Rule = {
  name: 'only who assembles knows the rooms',
  reason: `exchange/, errors/, stores/ and the rest lie below the rooms. Rooms are put together in ${ASSEMBLERS.join(', ')} and nowhere
else, so that there is one place to read what a request passes.`,
  check: (sources) =>
    checkImports(sources, (from, to) => {
      const [here, there] = [partOf(from), partOf(to)];
      return !isRoom(there) || here === there || isRoom(here) || ASSEMBLERS.includes(here);
    }),
};

const enginesStandAlone: Rule = {
  name: 'an engine imports nothing outside its folder',
  reason: 'Engines take parsed data in and give verdicts out, so that each can become a package one day.',
  check: (sources) =>
    checkImports(sources, (from, to) => {
      const engine = ENGINES.find((folder) => from.startsWith(folder));
      return engine === undefined || to.startsWith(engine);
    }),
};

const noCycles: Rule = {
  name: 'folders do not import one another in a circle',
  reason: 'Parts in a circle are one part. Types may go round (`import type`): they are gone when the program runs.',
  check: (sources) => {
    const edges = new Map<string, Map<string, string>>();
    for (const source of sources.filter(({ path: file }) => !isTest(file))) {
      for (const one of readImports(source)) {
        const [here, there] = [partOf(source.path), partOf(one.file ?? '')];
        if (one.typeOnly || !one.file?.startsWith('src/') || here === there) continue;
        const out = edges.get(here) ?? new Map<string, string>();
        edges.set(here, out.set(there, `${source.path}:${one.line}`));
      }
    }
    return [...edges.keys()].flatMap((start) => {
      const circle = findCircle(edges, start);
      if (circle === undefined || circle.toSorted()[0] !== start) return [];
      return [
        circle.map((part, i) => `${part} → (${edges.get(part)?.get(circle[(i + 1) % circle.length])})`).join(' ') + ` ${start}`,
      ];
    });
  },
};

/** The shortest way from `start` back to itself. */
function findCircle(edges: Map<string, Map<string, string>>, start: string): string[] | undefined {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const next of edges.get(way[way.length - 1])?.keys() ?? []) {
      if (next === start) return way;
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}

const productImportsProduct: Rule = {
  name: 'the product imports only itself',
  reason: 'What is installed is src/ alone: no code of test/, bench/ or scripts/ may be needed to run it.',
  check: (sources) =>
    sources
      .filter((source) => !isTest(source.path))
      .flatMap((source) =>
        readImports(source)
          .filter((one) => one.file !== undefined && !one.file.startsWith('src/') && one.file !== 'package.json')
          .map((one) => `${source.path}:${one.line} imports ${one.file}`),
      ),
};

/** Product code imports packages that package.json installs for users; types may come from development packages. */
export function packagesAreDependencies(dependencies: readonly string[]): Rule {
  return {
    name: 'every package that the product imports is a dependency',
    reason: 'Users install without development packages; an import of one works here and breaks there.',
    check: (sources) =>
      sources
        .filter((source) => !isTest(source.path))
        .flatMap((source) =>
          readImports(source)
            .filter((one) => one.file === undefined && !one.typeOnly && !one.specifier.startsWith('node:'))
            .filter((one) => !dependencies.includes(packageName(one.specifier)))
            .map((one) => `${source.path}:${one.line} imports ${one.specifier}`),
        ),
  };
}

const packageName = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** A rule about what stands in the code itself, line by line. */
function forbids(name: string, reason: string, pattern: RegExp, allowed: (file: string) => boolean): Rule {
  return {
    name,
    reason,
    check: (sources) =>
      sources
        .filter((source) => !allowed(source.path))
        .flatMap((source) =>
          codeOnly(source.text)
            .split('\n')
            .flatMap((line, index) => (pattern.test(line) ? [`${source.path}:${index + 1}: ${line.trim()}`] : [])),
        ),
  };
}

export const rules: readonly Rule[] = [
  roomsKnowOnlyTheGround,
  onlyAssemblersKnowRooms,
  enginesStandAlone,
  noCycles,
  productImportsProduct,
  forbids(
    'no regular expression made from text',
    `V8 backtracks: a pattern that an operator or a client brings can freeze the process. Write a literal that is linear, or add the
file to the list in test/support/walls.ts with the reason why its patterns are safe.`,
    /\bnew RegExp\(|[=(,:] ?RegExp\(/,
    (file) => isTest(file) || file in REGEXP_ALLOWED,
  ),
  forbids(
    'no default export',
    'One name for one thing, here and where it is imported.',
    /^export default\b|\bas default\b/,
    () => false,
  ),
  forbids(
    'no any',
    '`any` switches the type checker off for all that it touches. `unknown` says the same and keeps it on.',
    /(?::|\bas|<|,)\s*any\s*(?:[,;)>=[\]|&{}]|$)/,
    () => false,
  ),
];
