import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { WireClient } from '../../src/upstream/client/client.ts';
import { makeClient } from '../../src/upstream/client/make-client.ts';
import { type AnswerCase, answerCases, type Expected } from '../cases/hostile-answers.ts';
import { HostileService } from '../support/hostile-service.ts';
import { begin, clientOptions, makeCall, type Recorder, send } from '../support/wire-call.ts';

/** A call that waits is given this long to end after all. */
const PATIENCE = 60;

/** What a case means for one of the clients. */
function meaning(one: AnswerCase, kind: 'lean' | 'undici'): { expected: Expected; reused: boolean } {
  const other = kind === 'undici' ? one.undici : undefined;
  return { expected: other?.expected ?? one.expected, reused: other?.reused ?? one.reused };
}

async function check(recorder: Recorder, expected: Expected): Promise<void> {
  if (expected.waits === true) {
    await wait(PATIENCE);
    assert.equal(recorder.ended, false, 'the call must wait');
    recorder.handle?.cancel();
    return;
  }
  const outcome = await recorder.outcome;
  const { fault } = outcome;
  assert.deepEqual([outcome.status, fault?.code], [expected.status ?? 0, expected.fault], JSON.stringify(fault ?? ''));
  if (expected.body !== undefined) assert.equal(outcome.body, expected.body);
  if (expected.trailers !== undefined) assert.deepEqual(outcome.trailers, expected.trailers);
  const names = outcome.headers.filter((_, i) => i % 2 === 0);
  for (const name of ['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'x-hop', 'te', 'proxy-connection']) {
    assert.ok(!names.includes(name), `${name} must not be passed on`);
  }
  if (fault !== undefined) assert.equal(fault.untouched, false);
}

/** Calls on the same pool get their own answers, on a new connection where the old one is not to be trusted. */
async function checkNext(client: WireClient, before: number, reused: boolean): Promise<void> {
  for (const word of ['one', 'two']) {
    // Undici frees a connection a turn later than it tells of the end.
    await wait(2);
    const outcome = await send(client, makeCall(`/right/${word}`));
    assert.deepEqual([outcome.status, outcome.body, outcome.fault], [200, `right ${word}`, undefined]);
    assert.deepEqual(outcome.headers, ['x-connection', String(reused ? before : before + 1)]);
  }
}

for (const kind of ['lean', 'undici'] as const) {
  test(`answers of services, read by the ${kind} client`, { concurrency: 8 }, async (t) => {
    await Promise.all(answerCases.map((one) => t.test(`${one.name} (${one.threats.join(', ')})`, () => tryCase(one, kind))));
  });
}

async function tryCase(one: AnswerCase, kind: 'lean' | 'undici'): Promise<void> {
  await using service = await HostileService.start();
  const client = makeClient(clientOptions(service.port, { kind }));
  const { expected, reused } = meaning(one, kind);
  service.script = one.script;
  const first = await send(client, makeCall('/right/first'));
  assert.equal(first.body, 'right first');
  await wait(2);
  const call = makeCall('/script', { method: one.method ?? 'GET', upgrade: one.upgrade ?? false });
  await check(begin(client, call), expected);
  // Time for what comes behind the answer.
  if (one.script.pause !== undefined && expected.fault === undefined && expected.waits === undefined) await wait(50);
  await checkNext(client, 1, reused);
  assert.equal(client.active, 0);
  client.close();
  await service.empty();
  assert.equal(client.connections, 0);
}
