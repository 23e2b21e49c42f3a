import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

/** A program that meets so many defects, one by one, and then says that it is still there. */
function program(defects: number): string {
  return `
import { surviveDefects } from ${JSON.stringify(new URL('./defects.ts', import.meta.url).href)};
let told = 0;
surviveDefects({ info() {}, warn() {}, error() { told++; } });
let met = 0;
const next = () => {
  if (met === ${defects}) return console.log('alive, ' + told);
  setImmediate(next);
  if (met++ % 2 === 0) throw new Error('a defect');
  void Promise.reject(new Error('a defect'));
};
next();`;
}

async function run(defects: number): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(defects)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  return { code, output };
}

test('exceptions that nobody caught are told, and the process goes on', async () => {
  assert.deepEqual(await run(20), { code: 0, output: 'alive, 20\n' });
});

test('many of them within a minute end it: better to begin anew', async () => {
  // Twice as many as it bears, so that the turn of a minute makes no difference.
  assert.deepEqual(await run(250), { code: 70, output: '' });
});
