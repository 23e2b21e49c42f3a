import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { after, suite, test } from 'node:test';
import { parseDocument, visit } from 'yaml';
import { routes } from '../cli/routes.ts';
import { checkText, type LoadResult } from './load.ts';
import { formatProblem } from './problem.ts';
import { redact, showsPart } from './redact.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-references-'));
after(() => rmSync(folder, { recursive: true }));

const BASE = `listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: http://127.0.0.1:9001 }
routes: [{ path: /**, service: s, authentication: none, response-headers: { x-a: VALUE } }]
`;
const load = (value: string, environment: Record<string, string> = {}, more = '') =>
  checkText(path.join(folder, 'a.yaml'), BASE.replace('VALUE', value) + more, environment);
const headerOf = (result: LoadResult) => (result.ok ? result.options.routes[0]['response-headers']?.['x-a'] : lines(result));
const lines = (result: LoadResult) =>
  result.ok ? [] : result.problems.map((one) => formatProblem(one).replaceAll(`${folder}/`, ''));

test('a whole value is replaced, in any spelling of YAML', () => {
  for (const value of ['secret:A', '"secret:A"', "'secret:A'", '&x secret:A', '!!str secret:A', '"\\u0073ecret:A"']) {
    assert.equal(headerOf(load(value, { A: 'value of a' })), 'value of a', value);
  }
});

test('a part of a value is not; neither is what comes from the environment, nor what a secret holds', () => {
  assert.equal(headerOf(load('x-secret:A', { A: 'v' })), 'x-secret:A');
  assert.equal(headerOf(load("'${B}'", { A: 'v', B: 'secret:A' })), 'secret:A');
  assert.equal(headerOf(load('secret:A', { A: '${B}', B: 'v' })), '${B}');
  assert.equal(headerOf(load('secret:A', { A: 'secret:B', B: 'v' })), 'secret:B');
});

test('an alias of a secret is the same secret', () => {
  const admin = 'admin: { address: 127.0.0.1:0, token: *a }\n';
  const result = load('&a secret:A', { A: 'sixteen-characters' }, admin);
  assert.ok(result.ok);
  assert.equal(result.options.admin?.token, 'sixteen-characters');
  const [problem] = lines(load('&a secret:A', { A: 'sixteen characters' }, admin));
  assert.match(problem, /a token holds visible ASCII characters only/);
});

test('a secret that is a number or a truth value becomes one where one is needed', () => {
  const result = load('x', { WORKERS: '3' }, 'workers: secret:WORKERS\n');
  assert.ok(result.ok);
  assert.equal(result.options.workers, 3);
});

test('a missing secret is told with its place and where it was looked for', () => {
  const [problem] = lines(load('secret:NOT_THERE', {}, 'secrets: { directory: run }\n'));
  const column = BASE.split('\n')[2].indexOf('VALUE') + 1;
  assert.match(
    problem,
    /^a\.yaml:3:\d+: there is no secret NOT_THERE: looked in the environment \(NOT_THERE, NOT_THERE_FILE\) and in the folder run\n/,
  );
  assert.ok(problem.startsWith(`a.yaml:3:${column}: `));
  assert.ok(problem.includes('x-a: secret:NOT_THERE'), 'the name is no secret');
});

test('a name that is none, and a secret that would say where secrets are', () => {
  assert.match(lines(load('"secret:a b"'))[0], /the name of a secret begins with a letter/);
  assert.match(lines(load('"secret:"'))[0], /the name of a secret begins with a letter/);
  assert.match(lines(load('"secret:../x"'))[0], /the name of a secret begins with a letter/);
  const [problem] = lines(load('x', { A: 'marker' }, 'secrets: { store: secret:A }\n'));
  assert.match(problem, /^a\.yaml:4:19: the section that says where secrets are cannot hold one/);
});

test('a store that is not there is told once, where it is named', () => {
  const problems = lines(load('secret:A', {}, 'secrets: { store: nowhere.yaml }\n'));
  assert.equal(problems.length, 1);
  assert.match(
    problems[0],
    /^a\.yaml:4:19: there is no nowhere\.yaml: `portcullis secrets set NAME --store nowhere\.yaml` makes it/,
  );
});

/** Values that fit in some places and fail in others, each in its own way; the mark is what must never be seen of them. */
const MARKED: [string, RegExp][] = [
  ['Marker-7f3a9-Value', /7f3a9/i],
  ['http://user7f3a9:pw7f3a9@host7f3a9.example:9001/x7f3a9', /7f3a9/i],
  ['127.73.91.58:7391', /73\.91|7391/],
  ['7391582', /739158/],
  ['/path7f3a9/{id7f3a9}', /7f3a9/i],
  ['./file7f3a9.pem', /7f3a9/i],
  ['5/7391582s', /739158/],
  ['"7f3a9"\n\'7f3a9\'', /7f3a9/i],
  ['${7f3a9}', /7f3a9/i],
  ['secret:7f3a9', /7f3a9/i],
];

