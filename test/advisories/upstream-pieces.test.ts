import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeClient } from '../../src/upstream/client/make-client.ts';
import { HostileService } from '../support/hostile-service.ts';
import { clientOptions, makeCall, type Outcome, send } from '../support/wire-call.ts';

/** Answers made of parts, all of them well-formed. */
const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/).map((name) => `x-${name}`);
const value = fc.stringMatching(/^(?:[!-~](?:[ -~]{0,20}[!-~])?)?$/);
const field = fc.tuple(token, value);
const body = fc.string({ unit: 'binary-ascii', maxLength: 300 });

interface Made {
  readonly bytes: string;
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

const lines = (list: readonly (readonly [string, string])[]): string =>
  list.map(([name, text]) => `${name}: ${text}\r\n`).join('');

function chunks(text: string, sizes: readonly number[], trailers: readonly (readonly [string, string])[]): string {
  let out = '';
  let at = 0;
  for (const size of sizes) {
    const piece = text.slice(at, at + size);
    if (piece === '') break;
    out += `${piece.length.toString(16)}\r\n${piece}\r\n`;
    at += size;
  }
  const rest = text.slice(at);
  if (rest !== '') out += `${rest.length.toString(16)};x=y\r\n${rest}\r\n`;
  return `${out}0\r\n${lines(trailers)}\r\n`;
}

const made: fc.Arbitrary<Made> = fc
  .record({
    interim: fc.integer({ min: 0, max: 2 }),
    status: fc.constantFrom(200, 201, 404, 500, 599),
    fields: fc.array(field, { maxLength: 6 }),
    body,
    chunked: fc.boolean(),
    sizes: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 6 }),
    trailers: fc.array(field, { maxLength: 2 }),
  })
  .map((one) => {
    const start = `${'HTTP/1.1 103 Early\r\nx-no: 1\r\n\r\n'.repeat(one.interim)}HTTP/1.1 ${one.status} Some Words\r\n${lines(one.fields)}`;
    const bytes = one.chunked
      ? `${start}Transfer-Encoding: chunked\r\n\r\n${chunks(one.body, one.sizes, one.trailers)}`
      : `${start}Content-Length: ${one.body.length}\r\n\r\n${one.body}`;
    return { bytes, status: one.status, fields: one.fields, body: one.body, trailers: one.chunked ? one.trailers : [] };
  });

/** Cuts the bytes at these places; no places: one piece. */
function cut(bytes: string, places: readonly number[]): string[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at
    .slice(1)
    .map((end, i) => bytes.slice(at[i], end))
    .filter((piece) => piece !== '');
}

function essence(outcome: Outcome): unknown {
  return [outcome.fault, outcome.status, outcome.headers, outcome.body, outcome.trailers];
}

test('an answer in pieces is the answer in one piece', async () => {
  await using service = await HostileService.start();
  const client = makeClient(clientOptions(service.port));
  await fc.assert(
    fc.asyncProperty(made, fc.array(fc.nat(), { maxLength: 12 }), async (one, places) => {
      service.script = { pieces: cut(one.bytes, places), pause: 0 };
      const outcome = await send(client, makeCall('/'));
      const trailers = one.trailers.length === 0 ? undefined : one.trailers.flat();
      assert.deepEqual(essence(outcome), [undefined, one.status, one.fields.flat(), one.body, trailers]);
    }),
    { numRuns: 400 },
  );
  assert.equal(service.opened, 1, 'good answers never end the connection');
  client.close();
});

test('bytes that were changed never reach the next call', async () => {
  await using service = await HostileService.start();
  const client = makeClient(clientOptions(service.port));
  const change = fc.record({
    at: fc.nat(),
    drop: fc.integer({ min: 0, max: 3 }),
    put: fc.string({ unit: 'binary', maxLength: 3 }),
  });
  let number = 0;
  await fc.assert(
    fc.asyncProperty(made, change, fc.array(fc.nat(), { maxLength: 3 }), async (one, { at, drop, put }, places) => {
      const place = at % one.bytes.length;
      const bytes = one.bytes.slice(0, place) + put + one.bytes.slice(place + drop);
      const pieces = cut(bytes, places);
      service.script = { pieces, pause: 0, then: 'close' };
      // However it ends, it ends once; the recorder complains about anything else.
      await send(client, makeCall('/changed'));
      const word = `right/${++number}`;
      const next = await send(client, makeCall(`/${word}`));
      // The service closes behind its answer, so a kept connection may be found dead: that is told, never a wrong answer. A piece that
      // stands behind the answer may come only when the next call is out; then it is a fault of that call.
      if (next.fault === undefined) assert.equal(next.body, `right ${number}`);
      else if (next.fault.stale !== true) {
        assert.ok(pieces.length > 1, next.fault.reason);
        assert.match(next.fault.code, /^upstream-(?:malformed|closed)$/);
      }
    }),
    { numRuns: 400 },
  );
  client.close();
});
