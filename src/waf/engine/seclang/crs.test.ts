import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noRuleSet, readCrsPatterns } from '../../../../test/support/crs-patterns.ts';
import { Random } from '../../../../test/support/random.ts';
import { OPERATORS } from '../operators/index.ts';
import type { RuleDefinition } from '../rule-set.ts';
import { TRANSFORMATIONS } from '../transformations/index.ts';
import { type ReadResult, type RuleSource, readRules } from './read-rules.ts';

const crs = fileURLToPath(new URL('../../../../../shared/crs/', import.meta.url));
const load = (files: readonly string[]) => files.map((file) => ({ file, text: readFileSync(file, 'latin1') }));
const rulesOf = (result: ReadResult) =>
  result.ok ? result.rules.entries.filter((entry): entry is RuleDefinition => entry.kind === 'rule') : [];
const namesOf = (table: ReadonlyMap<string, { readonly name: string }>) =>
  new Map([...table].map(([key, { name }]) => [key, name]));
const world = {
  // The detectors have rooms of their own.
  operators: new Map([...namesOf(OPERATORS), ['detectsqli', 'detectSQLi'], ['detectxss', 'detectXSS']] as const),
  transformations: namesOf(TRANSFORMATIONS),
  readFile: () => undefined,
  list: () => [],
};
const read = (sources: readonly RuleSource[]) => readRules(sources, world);

const counted = (values: readonly (string | number)[]) => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

test('the Core Rule Set is read whole', { skip: noRuleSet }, () => {
  const result = read(load(globSync(`${crs}rules/*.conf`).sort()));
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.problems, undefined, 1));
  assert.deepEqual(result.notes, []);
  const rules = rulesOf(result);
  const links = rules.flatMap((rule) => rule.links);
  assert.equal(rules.length, 629);
  assert.equal(links.length - rules.length, 73);
  assert.equal(result.rules.entries.length - rules.length, 30);
  assert.deepEqual(result.rules.components, ['OWASP_CRS/4.29.0-dev']);
  assert.deepEqual(counted(rules.map(({ phase }) => phase)), { 1: 172, 2: 292, 3: 43, 4: 109, 5: 13 });
  assert.deepEqual(counted(rules.map((rule) => rule.links.length)), { 1: 574, 2: 41, 3: 11, 4: 2, 5: 1 });
  assert.deepEqual(counted(rules.flatMap(({ severity }) => severity ?? [])), { 2: 305, 3: 16, 4: 20, 5: 5 });
  const operators = links.flatMap(({ operator }) => operator ?? []);
  assert.deepEqual(
    [
      operators.filter(({ name }) => name === 'rx').length,
      operators.filter(({ name, negated }) => negated && name === 'rx').length,
    ],
    [318, 21],
  );
  assert.equal(rules.flatMap(({ tags }) => tags).length, 3088);
  assert.deepEqual(counted(links.flatMap(({ effects }) => effects.map(({ kind }) => kind))), {
    setvar: 683,
    ctl: 10,
    initcol: 2,
  });
  assert.deepEqual(
    ['capture', 'multiMatch'].map((key) => links.filter((link) => link[key as 'capture']).length),
    [279, 8],
  );
  assert.equal(rules.filter(({ block }) => block).length, 345);
  assert.equal(rules.filter(({ log }) => !log).length, 276);
  assert.equal(rules.filter(({ skipAfter }) => skipAfter !== undefined).length, 206);
  assert.equal(result.rules.files.filter((file) => file.endsWith('.data')).length, 19);
});

test('patterns of the Core Rule Set come byte for byte', { skip: noRuleSet }, () => {
  const read1 = read(load(globSync(`${crs}rules/*.conf`).sort()));
  const mine = rulesOf(read1).flatMap(({ links }) =>
    links.flatMap(({ operator }) => (operator?.name === 'rx' ? operator.argument.text : [])),
  );
  const theirs = readCrsPatterns().map(({ pattern }) => pattern);
  assert.deepEqual(mine.toSorted(), theirs.toSorted());
});

test('updates of the Core Rule Set change its rules', { skip: noRuleSet }, () => {
  const files = globSync(`${crs}rules/*.conf`).sort();
  const before = rulesOf(read(load(files.filter((file) => !path.basename(file).startsWith('REQUEST-999')))));
  const after = new Map(rulesOf(read(load(files))).map((rule) => [rule.id, rule]));
  const added = before.flatMap((rule) => after.get(rule.id)?.links[0].targets.slice(rule.links[0].targets.length) ?? []);
  assert.equal(added.length, 55);
  assert.ok(added.every(({ exclude }) => exclude));
  assert.deepEqual(counted(added.map(({ variable, selector }) => `${variable} ${selector?.kind}`)), {
    'REQUEST_COOKIES pattern': 28,
    'REQUEST_COOKIES name': 26,
    'ARGS_NAMES name': 1,
  });
  assert.deepEqual(
    after.get(932240)?.links[0].targets.findLast(({ exclude }) => exclude),
    { variable: 'REQUEST_COOKIES', selector: { kind: 'pattern', pattern: '^_ga(?:_\\w+)?$' }, count: false, exclude: true },
  );
});

test('examples and their commented rules are read, too', { skip: noRuleSet }, () => {
  const examples = load([`${crs}crs-setup.conf.example`, ...globSync(`${crs}rules/*.example`)]);
  const written = read(examples);
  assert.ok(written.ok, written.ok ? '' : JSON.stringify(written.problems));
  assert.deepEqual(
    rulesOf(written).map(({ id }) => id),
    [900990],
  );
  const uncommented = examples.map(({ file, text }) => ({ file, text: uncomment(text) }));
  const found = new Set<number>();
  for (const source of uncommented) {
    const result = read([source]);
    assert.deepEqual(result.ok ? [] : result.problems, []);
    for (const rule of rulesOf(result)) found.add(rule.id);
  }
  const ids = new Set(examples.flatMap(({ text }) => [...text.matchAll(/\bid:(\d+)/g)].map(([, id]) => Number(id))));
  assert.deepEqual(found, ids);
});

