import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatTable, width } from './table.ts';

test('columns line up, whatever the width of a character', () => {
  const table = formatTable(
    ['A', 'LONG HEADER', 'C'],
    [
      ['1', 'x', 'end'],
      ['漢字', 'café', ''],
    ],
  );
  assert.equal(table, 'A     LONG HEADER  C\n1     x            end\n漢字  café\n');
});

test('a column in which nothing stands is left out', () => {
  assert.equal(formatTable(['A', 'B', 'C'], [['1', '', '3']]), 'A  C\n1  3\n');
  assert.equal(formatTable(['A', 'B'], []), 'A  B\n');
});

test('colours do not count as width', () => {
  const plain = formatTable(['A', 'B'], [['xx', 'y']]);
  const painted = formatTable(['A', 'B'], [['xx', 'y']], (text) => `<${text}>`);
  assert.equal(painted.replace(/[<>]/g, ''), plain);
});

test('every column begins at the same place in every line', () => {
  const cell = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 }).map((text) => text.replaceAll(' ', '_'));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
      const lines = formatTable(['A', 'B'], rows).trimEnd().split('\n');
      const start = lines[0].indexOf('B');
      rows.forEach(([, second], i) => assert.equal(lines[i + 1].slice(start), second));
      assert.ok(rows.every(([first]) => width(first) <= start - 2));
    }),
  );
});
