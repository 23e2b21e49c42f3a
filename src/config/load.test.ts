import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { checkText, loadConfiguration } from './load.ts';
import { formatProblem } from './problem.ts';
import type { GatewayOptions } from './schema.ts';

// Each file of testdata/ stands beside what comes of it: NAME.problems, or NAME.options.json when it loads. After a change
// that is meant, `UPDATE=1 node --test src/config/load.test.ts` writes these anew; read the difference before committing it.

const FOLDER = path.join(import.meta.dirname, 'testdata');
const UPDATE = process.env.UPDATE === '1';
const ENVIRONMENT = {
  ORDERS_URL: 'http://127.0.0.1:9001',
  WEIGHT: '3',
  WORKERS: '2',
  BODY: '64KiB',
  ADMIN_TOKEN: 'correct-horse-battery',
  SECRET_URL: 'ftp://user:Hunter2@db.internal/x',
  WORDS: 'Attack At Dawn',
};

suite('files and what comes of them', () => {
  const files = readdirSync(FOLDER).filter((name) => /\.(?:yaml|json)$/.test(name) && !name.endsWith('.options.json'));
  for (const name of files) test(name, () => compare(name));
});

async function compare(name: string): Promise<void> {
  const result = await loadConfiguration(path.join(FOLDER, name), ENVIRONMENT);
  const text = result.ok
    ? `${JSON.stringify(ownPart(result.options), undefined, 2)}\n`
    : result.problems.map((problem) => `${formatProblem(problem)}\n`).join('');
  const actual = text.replaceAll(`${FOLDER}/`, '');
  const expected = path.join(FOLDER, name.replace(/\.\w+$/, result.ok ? '.options.json' : '.problems'));
  if (UPDATE) writeFileSync(expected, actual);
  assert.equal(actual, readFileSync(expected, 'utf8'));
  assert.equal(result.ok, name.startsWith('good-'));
}

/** What the file itself says; what comes of the options of a room is that room's business, and may change with it. */
function ownPart(options: GatewayOptions): unknown {
  const { listeners, services, routes, waf, admin, workers } = options;
  return {
    listeners,
    'trusted-proxies': options['trusted-proxies'],
    services: Object.fromEntries(Object.entries(services).map(([name, { targets, tls }]) => [name, { targets, ca: tls.ca }])),
    routes: routes.map(({ path: pattern, host, methods, headers, service, authentication, body, waf: firewall }) => {
      return { path: pattern, host, methods, headers, service, authentication, body, waf: firewall };
    }),
    waf,
    observe: { access: options.observe.access },
    admin,
    workers,
  };
}

test('values from the environment and secrets stand in no problem', async () => {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.problems'))) {
    const text = readFileSync(path.join(FOLDER, name), 'utf8');
    assert.doesNotMatch(text, /hunter2|hun ter2|correct-horse|attack at dawn|short-secret|a-secret-that/i, name);
  }
});

test('what cannot be read at all is a problem, not an exception', async () => {
  const cases: [string, RegExp][] = [
    [
      path.join(FOLDER, 'no-such-file.yaml'),
      /no-such-file\.yaml:1:1: cannot be read: no such file \(`portcullis init` writes one\)$/,
    ],
    [FOLDER, /testdata:1:1: cannot be read: it is a folder$/],
  ];
  for (const [file, expected] of cases) {
    const result = await loadConfiguration(file, {});
    assert.ok(!result.ok);
    assert.match(result.problems.map((problem) => formatProblem(problem)).join('\n'), expected);
  }
});

test('hostile files cost little and end in a problem', () => {
  const laughs = Array.from(
    { length: 12 },
    (_, i) =>
      `k${i}: &a${i} [${
        i === 0
          ? 'x'
          : Array(9)
              .fill(`*a${i - 1}`)
              .join(', ')
      }]`,
  ).join('\n');
  const cases: [string, string, RegExp][] = [
    ['nested lists', '['.repeat(200_000), /nested too deeply/],
    ['nested mappings', `${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`, /nested too deeply|stands for too much/],
    ['a billion laughs', laughs, /aliases stand for too much/],
    ['many unknown keys', Array.from({ length: 3000 }, (_, i) => `key${i}: 1`).join('\n'), /unknown key "key2999"/],
    ['a very long key', `${'a'.repeat(900)}: 1`, /unknown key/],
    [
      'keys of every object',
      'listeners: { __proto__: {}, constructor: {}, toString: 1 }\n__proto__: { routes: [] }',
      /unknown key "__proto__"/,
    ],
    ['many references', `listeners: ${'${'.repeat(50_000)}`, /malformed reference/],
  ];
  for (const [name, text, expected] of cases) {
    const began = performance.now();
    const result = checkText('hostile.yaml', text, {});
    assert.ok(!result.ok, name);
    assert.ok(
      result.problems.some((problem) => expected.test(problem.message)),
      `${name}: ${result.problems[0]?.message}`,
    );
    assert.ok(performance.now() - began < 30_000, `${name} took ${performance.now() - began} ms`);
  }
});