/** Rules in comments, without the prose around them. */
function uncomment(text: string): string {
  const kept: string[] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    const bare = line.replace(/^#\s?/, '');
    if (!inside && (!/^\s*Sec[A-Z]\w+ /.test(bare) || bare.includes(' -> '))) continue;
    kept.push(bare);
    inside = bare.endsWith('\\');
  }
  return kept.join('\n');
}

const alphabet = [
  '"',
  "'",
  '\\',
  '\\\n',
  '\n',
  '\r\n',
  ',',
  ':',
  '|',
  '!',
  '&',
  '/',
  '%{',
  '}',
  '=',
  ' ',
  '@',
  '#',
  '\0',
  '\xff',
  'chain',
  'id:1',
  'SecRule ',
];

/** A text with a few of its characters replaced, removed or doubled. */
function mutate(text: string, random: Random): string {
  let result = text;
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(result.length + 1);
    const gone = random.chance(0.5) ? random.below(12) : 0;
    result = result.slice(0, at) + (random.chance(0.8) ? random.pick(alphabet) : '') + result.slice(at + gone);
  }
  return result;
}

const seeds = [
  'SecRule ARGS|!ARGS:\'/a|b/\'|&TX:x "!@rx a%{tx.b}\\"c" "id:1,phase:2,deny,status:403,t:none,t:lowercase,\\\n  msg:\'a, \\\'b\\\'\',chain"\n  SecRule XML:/*|TX "@eq 1" "setvar:\'tx.a_%{tx.0}=+%{tx.b}\',ctl:ruleRemoveTargetById=1-2;ARGS:/x/"\n',
  'SecDefaultAction "phase:1,log,deny"\nSecAction "id:2,phase:1,nolog,pass,initcol:ip=%{REMOTE_ADDR},expirevar:ip.a=60,skipAfter:X"\nSecMarker X\n',
  'SecAction id:3\nSecRuleUpdateTargetById 3:0 "!ARGS:a" "ARGS"\nSecRuleUpdateActionById 3 "pass,tag:x"\nSecRuleRemoveById 3 "4-5"\n',
  'SecRequestBodyLimit 10\nSecResponseBodyMimeType a b\nSecComponentSignature "x"\nInclude a.conf\nIncludeOptional b/*.conf\n',
];

test('whatever a text holds, reading it throws nothing and places lie within it', () => {
  const random = new Random(8);
  for (let i = 0; i < 5000; i++) {
    const text = mutate(random.pick(seeds), random);
    const result = read([{ file: 'f', text }]);
    const lines = text.split('\n');
    for (const { line, column } of result.ok ? result.notes : result.problems) {
      assert.ok(
        line >= 1 && line <= lines.length && column >= 1 && column <= lines[line - 1].length + 1,
        JSON.stringify([text, line, column]),
      );
    }
    for (const rule of rulesOf(result)) assert.ok(rule.links.length > 0);
  }
});

test('mutated files of the Core Rule Set throw nothing', { skip: noRuleSet }, () => {
  const random = new Random(9);
  const [setup] = load([`${crs}rules/REQUEST-901-INITIALIZATION.conf`]);
  for (let i = 0; i < 25; i++) read([{ file: 'f', text: mutate(setup.text, random) }]);
});

/** Texts on which a reader that looks back or ahead too often would not end. */
const long: Readonly<Record<string, (n: number) => string>> = {
  'one rule a line': (n) => Array.from({ length: n / 20 }, (_, i) => `SecAction id:${i + 1}\n`).join(''),
  'continued lines with notes': (n) => `SecAction "id:1,\\\n${'xmlns:a,\\\n'.repeat(n / 10)}deny"`,
  'escaped quotes with notes': (n) => `SecAction "id:1,${'sanitiseArg:\\",'.repeat(n / 15)}deny"`,
  macros: (n) => `SecAction "id:1,msg:'${'%{tx.a'.repeat(n / 6)}'"`,
  'macros in a name': (n) => `SecAction "id:1,setvar:'tx.a${'%{'.repeat(n / 2)}=1'"`,
  targets: (n) => `SecRule ARGS${'|ARGS:a'.repeat(n / 7)} x id:1`,
  'selectors in quotes': (n) => `SecRule ARGS:'a'${":'a'".repeat(n / 4)} x id:1`,
  'slashes that close nothing': (n) => `SecRule ARGS${':/a'.repeat(n / 3)} x id:1`,
  'commented lines': (n) => `# x${'\\\n x'.repeat(n / 4)}`,
  'ids to remove': (n) => `SecRuleRemoveById ${'1 '.repeat(Math.min(n / 2, 9999))}`,
  'white space': (n) => `SecRule ARGS x "id:1${' '.repeat(n)}"`,
};

for (const [what, make] of Object.entries(long)) {
  test(`the time is linear: ${what}`, () => {
    const took = (n: number) => {
      const text = make(n);
      const start = performance.now();
      read([{ file: 'f', text }]);
      return performance.now() - start;
    };
    took(20_000);
    const small = Math.min(took(100_000), took(100_000), took(100_000));
    const large = Math.min(took(800_000), took(800_000));
    // Eight times the text; 64 times the time if it were quadratic.
    assert.ok(large < small * 24 + 60, `${small.toFixed(1)} ms, then ${large.toFixed(1)} ms`);
  });
}
