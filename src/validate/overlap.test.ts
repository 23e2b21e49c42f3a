import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalPath } from '../exchange/path.ts';
import { parseTemplate } from './openapi/paths.ts';
import { isSame, mayServe } from './overlap.ts';

test('a pattern and a template can mean the same request, or not; in doubt they can', () => {
  const cases: [pattern: string, template: string, may: boolean, same: boolean][] = [
    ['/a', '/a', true, true],
    ['/a', '/b', false, false],
    ['/a/{x}', '/a/{id}', true, true],
    ['/a/*', '/a/{id}.json', true, true],
    ['/a/b', '/a/{id}', true, false],
    ['/a/*', '/a/b', true, false],
    ['/a/**', '/a', true, false],
    ['/a/**', '/a/b/c', true, false],
    ['/a/**', '/ab', false, false],
    ['/**', '/', true, false],
    ['/a/b', '/a', false, false],
    ['/a', '/a/b', false, false],
    ['/a/', '/a', false, false],
    ['/café', '/caf%C3%A9', true, false],
  ];
  for (const [pattern, template, may, same] of cases) {
    const { segments } = parseTemplate(template, canonicalPath);
    assert.equal(mayServe(pattern, segments), may, `${pattern} ${template}`);
    assert.equal(isSame(pattern, segments), same, `${pattern} ${template}`);
  }
});
