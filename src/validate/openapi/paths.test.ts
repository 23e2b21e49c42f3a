import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { canonicalPath } from '../../exchange/path.ts';
import { parseTemplate, PathTree, TemplateError } from './paths.ts';

function tree(templates: readonly string[]): PathTree<string> {
  const paths = new PathTree<string>();
  for (const template of templates) paths.at(parseTemplate(template, canonicalPath).segments, () => template);
  return paths;
}

suite('which template a path is', () => {
  const templates = [
    '/',
    '/users',
    '/users/me',
    '/users/{id}',
    '/users/{id}.json',
    '/users/{id}/files/{name}.{ext}',
    '/{a}/{b}/{c}',
    '/users/me/deep',
    '/café/{x}',
    '/range/{from}-{to}',
    '/v1.0/{x}',
    '/pre{x}',
    '/pre-fix{x}',
  ];
  const cases: [string, string | undefined, string[]?, boolean?][] = [
    ['/', '/', []],
    ['/users', '/users', []],
    ['/users/', undefined],
    ['/users/me', '/users/me', []],
    ['/users/me.json', '/users/{id}.json', ['me']],
    ['/users/.json', '/users/{id}', ['.json']],
    ['/users/42', '/users/{id}', ['42']],
    ['/users/42/files/a.b', '/users/{id}/files/{name}.{ext}', ['42', 'a', 'b']],
    ['/users/42/files/a.b.c', '/users/{id}/files/{name}.{ext}', ['42', 'a', 'b.c'], true],
    ['/users/42/files/ab', undefined],
    // The literal way leads nowhere: the next is tried.
    ['/users/me/x', '/{a}/{b}/{c}', ['users', 'me', 'x']],
    ['/users/me/deep', '/users/me/deep', []],
    ['/caf%C3%A9/1', '/café/{x}', ['1']],
    ['/range/1-2', '/range/{from}-{to}', ['1', '2']],
    ['/range/-2', undefined],
    ['/v1.0/1', '/v1.0/{x}', ['1']],
    ['/pre-fixed', '/pre-fix{x}', ['ed']],
    ['/prefixed', '/pre{x}', ['fixed']],
    ['/pre', undefined],
    ['/USERS', undefined],
    ['/a/b', undefined],
    ['*', undefined],
  ];
  for (const [path, template, raw = [], ambiguous = false] of cases) {
    test(path, () => {
      for (const order of [templates, templates.toReversed()]) {
        const found = tree(order).find(path);
        assert.equal(found?.value, template);
        if (template === undefined) continue;
        assert.deepEqual(found?.raw, raw);
        assert.equal(found?.ambiguous, ambiguous);
      }
    });
  }
});

test('templates that no request can have say why', () => {
  for (const [template, word] of [
    ['users', 'begins'],
    ['/{a', 'closed'],
    ['/{}', 'closed'],
    ['/{a}{b}', 'side by side'],
    ['/{a}/{a}', 'twice'],
    ['/a;b', 'ambiguous'],
    ['/a%2fb', 'ambiguous'],
  ]) {
    assert.throws(
      () => parseTemplate(template, canonicalPath),
      (error) => error instanceof TemplateError && error.message.includes(word),
      template,
    );
  }
});

test('a template takes what is put into it', () => {
  const text = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/);
  const piece = fc.oneof(text, fc.constantFrom('{x}', '{x}.json', 'v-{x}', '{x}-{y}'));
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), fc.infiniteStream(text), (pieces, values) => {
      let count = 0;
      const template = `/${pieces.map((one) => one.replace(/\{[xy]\}/g, () => `{p${count++}}`)).join('/')}`;
      const { names, segments } = parseTemplate(template, canonicalPath);
      const put = names.map(() => values.next().value as string);
      const path = template.replace(/\{p(\d+)\}/g, (_, index) => put[Number(index)]);
      const paths = new PathTree<string>();
      paths.at(segments, () => template);
      assert.deepEqual(paths.find(path), { value: template, raw: put, ambiguous: false });
    }),
  );
});

test('a tree with many ways is walked in time', () => {
  const templates = Array.from(
    { length: 4096 },
    (_, i) => `/${Array.from({ length: 12 }, (__, bit) => ((i >> bit) & 1 ? 'a' : `{p${bit}}`)).join('/')}`,
  );
  const paths = tree(templates.slice(0, -1));
  const began = performance.now();
  for (let i = 0; i < 20; i += 1) paths.find('/a/a/a/a/a/a/a/a/a/a/a/b/c');
  assert.ok(performance.now() - began < 2000);
});
