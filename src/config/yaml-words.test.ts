import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocument } from 'yaml';
import { yamlWords } from './yaml-words.ts';

test('what people write wrong is told in words that say what to do', () => {
  const cases: [string, RegExp][] = [
    ['a:\n\tb: 1', /^a tab in the indentation: use spaces$/],
    ['a: { path: /x/{id} }', /must stand in quotes/],
    ['a: [${NAME}]', /comma/],
    ['{"a": {', /^"\{" is not closed by "\}"/],
    ['a: [1, 2', /^"\[" is not closed by "\]"/],
    ['a:\n  b: {\nc: 1', /^"\{" is not closed by "\}"/],
    ['a:\n  b: 1\n c: 2', /keys of one mapping must begin at the same column/],
    ['a:\n  - 1\n - 2', /same column/],
    ['a: [\n  - 1\n]', /separated by commas/],
    ['a: b: c', /must stand in quotes/],
    ['a:\n  b\n  c: 1', /a key is followed by|": "/],
    ['a: "b', /^a quote that is never closed$/],
    ["a: 'b", /^a quote that is never closed$/],
    ['a: @b', /^a value that begins with this character must stand in quotes$/],
    ['a: {b: 1 c: 2}', /comma|": "/],
  ];
  for (const [text, expected] of cases) {
    const [error] = parseDocument(text, { prettyErrors: false }).errors;
    assert.match(yamlWords(error?.message ?? 'no error'), expected, text);
  }
});

test('an error without words of its own keeps those of the parser, without what stands in the file', () => {
  assert.equal(
    yamlWords('Block scalar header includes extra characters: "hunter2'),
    'block scalar header includes extra characters',
  );
});
