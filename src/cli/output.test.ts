import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { hasColor } from './output.ts';

test('colours only on a terminal, and not where NO_COLOR or a dumb terminal says otherwise', () => {
  const pipe = new PassThrough();
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  const cases: [NodeJS.WritableStream, NodeJS.ProcessEnv, boolean][] = [
    [terminal, {}, true],
    [terminal, { TERM: 'xterm' }, true],
    [terminal, { NO_COLOR: '' }, true],
    [terminal, { NO_COLOR: '1' }, false],
    [terminal, { NO_COLOR: '0' }, false],
    [terminal, { TERM: 'dumb' }, false],
    [pipe, {}, false],
    [pipe, { FORCE_COLOR: '1' }, false],
  ];
  for (const [stream, environment, expected] of cases) assert.equal(hasColor(stream, environment), expected);
});