test('a thousand routes load quickly', () => {
  const routes = Array.from(
    { length: 1000 },
    (_, i) => `  - { path: '/r${i}/{id}', service: b, authentication: none, cors: *cors }`,
  );
  const text = [
    'listeners: { plain: { address: 127.0.0.1:0 } }',
    'services: { b: http://127.0.0.1:9001 }',
    'routes:',
    '  - { path: /, service: b, authentication: none, cors: &cors { origins: https://a.example.com } }',
    ...routes,
  ].join('\n');
  const began = performance.now();
  const result = checkText('many.yaml', text, {});
  assert.ok(result.ok, JSON.stringify(!result.ok && result.problems.slice(0, 3)));
  assert.ok(performance.now() - began < 20_000);
});

test('relative paths are relative to the file, absolute ones stay', () => {
  const text = (access: string) =>
    `listeners: { a: { address: 127.0.0.1:0 } }\nservices: { b: http://127.0.0.1:1 }\nroutes: [{ path: /, service: b, authentication: none }]\nobserve: { access: ${access} }`;
  const access = (written: string) => {
    const result = checkText('/etc/portcullis/gateway.yaml', text(written), {});
    return result.ok ? result.options.observe.access : result.problems;
  };
  assert.equal(access('logs/a.jsonl'), '/etc/portcullis/logs/a.jsonl');
  assert.equal(access('../a.jsonl'), '/etc/a.jsonl');
  assert.equal(access('/var/log/a.jsonl'), '/var/log/a.jsonl');
  assert.equal(access('stdout'), 'stdout');
  assert.equal(access('off'), 'off');
});

const bench = '../shared/configs/bench-off.yaml';
test('the configuration of the bench loads as it is', { skip: !existsSync(bench) && `there is no ${bench}` }, async () => {
  const result = await loadConfiguration(bench, {});
  assert.ok(result.ok);
});

// What follows belongs to rooms that go their own ways: only that something is told, and where, stands fast.

const problemsOf = (more: string) => {
  const result = checkText(
    'own.yaml',
    `listeners: { a: { address: 127.0.0.1:0 } }\nservices: { b: http://127.0.0.1:1 }\n${more}`,
    ENVIRONMENT,
  );
  return result.ok ? [] : result.problems.map((problem) => formatProblem(problem));
};

test('names that routes use must stand in their sections, and the nearest one is told', () => {
  const rate = (name: string) => `${name}: { rate: 5/second, by: address }`;
  const problems = problemsOf(
    `authentication: { staff: {} }\nlimits: { ${rate('per-address')}, ${rate('toString')} }\n` +
      'routes: [{ path: /a, service: b, authentication: [staff, staf, constructor], limits: [per-adress, per-address, toString] }]',
  ).filter((problem) => problem.includes('there is no'));
  assert.deepEqual(
    problems.map((problem) => problem.split('\n')[0]),
    [
      'own.yaml:5:58: there is no "staf" in the section `authentication` (did you mean "staff"?)',
      'own.yaml:5:64: there is no "constructor" in the section `authentication`',
      'own.yaml:5:87: there is no "per-adress" in the section `limits` (did you mean "per-address"?)',
    ],
  );
});

test('who may call is told where it is missing, misspelt or a value that must not be shown', () => {
  const route = (rest: string) => problemsOf(`routes: [{ path: /a, service: b${rest} }]`);
  assert.deepEqual(route(', authentication: none'), []);
  assert.match(route('').join(), /^own\.yaml:3:10: .*`authentication` is missing/);
  assert.match(route(', authentication: nine').join(), /^own\.yaml:3:50: .*did you mean "none"/);
  const [secret = ''] = route(', authentication: "${SECRET_URL}"');
  assert.match(secret, /^own\.yaml:3:50: /);
  assert.doesNotMatch(secret, /hunter2/i);
});

test('a store that there is not is told without its password', () => {
  const routes = 'routes: [{ path: /a, service: b, authentication: none }]';
  assert.deepEqual(problemsOf(`store: memory\n${routes}`), []);
  const [problem = ''] = problemsOf(`store: gopher://user:hunter2@127.0.0.1:6379\n${routes}`);
  assert.match(problem, /^own\.yaml:3:8: /);
  assert.doesNotMatch(problem, /hunter2/);
});

test('a key of a room that is to come is no slip of the finger', () => {
  const [problem = ''] = problemsOf('routes: [{ path: /a, service: b, authentication: none, compose: {} }]');
  assert.match(problem, /^own\.yaml:3:56: this version has no "compose" yet: it would protect nothing/);
});
