import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EXAMPLE } from '../scripts/manual.ts';
import { checks } from '../src/audit/checks.ts';
import { checkText } from '../src/config/load.ts';
import { configurationJsonSchema, type JsonSchema, variants } from '../src/config/schema-tree.ts';
import { catalogue } from '../src/errors/catalogue.ts';
import { order } from '../src/pipeline/order.ts';

const document = (name: string) => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');

test('the example of the manual loads', () => {
  const result = checkText('portcullis.yaml', EXAMPLE, {});
  assert.ok(result.ok, JSON.stringify(result));
  assert.ok(document('configuration.md').includes(EXAMPLE));
});

/** The schema, and what it refers to. */
function walkAll(walk: (schema: JsonSchema, at: string) => void): void {
  const root = configurationJsonSchema();
  for (const [name, schema] of Object.entries({ '': root, ...root.$defs })) walk(schema, name);
}

test('every key has a description', () => {
  const missing: string[] = [];
  const walk = (schema: JsonSchema, at: string): void => {
    for (const form of variants(schema)) {
      for (const [key, member] of Object.entries(form.properties ?? {})) {
        if ((member.description ?? '') === '') missing.push(`${at}.${key}`);
        walk(member, `${at}.${key}`);
      }
      if (typeof form.additionalProperties === 'object') walk(form.additionalProperties, `${at}.NAME`);
      if (form.items !== undefined) walk(form.items, `${at}[]`);
    }
  };
  walkAll(walk);
  assert.deepEqual(missing, []);
});

test('every mapping with fixed keys refuses unknown ones', () => {
  const open: string[] = [];
  const walk = (schema: JsonSchema, at: string): void => {
    for (const form of variants(schema)) {
      if (form.properties !== undefined && form.additionalProperties !== false) open.push(at);
      for (const [key, member] of Object.entries(form.properties ?? {})) walk(member, `${at}.${key}`);
      if (typeof form.additionalProperties === 'object') walk(form.additionalProperties, `${at}.NAME`);
      if (form.items !== undefined) walk(form.items, `${at}[]`);
    }
  };
  walkAll(walk);
  assert.deepEqual(open, []);
});

test('the manual has every code, and no code that the gateway does not have', () => {
  const told = [...document('errors.md').matchAll(/^### (\S+)$/gm)].map(([, code]) => code);
  assert.deepEqual(told.toSorted(), Object.keys(catalogue).toSorted());
});

test('the manual has every check of the audit, and no check that there is not', () => {
  const told = [...document('audit.md').matchAll(/^#### (\S+)$/gm)].map(([, name]) => name);
  assert.deepEqual(
    told,
    checks.map(({ name }) => name),
  );
});

test('the exceptions that the manual shows load', () => {
  const [, shown] = /^```yaml\n(audit:\n[^`]+)```/m.exec(document('audit.md')) ?? assert.fail('there are none');
  const result = checkText('portcullis.yaml', `${EXAMPLE}${shown}`, {});
  assert.ok(result.ok, JSON.stringify(result));
});

test('the drawing of the corridor has every room of the order, in that order, and exits that there are', () => {
  const drawing = document('life-of-a-request.md').split('```')[1];
  let from = 0;
  for (const { hook, room } of order) {
    const box = {
      'limit.byAddress': 'limit, by address',
      'limit.byCaller': 'limit, by caller',
      'limit.concurrency': 'a place among',
    };
    const at = drawing.indexOf(Object.hasOwn(box, hook) ? box[hook as keyof typeof box] : room, from);
    assert.ok(at >= 0, `${hook} is not drawn, or not where it stands in the order`);
    from = at;
  }
  let exits = 0;
  for (const [, status, codes] of drawing.matchAll(/\b([1-5]\d\d) ([a-z][a-z-]+(?:, [a-z-]+)*)/g)) {
    for (const code of codes.split(', ')) {
      assert.equal(catalogue[code as keyof typeof catalogue]?.status, Number(status), code);
      exits++;
    }
  }
  assert.ok(exits > 20, `${exits}`);
});
