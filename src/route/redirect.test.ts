import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { RequestHead } from '../exchange/exchange.ts';
import { headerValue } from '../exchange/headers.ts';
import { canonicalPath } from '../exchange/path.ts';
import { redirectToHttps } from './redirect.ts';

function head(changes: Partial<RequestHead>): RequestHead {
  const plain = {
    method: 'GET',
    rawTarget: '/',
    version: '1.1',
    host: 'a.test',
    authority: 'a.test:8080',
    path: '/',
    query: undefined,
    headers: [],
  } as const;
  return { ...plain, headers: [], ...changes };
}

const same = { host: undefined, port: undefined };

const cases = [
  { name: 'the root', head: {}, to: same, location: 'https://a.test/' },
  {
    name: 'path and query',
    head: { path: '/caf%C3%A9/x', query: 'a=1&b=%20' },
    to: same,
    location: 'https://a.test/caf%C3%A9/x?a=1&b=%20',
  },
  { name: 'an empty query', head: { query: '' }, to: same, location: 'https://a.test/?' },
  { name: 'another port', head: {}, to: { host: undefined, port: 8443 }, location: 'https://a.test:8443/' },
  { name: 'the usual port', head: {}, to: { host: undefined, port: 443 }, location: 'https://a.test/' },
  { name: 'the host of the configuration', head: {}, to: { host: 'www.test', port: undefined }, location: 'https://www.test/' },
  {
    name: 'an address',
    head: { host: '[2001:db8::1]' },
    to: { host: undefined, port: 8443 },
    location: 'https://[2001:db8::1]:8443/',
  },
  {
    name: 'a URL in the query stays in the query',
    head: { query: 'https://evil.test/@' },
    to: same,
    location: 'https://a.test/?https://evil.test/@',
  },
  { name: 'odd bytes of the query', head: { query: 'a=\xe9 "\\' }, to: same, location: 'https://a.test/?a=%E9%20%22%5C' },
  { name: 'a request about the server', head: { path: '*', method: 'OPTIONS' }, to: same, location: 'https://a.test/' },
];

describe('the redirect to HTTPS', () => {
  for (const { name, head: changes, to, location } of cases) {
    test(name, () =>
      assert.deepEqual(redirectToHttps(head(changes), to), { kind: 'answer', status: 308, headers: ['location', location] }),
    );
  }

  test('without a host there is nothing to redirect to', () => {
    const refusal = redirectToHttps(head({ host: '' }), same);
    assert.equal(refusal.kind === 'refusal' ? refusal.code : undefined, 'host-invalid');
  });

  test('whatever path and query are, it leads to the host, and is one line of visible ASCII', () => {
    const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    const bytes = fc.oneof(
      fc.string({ unit: byte }),
      fc.string({ unit: fc.constantFrom('/', '\\', '@', ':', '.', '#', '?', '\r', '\n', 'a') }),
    );
    fc.assert(
      fc.property(bytes, bytes, (path, query) => {
        const answer = redirectToHttps(head({ path: canonicalPath(`/${path}`) ?? '/', query }), same);
        const location = headerValue(answer.headers ?? [], 'location') ?? '';
        assert.match(location, /^https:\/\/a\.test\/[\x21-\x7e]*$/);
        assert.equal(new URL(location).host, 'a.test');
      }),
      { numRuns: 2000 },
    );
  });
});
