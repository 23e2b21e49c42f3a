import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { catalogue } from '../errors/catalogue.ts';
import { type CatalogueCode, refuse } from '../exchange/decision.ts';
import { Exchange } from '../exchange/exchange.ts';
import { type BudgetOptions, BUDGET, EventBudget } from './event-budget.ts';
import { classOfRefusal, houseEvents } from './event-codes.ts';
import { Events, EventSink } from './events.ts';
import { createLog } from './log.ts';
import { Redaction } from './redact.ts';

const connection = { listener: 'public', secure: false, peerAddress: '203.0.113.7', peerPort: 1, serverName: undefined };
const head = {
  method: 'GET',
  rawTarget: '/a?token=s3cret',
  version: '1.1' as const,
  host: 'h',
  authority: 'h',
  path: '/a',
  query: 'token=s3cret',
  headers: ['authorization', 'Bearer s3cret'],
};

function exchange(code: CatalogueCode, changes: Partial<Exchange> = {}): Exchange {
  const decision = refuse(code, 'the reason');
  return Object.assign(new Exchange('id', connection, head, undefined), { decision, status: decision.status, ...changes });
}

interface Line {
  readonly event: Record<string, string>;
  readonly suppressed?: number;
  readonly client?: { readonly address: string };
  readonly [name: string]: unknown;
}

function events(t: TestContext, budget: BudgetOptions = BUDGET) {
  const lines: Line[] = [];
  const clock = { now: 1_000_000 };
  const writer = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  const made = new Events({ writer: () => writer as never, redaction: () => new Redaction(), budget, now: () => clock.now });
  t.after(() => made.close());
  const refused = (code: CatalogueCode, changes?: Partial<Exchange>) => {
    const x = exchange(code, changes);
    made.refused(x, x.decision ?? assert.fail());
  };
  return { made, lines, clock, refused };
}

test('a refusal says who, what, where and why', (t) => {
  const { lines, refused, made } = events(t);
  refused('token-signature', {
    route: '/a',
    service: 's',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    caller: { by: 'jwt', name: 'staff', subject: 'u-17', scopes: [], claims: {} },
  });
  const [{ time, ...line }] = lines;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(line, {
    event: {
      kind: 'alert',
      category: 'authentication',
      action: 'denied',
      code: 'token-signature',
      outcome: 'failure',
      severity: 'high',
    },
    request_id: 'id',
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    listener: 'public',
    client: { address: '203.0.113.7' },
    http: { method: 'GET', host: 'h', path: '/a', version: '1.1', status: 401, request_bytes: 0, response_bytes: 0 },
    route: '/a',
    service: 's',
    caller: { by: 'jwt', name: 'staff', subject: 'u-17' },
    decision: { room: 'authenticate', code: 'token-signature', reason: 'the reason' },
  });
  assert.deepEqual(made.recent()[0].code, 'token-signature');
});

test('every code of the catalogue is an event or is none, as its room says', () => {
  const security = ['listen', 'limit', 'authenticate', 'authorize', 'validate', 'waf'];
  for (const [code, { room }] of Object.entries(catalogue)) {
    const kind = classOfRefusal(code);
    if (room === 'upstream' || code === 'client-gone' || code === 'route-not-found') assert.equal(kind, undefined, code);
    else if (security.includes(room) && !['tunnel-idle', 'shutting-down'].includes(code)) assert.ok(kind, code);
  }
});

test('a request that could not be read is an event too', (t) => {
  const { lines, made } = events(t);
  const refusal = refuse('body-framing', 'two lengths');
  const sizes = { requestBytes: 3, responseBytes: 4 };
  made.refusedWire({ id: 'w', time: 0, began: 0, connection, refusal, rawTarget: '/x?token=s3cret', ...sizes });
  assert.equal((lines[0].http as { path: string }).path, '/x');
  assert.ok(!JSON.stringify(lines).includes('s3cret'));
});

test('a flood from one address is a few lines and a number', (t) => {
  const { lines, clock, refused, made } = events(t);
  for (let i = 0; i < 10_000; i++) refused('rate-limited');
  assert.equal(lines.length, 5);
  refused('token-missing');
  refused('rate-limited', { clientAddress: '203.0.113.8' });
  assert.equal(lines.length, 7, 'another code and another address have their own');
  clock.now += 60_000;
  made.sweep();
  const told = lines.slice(7);
  assert.deepEqual(
    told.map((line) => [line.event.action, line.event.code, line.client?.address, line.suppressed]),
    [['suppressed', 'rate-limited', '203.0.113.7', 9995]],
  );
  refused('rate-limited');
  assert.equal(lines.length, 9, 'in the next minute it is told again');
});

test('what was not told is told at the end', (t) => {
  const { lines, refused, made } = events(t);
  for (let i = 0; i < 8; i++) refused('rate-limited');
  made.close();
  assert.equal(lines.at(-1)?.suppressed, 3);
});

test('a flood from many addresses is bounded in lines and memory, and all of it is counted', (t) => {
  const budget = { each: 5, windowMs: 60_000, perSecond: 20, windows: 100 };
  const { lines, clock, refused, made } = events(t, budget);
  for (let i = 0; i < 3000; i++) refused('rate-limited', { clientAddress: `2001:db8:${i.toString(16)}::1` });
  assert.equal(lines.length, 20);
  clock.now += 60_000;
  made.sweep();
  const counted = lines.slice(20).reduce((sum, line) => sum + (line.suppressed ?? 0), 0);
  assert.equal(counted + 20, 3000);
  assert.ok(lines.length - 20 <= 101, `${lines.length} lines`);
});

test('addresses of one /64 have one budget', () => {
  const budget = new EventBudget();
  const spellings = ['2001:db8::1', '2001:db8:0:0:1::', '2001:db8:0:0:ffff:1:2:3', '2001:db8::2', '2001:db8::3'];
  for (const address of spellings) assert.ok(budget.take('x', address, 0));
  assert.ok(!budget.take('x', '2001:db8::4', 0));
  assert.ok(budget.take('x', '2001:db8:0:1::1', 0));
  assert.ok(budget.take('x', '::1', 0));
});

test('what happens to the gateway is an event by the name in its line of the log', async (t) => {
  const { lines, made } = events(t);
  const sink = new EventSink();
  const log = createLog({ fd: 2, events: sink });
  t.after(() => log.close());
  sink.target = made;
  log.warn('the keys cannot be read', { event: 'keys-unreadable', issuer: 'https://i', reason: 'see https://user:s3cret@i/' });
  log.error('a wrong token', { event: 'admin-token-wrong', address: '127.0.0.1' });
  log.info('nothing', { event: 'no-such-event' });
  log.info('nothing', { event: '__proto__' });
  log.info('nothing');
  assert.deepEqual(
    lines.map((line) => [line.event.code, line.event.outcome, line.client?.address, line.detail]),
    [
      ['keys-unreadable', 'failure', undefined, { issuer: 'https://i', reason: 'see https://[hidden]@i/' }],
      ['admin-token-wrong', 'failure', '127.0.0.1', {}],
    ],
  );
});

test('every event of the gateway is in the manual, and so is every member', async () => {
  const { readFile } = await import('node:fs/promises');
  const manual = await readFile(new URL('../../docs/observability.md', import.meta.url), 'utf8');
  const missing = Object.keys(houseEvents).filter((name) => !manual.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});
