import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../../test/support/corridor.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { holdsKey, newKey } from './api-key/format.ts';
import type { Method } from './method.ts';
import { Strays } from './strays.ts';

const method = (name: string): Method => ({
  name: 'keys',
  place: { kind: 'header', name },
  challenge: undefined,
  holds: holdsKey,
  verify: () => assert.fail('nobody asks'),
});
const head = (query: string | undefined, headers: string[] = []): Exchange['head'] => ({ ...request().head, query, headers });
const finds = (header: string, query: string): boolean => Strays.of([method(header)])?.in(head(query), header) ?? assert.fail();

test('names follow the header that the key stands in', () => {
  const cases: [header: string, found: string[], other: string[]][] = [
    ['x-api-key', ['x_api_key', 'apikey', 'API-Key='], ['key', 'api', 'partner-key', 'xapikeys']],
    ['x-partner-key', ['PartnerKey=1', 'x.partner.key', 'api_key'], ['partner', 'key']],
    ['ocp-apim-subscription-key', ['Ocp_Apim_Subscription_Key'], ['subscription-key']],
    ['x-id', ['x_id'], ['id=7', 'i']],
    ['~', ['api_key'], ['', '&', 'a&&b', '~=1', ';']],
  ];
  for (const [header, found, other] of cases) {
    for (const query of found) assert.equal(finds(header, query), true, `${header}: ${query}`);
    for (const query of other) assert.equal(finds(header, query), false, `${header}: ${query}`);
  }
});

test('only where keys are taken', () => {
  assert.equal(Strays.of([{ ...method('x'), place: { kind: 'bearer' } }]), undefined);
  assert.equal(Strays.of([{ ...method('x'), place: { kind: 'certificate' } }]), undefined);
});

test('long hostile texts take no time', () => {
  const strays = Strays.of([method('x-api-key')]) ?? assert.fail();
  const key = newKey();
  const began = performance.now();
  for (const unit of ['pcl_', key.slice(0, -1), '%70cl_', 'apike=', 'api_ke&', '%', '[', '&', '-', '=;'])
    strays.in(head(unit.repeat(65_536 / unit.length), ['cookie', unit.repeat(4096), 'x', unit.repeat(4096)]), 'x-api-key');
  assert.ok(performance.now() - began < 2000);
});
