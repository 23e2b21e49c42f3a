import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { claims, foreign, keySet, keys, token } from '../test/support/tokens.ts';
import { type Call, callOnce } from './answers.ts';
import { ordersDocument } from './contract.ts';
import { orderBody } from './workload.ts';

/** What the work `guarded` needs: callers with tokens, and a configuration that asks for token, limits and contract. */

/** Callers at the same time: nobody's token is new for long, as it is with real callers. */
const TOKENS = 500;

export const GUARDED_TARGET = '/api/v1/orders';

const good = (other: Record<string, unknown> = {}) =>
  token(claims({ exp: Math.floor(Date.now() / 1000) + 7200, ...other }), {}, keys.es);

export interface GuardedFiles {
  /** One token a line, for the load. */
  readonly tokens: string;
  /** One that is good and that the load does not use. */
  readonly token: string;
}

/** Writes the files that the load and the configuration name. */
export function writeGuarded(dir: string): GuardedFiles {
  const tokens = path.join(dir, 'tokens.txt');
  writeFileSync(tokens, Array.from({ length: TOKENS }, (_, i) => `${good({ sub: `u-${i}`, plan: 'load' })}\n`).join(''));
  writeFileSync(path.join(dir, 'jwks.json'), JSON.stringify(keySet([keys.es])));
  writeFileSync(path.join(dir, 'orders.json'), JSON.stringify(ordersDocument(GUARDED_TARGET, ['/', '/bench-check'])));
  return { tokens, token: good({ sub: 'checker' }) };
}

interface Probe {
  readonly what: string;
  readonly token: string | undefined;
  readonly body: string;
  readonly status: number;
  readonly code: string;
}

/** The order is valid but for one member. */
const spoilt = () => orderBody().replace(/"zip":"[^"]*"/, '"zip":4711');

const probes = (): Probe[] => [
  { what: 'no token', token: undefined, body: orderBody(), status: 401, code: 'token-missing' },
  { what: 'a forged token', token: token(claims(), {}, foreign.es), body: orderBody(), status: 401, code: 'token-signature' },
  {
    what: 'an expired token',
    token: good({ exp: Math.floor(Date.now() / 1000) - 60 }),
    body: orderBody(),
    status: 401,
    code: 'token-expired',
  },
  { what: 'a body beside the contract', token: good({ sub: 'checker' }), body: spoilt(), status: 422, code: 'contract-body' },
];

/** What a gateway with these rooms lets through although it must not; undefined: nothing. */
export async function findUnrefused(port: number): Promise<string | undefined> {
  const ask = (bearer: string | undefined, body: string) =>
    callOnce({ protocol: 'http', port, method: 'POST', target: GUARDED_TARGET, body, token: bearer } satisfies Call);
  for (const { what, token: bearer, body, status, code } of probes()) {
    const reply = await ask(bearer, body);
    if (reply.status !== status || !reply.body.includes(`"code":"${code}"`))
      return `${what} got ${reply.status} ${reply.body.slice(0, 200)}`;
  }
  // Its second request within the hour is over the limit.
  const slow = good({ sub: 'slow', plan: 'probe' });
  await ask(slow, orderBody());
  const over = await ask(slow, orderBody());
  return over.status === 429 ? undefined : `a request over the limit got ${over.status} ${over.body.slice(0, 200)}`;
}
