import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientCertificate } from '../exchange/client-certificate.ts';
import type { ConnectionInfo, Exchange } from '../exchange/exchange.ts';
import { holderProblem } from './holder.ts';

const mine = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2';
const certificate = (problem?: 'certificate-expired') =>
  ({ thumbprint: mine, problem: () => problem }) as unknown as ClientCertificate;
const from = (shown?: ClientCertificate) => ({ connection: { certificate: shown } as ConnectionInfo, time: 0 }) as Exchange;

test('a token that is bound to a certificate counts from its holder only', () => {
  const bound = { cnf: { 'x5t#S256': mine } };
  assert.equal(holderProblem(from(certificate()), bound), undefined);
  assert.equal(holderProblem(from(), bound)?.code, 'token-bound');
  assert.equal(holderProblem(from(certificate('certificate-expired')), bound)?.code, 'token-bound');
});

test('every other binding is one that is not proved', () => {
  const others = [
    null,
    {},
    [],
    mine,
    [mine],
    { 'x5t#S256': [mine] },
    { 'x5t#S256': `${mine} ` },
    { 'x5t#S256': '' },
    { jkt: mine },
    { 'x5t#S256': mine, jkt: mine },
    { x5t: mine },
    { kid: 'a' },
  ];
  for (const cnf of others) assert.equal(holderProblem(from(certificate()), { cnf })?.code, 'token-bound', JSON.stringify(cnf));
  assert.equal(holderProblem(from(), {}), undefined);
});
