/**
 * The walls of the house: who may import whom in `src/`, and what no source file may hold. The rules stand in
 * `support/walls.ts`; here they are applied to the source, and first to examples that must break them.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { readSources, readText, type SourceFile } from './support/sources.ts';
import { packagesAreDependencies, readImports, rules } from './support/walls.ts';

const { dependencies } = JSON.parse(readText('package.json')) as { dependencies: Record<string, string> };
const allRules = [...rules, packagesAreDependencies(Object.keys(dependencies))];

const sources = readSources('src');

for (const rule of allRules) {
  test(`wall: ${rule.name}`, () => {
    const broken = rule.check(sources);
    assert.equal(broken.length, 0, `\n${rule.reason}\n  ${broken.join('\n  ')}\n`);
  });
}

const files = (texts: Record<string, string>): SourceFile[] => Object.entries(texts).map(([path, text]) => ({ path, text }));

/** Which rules small examples break, by a word of the rule's name; `''` must pass. */
const examples: [string, Record<string, string>][] = [
  ['a room knows', { 'src/route/a.ts': "import { x } from '../limit/b.ts';" }],
  ['a room knows', { 'src/route/a.ts': "import type { X } from '../limit/b.ts';" }],
  ['a room knows', { 'src/route/deep/a.ts': "export {\n  x,\n  type Y,\n} from '../../limit/b.ts';" }],
  ['a room knows', { 'src/route/a.ts': "const b = await import('../limit/b.ts');" }],
  ['a room knows', { 'src/route/a.ts': "import '../limit/b.ts';" }],
  ['a room knows', { 'src/route/a.ts': "import { run } from '../pipeline/run.ts';" }],
  ['a room knows', { 'src/route/a.ts': "import { type Stage } from '../pipeline/stage.ts';" }],
  ['a room knows', { 'src/route/a.ts': "import { load } from '../config/load.ts';" }],
  ['', { 'src/route/a.ts': "import type { Stage } from '../pipeline/stage.ts';\nimport { size } from '../config/units.ts';" }],
  ['', { 'src/route/a.ts': "import { refuse } from '../exchange/decision.ts';\nimport { b } from './deep/b.ts';" }],
  ['', { 'src/route/a.test.ts': "import { x } from '../limit/b.ts';" }],
  ['', { 'src/route/a.ts': "// import { x } from '../limit/b.ts';\n/*\n import { x } from '../limit/b.ts';\n*/" }],
  ['only who assembles', { 'src/exchange/a.ts': "import type { X } from '../waf/stage.ts';" }],
  ['only who assembles', { 'src/pipeline/run.ts': "import { stage } from '../waf/stage.ts';" }],
  ['', { 'src/pipeline/order.ts': "import { stage } from '../waf/stage.ts';", 'src/cli/start.ts': "import '../waf/stage.ts';" }],
  ['an engine', { 'src/waf/engine/a.ts': "import { x } from '../options.ts';" }],
  ['', { 'src/waf/engine/a.ts': "import { x } from './operators/b.ts';" }],
  [
    'circle',
    { 'src/stores/a.ts': "import { x } from '../egress/b.ts';", 'src/egress/b.ts': "import { y } from '../stores/a.ts';" },
  ],
  [
    '',
    { 'src/stores/a.ts': "import type { X } from '../egress/b.ts';", 'src/egress/b.ts': "import { y } from '../stores/a.ts';" },
  ],
  [
    '',
    {
      'src/config/schema.ts': "import { o } from '../route/options.ts';",
      'src/route/options.ts': "import { s } from '../config/units.ts';",
    },
  ],
  ['imports only itself', { 'src/cli/a.ts': "import { x } from '../../test/support/raw.ts';" }],
  ['is a dependency', { 'src/cli/a.ts': "import fc from 'fast-check';" }],
  ['is a dependency', { 'src/cli/a.ts': "import x from '@scope/name/deep';" }],
  ['', { 'src/cli/a.ts': "import { parse } from 'yaml';\nimport net from 'node:net';\nimport type { X } from 'fast-check';" }],
  ['made from text', { 'src/route/a.ts': 'const r = new RegExp(text);' }],
  ['', { 'src/route/a.ts': "const r = /a/;\nconst s = 'new RegExp(';\n// new RegExp(\n" }],
  ['default export', { 'src/route/a.ts': 'export default function a() {}' }],
  ['no any', { 'src/route/a.ts': 'function f(x: any) {}' }],
  ['no any', { 'src/route/a.ts': 'const x: Record<string, any> = {};' }],
  ['no any', { 'src/route/a.ts': 'const x = y as any;' }],
  ['', { 'src/route/a.ts': "const x = 'one of: any, all';\nconst y = any(z); // : any\n/** : any */" }],
];

test('each rule stops what it must stop and lets pass what it must let pass', () => {
  for (const [expected, texts] of examples) {
    const broken = allRules.filter((rule) => rule.check(files(texts)).length > 0).map((rule) => rule.name);
    assert.equal(broken.length, expected === '' ? 0 : 1, `${JSON.stringify(texts)} breaks: ${broken.join('; ')}`);
    assert.ok(
      broken.every((name) => name.includes(expected)),
      `${JSON.stringify(texts)} breaks: ${broken.join('; ')}`,
    );
  }
});

test('the reader of imports finds them all, where they stand', () => {
  const text = `import a, { type B, c } from './a.ts';
import type { D } from '../d.ts';
import * as e from "node:e";
import type F from 'f';
export * from './g.ts';
export type { H } from './h.ts';
export const from = 'from';


// a comment
const i = () => import('./i.ts');
import './j.ts';
`;
  const imports = readImports({ path: 'src/x/y.ts', text });
  assert.deepEqual(
    imports.map(({ specifier, file, typeOnly, line }) => [line, specifier, file, typeOnly]),
    [
      [1, './a.ts', 'src/x/a.ts', false],
      [2, '../d.ts', 'src/d.ts', true],
      [3, 'node:e', undefined, false],
      [4, 'f', undefined, true],
      [5, './g.ts', 'src/x/g.ts', false],
      [6, './h.ts', 'src/x/h.ts', true],
      [11, './i.ts', 'src/x/i.ts', false],
      [12, './j.ts', 'src/x/j.ts', false],
    ],
  );
});

test('no import in the source escapes the reader', () => {
  for (const source of sources) {
    const lines = source.text
      .split('\n')
      .filter((line) => /^\s*(?:\} from|import .*from|export .*from|import) '[^']+';$/.test(line));
    assert.ok(readImports(source).length >= lines.length, source.path);
  }
});
