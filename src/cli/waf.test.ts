import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { check } from './check.ts';
import type { Output } from './output.ts';
import { routes } from './routes.ts';
import { explainRules } from './waf.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-cli-waf-'));
});
after(() => rm(folder, { recursive: true }));

const RULES = `SecRule ARGS "@rx (?i)union\\s+select" "id:1,phase:2,deny,status:403,msg:'SQL'"
SecDefaultAction "phase:2,log,auditlog,pass"
SecRuleRemoveById 4711
`;
const [WRONG, MISSPELT] = ['SecRule ARGS "@rx (a" "id:1,phase:2,deny"\n', 'SecRule ARGS "@contians x" "id:2,phase:2,deny"\n'];

const CONFIGURATION = `listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: http://127.0.0.1:9001 }
waf: { rules: [rules.conf] }
routes:
  - { path: /section, service: s, authentication: none }
  - { path: /silent, service: s, authentication: none, waf: { paranoia: 2 } }
  - { path: /watched, service: s, authentication: none, waf: { mode: detect } }
  - { path: /open, service: s, authentication: none, waf: { mode: "off" } }
`;

interface Told {
  out: string;
  err: string;
}

function told(): Told & { readonly output: Output } {
  const text = { out: '', err: '' };
  const stream = (name: keyof Told) => ({ write: (piece: string) => ((text[name] += piece), true) }) as Output['out'];
  return {
    output: { out: stream('out'), err: stream('err') },
    get out() {
      return text.out;
    },
    get err() {
      return text.err.replaceAll(path.relative(process.cwd(), folder), '.').replaceAll(folder, '.');
    },
  };
}

async function configuration(rules: string, text = CONFIGURATION): Promise<string> {
  await writeFile(path.join(folder, 'rules.conf'), rules);
  const file = path.join(folder, 'portcullis.yaml');
  await writeFile(file, text);
  return file;
}

test('routes shows the mode that holds, whoever says it', async () => {
  const seen = told();
  await routes({ config: await configuration(RULES), json: true }, seen.output);
  const rows = JSON.parse(seen.out) as { path: string; protection: string[] }[];
  assert.deepEqual(
    rows.map(({ path: at, protection }) => `${at} ${protection.join()}`),
    ['/section waf block', '/silent waf block', '/watched waf detect', '/open waf off'],
  );

  const none = told();
  await routes({ config: await configuration(RULES, CONFIGURATION.replace(/^waf:.*\n/m, '')), json: true }, none.output);
  const [silent, own] = JSON.parse(none.out) as { protection: string[] }[];
  assert.deepEqual([silent.protection, own.protection], [[], ['waf block']]);
});

test('check tells what means nothing in rules as a warning, which counts where it is to be strict', async () => {
  const file = await configuration(RULES);
  const lax = told();
  assert.equal(await check({ config: file }, lax.output), 0);
  assert.match(lax.err, /rules\.conf:3:\d+: warning: SecRuleRemoveById: no rule .* 4711\n$/);
  assert.equal(lax.err.split('\n').length, 2, 'routes with the same rules say it once');
  assert.match(lax.out, /: ok /);
  const strict = told();
  assert.equal(await check({ config: file, strict: true }, strict.output), 1);
  assert.equal(strict.out, '');
  const clean = told();
  assert.equal(await check({ config: await configuration(RULES.split('\n', 1)[0]), strict: true }, clean.output), 0);
  assert.equal(clean.err, '');
});

test('check tells what is wrong in rules where it stands there, with what to do', async () => {
  const seen = told();
  assert.equal(await check({ config: await configuration(MISSPELT) }, seen.output), 1);
  assert.match(seen.err, /rules\.conf:1:\d+: .*@contians.*\(did you mean .*contains.*\)\n/);
  const pattern = told();
  assert.equal(await check({ config: await configuration(WRONG) }, pattern.output), 1);
  assert.match(pattern.err, /rules\.conf:1:\d+: /);
});

test('what the configuration says itself is shown where it says so', async () => {
  const complaints = async (from: string, to: string): Promise<string> => {
    const seen = told();
    assert.equal(
      await check({ config: await configuration(RULES, CONFIGURATION.replace(from, to)), strict: true }, seen.output),
      1,
    );
    return seen.err.replaceAll(/^.* 4711\n/gm, '');
  };
  assert.match(
    await complaints('[rules.conf]', '[rules.conf, more/*.conf]'),
    /portcullis\.yaml:3:28: no file matches .*more\/\*\.conf\n$/,
  );
  assert.match(
    await complaints('[rules.conf]', '[rules.conf, more.conf]'),
    /portcullis\.yaml:3:28: .*more\.conf cannot be read \(ENOENT\)\n$/,
  );
  assert.match(
    await complaints('[rules.conf]', '[rules.conf], exclude: [{ id: 1 }, { id: 7 }]'),
    /portcullis\.yaml:3:50: warning: SecRuleRemoveById: no rule .* 7\n$/,
  );
  assert.match(
    await complaints('{ paranoia: 2 }', '{ exclude: [{ tag: attack }] }'),
    /portcullis\.yaml:6:73: warning: SecRuleRemoveByTag: no rule .* attack\n$/,
  );
  assert.match(
    await complaints('{ paranoia: 2 }', `{ extra: ['SecAction "id:9,pass"', 'SecAction "id:10,phase:7"'] }`),
    /portcullis\.yaml:6:96: .* \(line 1, column \d+ of the text\)/,
  );
});

test('waf explain says of every pattern how it runs', async () => {
  await configuration(RULES);
  const seen = told();
  assert.equal(explainRules([path.join(folder, 'rules.conf')], { json: true }, seen.output), 0);
  const rows = JSON.parse(seen.out) as { id: number; engine: string; bound: string; steps: number; place: string }[];
  const own = rows.find(({ id }) => id === 1) ?? assert.fail('the rule is missing');
  assert.equal(own.place, 'rules.conf:1');
  assert.ok(own.steps > 0 && own.engine.length > 0 && own.bound.length > 0);
  assert.match(seen.err, /warning: SecRuleRemoveById/);
  const table = told();
  assert.equal(explainRules([path.join(folder, 'rules.conf')], {}, table.output), 0);
  assert.match(table.out, /^RULE .*\n(?:.*\n)*?1 +2 .* rules\.conf:1\n/);
  const wrong = told();
  await configuration(MISSPELT);
  assert.equal(explainRules([path.join(folder, 'rules.conf')], {}, wrong.output), 1);
  assert.match(wrong.err, /^\.\/rules\.conf:1:\d+: .*contians.* \(did you mean/);
});