suite('a value planted in every place of a configuration is shown nowhere', () => {
  const file = path.join(import.meta.dirname, 'testdata', 'good-full.yaml');
  const text = readFileSync(file, 'utf8');
  const places: [number, number][] = [];
  visit(parseDocument(text), {
    Scalar(key, { range }) {
      if (key !== 'key' && range) places.push([range[0], range[1]]);
    },
  });
  const environment = {
    ORDERS_URL: 'http://127.0.0.1:9001',
    WEIGHT: '3',
    WORKERS: '2',
    BODY: '64KiB',
    ADMIN_TOKEN: 'correct-horse-battery',
  };
  assert.ok(places.length > 30);
  for (const [value, mark] of MARKED) {
    test(value, async () => {
      Object.assign(process.env, environment, { PLANTED: value });
      for (const [from, to] of places) {
        const planted = path.join(folder, 'planted.yaml');
        writeFileSync(planted, `${text.slice(0, from)}secret:PLANTED${text.slice(to)}`);
        const result = checkText(planted, readFileSync(planted, 'utf8'), { ...environment, PLANTED: value });
        const at = `planted over ${text.slice(from, to)}`;
        for (const line of lines(result)) assert.doesNotMatch(line, mark, at);
        if (!result.ok) continue;
        for (const json of [true, false]) assert.doesNotMatch(await shown(planted, json), mark, at);
      }
      delete process.env.PLANTED;
      for (const name of Object.keys(environment)) delete process.env[name];
    });
  }
});

async function shown(config: string, json: boolean): Promise<string> {
  let text = '';
  const stream = new Writable({
    write(piece, _encoding, done) {
      text += String(piece);
      done();
    },
  });
  await routes({ config, json }, { out: stream, err: stream });
  return text;
}

test('what shows a piece of a value is known, and other words are not', () => {
  assert.ok(showsPart('"host7f3a9.example" is not known', 'http://HOST7f3a9.example/'));
  assert.ok(showsPart('"ab" is not a size', 'ab'));
  assert.ok(!showsPart('expected a list: write it in [ ]', 'correct-horse'));
  assert.ok(!showsPart('expected a number', 'um'));
});

test('a value inside another is taken out whole, letter case aside', () => {
  const hidden = [
    { text: 'abcdefgh', shown: 'secret:LONG' },
    { text: 'cdef', shown: 'secret:SHORT' },
  ];
  assert.equal(redact('ABCDEFGH and cdef and x', hidden), 'secret:LONG and secret:SHORT and x');
});

test('a folder of secrets that is not there, or is none, is told with its place', () => {
  writeFileSync(path.join(folder, 'a-file'), '');
  const cases: [string, RegExp][] = [
    ['nowhere', /^a\.yaml:4:23: there is no folder nowhere: make or mount it/],
    ['a-file/below', /^a\.yaml:4:23: there is no folder a-file\/below/],
    ['a-file', /^a\.yaml:4:23: a-file is no folder/],
  ];
  for (const [directory, expected] of cases) {
    const told = lines(load('x', {}, `secrets: { directory: ${directory} }\n`));
    assert.equal(told.length, 1, directory);
    assert.match(told[0], expected);
  }
  assert.equal(headerOf(load('x', {}, 'secrets: { directory: . }\n')), 'x');
});

test('a reference within a text is told where the text would be the secret, and nothing else about it', () => {
  const admin = (token: string) => `admin: { address: 127.0.0.1:0, token: ${token} }\n`;
  for (const token of ["'x secret:ABC'", "' secret:ABC'", 'Bearer-secret:ABC-of-some-length', '"${B}secret:ABC"']) {
    const told = lines(load('x', { ABC: 'sixteen-characters', B: 'b' }, admin(token)));
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0], /^a\.yaml:4:39: `secret:NAME` counts only where it is the whole value/);
  }
  for (const store of ['redis://:secret:ABC@127.0.0.1', '{ redis: "rediss://u:secret:ABC@127.0.0.1" }']) {
    const told = lines(load('x', { ABC: 'v' }, `store: ${store}\n`));
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0], /^a\.yaml:4:\d+: `secret:NAME` counts only where .*password: secret:NAME/);
  }
  assert.equal(load('secret:ABC', { ABC: 'v' }, admin('secretary-of-the-house')).ok, true);
});
