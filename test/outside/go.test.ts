/** Go's net/http against the gateway, over HTTP/1.1 and HTTP/2. The program is built in a temporary folder, without any module. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type House, openHouse } from './house.ts';
import { allQuestions, compare, type Seen } from './questions.ts';
import { missing, run } from './tools.ts';

interface Result {
  readonly seen: Seen[];
  readonly protocol: string;
  readonly connections: number;
}

describe('Go net/http', { skip: missing('go', 'version') }, () => {
  let house: House;
  let folder = '';
  let program = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'portcullis-go-'));
    program = path.join(folder, 'client');
    await cp(path.join(import.meta.dirname, 'go/main.go'), path.join(folder, 'main.go'));
    const flags = ['GOFLAGS=-mod=mod', 'GOTOOLCHAIN=local', 'GOPROXY=off', 'CGO_ENABLED=0'];
    const { code, stderr } = await run('env', [...flags, 'go', 'build', '-o', program, 'main.go'], '', folder);
    assert.equal(code, 0, stderr);
    house = await openHouse();
  });
  after(async () => {
    await house?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const go = async (version: '1' | '2', base: string): Promise<Result> => {
    const questions = await allQuestions(folder);
    const { code, stdout, stderr } = await run(program, [version, base, house.certificates.ca], JSON.stringify(questions));
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout.toString()) as Result;
    compare(questions, result.seen);
    return result;
  };

  test('HTTP/1.1', async () => {
    assert.equal((await go('1', house.plain)).protocol, 'HTTP/1.1');
  });
  test('HTTP/1.1 over TLS', async () => {
    assert.equal((await go('1', house.secure)).protocol, 'HTTP/1.1');
  });
  test('HTTP/2 over one connection', async () => {
    const { protocol, connections } = await go('2', house.secure);
    assert.deepEqual([protocol, connections], ['HTTP/2.0', 1]);
  });
});
