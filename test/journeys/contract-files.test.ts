/** A contract is all of its files: a change of any of them is taken over, one that breaks it is not, and mending it is. */
import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startEcho } from '../support/echo.ts';
import { startGateway } from '../support/gateway.ts';
import { rawRequest } from '../support/raw.ts';

const API = `openapi: 3.0.3
info: { title: x, version: "1" }
paths:
  /a: { get: { parameters: [{ $ref: 'count.yaml' }], responses: { "200": { description: ok } } } }
`;
const COUNT = '{ name: count, in: query, schema: { $ref: "schemas.json#/Count" } }\n';
const schemas = (most: number) => JSON.stringify({ Count: { type: 'integer', maximum: most } });

for (const workers of [1, 2]) {
  test(`a file that a document refers to is watched (workers: ${workers})`, async () => {
    await using echo = await startEcho();
    const text = `
listeners: { public: { address: 127.0.0.1:0 } }
services: { s: ${echo.url} }
routes: [ { path: /**, service: s, authentication: none, validate: { openapi: api.yaml } } ]
workers: ${workers}
`;
    const files = { 'api.yaml': API, 'count.yaml': COUNT, 'schemas.json': schemas(5) };
    await using gateway = await startGateway(text, { files });
    const ask = async (count: number) => {
      const request = `GET /a?count=${count} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`;
      return Number((await rawRequest(gateway.port('public'), request)).toString().split(' ', 2)[1]);
    };
    const until = async (what: string, so: () => Promise<boolean>) => {
      const end = performance.now() + 30_000;
      while (!(await so())) {
        assert.ok(performance.now() < end, `${what}\n${gateway.stderr()}`);
        await wait(50);
      }
    };
    const place = (name: string) => path.join(gateway.dir, name);
    const refused = async (count: number, status: number) => (await ask(count)) === status;
    assert.deepEqual([await ask(5), await ask(9)], [200, 400]);

    await writeFile(place('schemas.json'), schemas(9));
    await until('a file two references away', () => refused(9, 200));

    await rm(place('schemas.json'));
    await until('a broken contract is told', async () => gateway.stderr().includes('schemas.json does not exist'));
    assert.deepEqual([await ask(9), await ask(10)], [200, 400], 'the one before serves on');
    await writeFile(place('schemas.json'), schemas(3));
    await until('a file that comes back', () => refused(5, 400));

    await mkdir(place('new'));
    await writeFile(place('new/schemas.json'), schemas(7));
    await writeFile(place('next'), COUNT.replace('schemas.json', 'new/schemas.json'));
    await rename(place('next'), place('count.yaml'));
    await until('a reference that leads elsewhere', () => refused(7, 200));
    await writeFile(place('new/schemas.json'), schemas(8));
    await until('the file that it leads to from now on', () => refused(8, 200));
  });
}
