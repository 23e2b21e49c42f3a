import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { forgedNames, hiddenInAnswers, honestNames, ownSpellings, shownInAnswers } from '../../test/cases/forged-headers.ts';
import { type Caller, type ConnectionInfo, Exchange } from './exchange.ts';
import { bareResponseHeaders, type ForwardOptions, ForwardRules, requestHeaders, responseHeaders, visible } from './forward.ts';
import { isReserved, judgeName, NameVerdicts, PASS } from './forged-names.ts';
import { type HeaderList, headerValue, headerValues } from './headers.ts';
import { readRequestHead } from './read-head.ts';
import { traceOf } from './trace-context.ts';

const PEER: ConnectionInfo = { listener: 'l', secure: false, peerAddress: '203.0.113.7', peerPort: 1, serverName: undefined };
const OPTIONS: ForwardOptions = { authority: '127.0.0.1:9001' };

/** A request with these fields behind `host: h`, as the listener makes it. */
function exchange(fields: HeaderList, caller?: Caller): Exchange {
  const head = readRequestHead('GET', '/', '1.1', ['host', 'h', ...fields], false);
  assert.ok(!('kind' in head), 'kind' in head ? head.reason : '');
  const x = new Exchange('0123456789abcdef0123456789abcdef', PEER, head, undefined);
  const trace = traceOf(head.headers);
  x.traceId = trace.traceId;
  x.traceFlags = trace.flags;
  x.caller = caller;
  return x;
}

function forward(fields: HeaderList, options: Partial<ForwardOptions> = {}, caller?: Caller): HeaderList {
  return requestHeaders(exchange(fields, caller), new ForwardRules({ ...OPTIONS, ...options }));
}

const FORGED = 'forged-by-the-client';

describe('names that a client cannot bring in', () => {
  const rules = new ForwardRules(OPTIONS);
  for (const name of forgedNames) {
    test(name, () => {
      assert.equal(rules.passes(name), false);
      for (const odd of ['_', '.', '~', '!']) assert.equal(rules.passes(name.replaceAll('-', odd)), false, odd);
    });
  }
});

test('our names for the caller, in any spelling, whatever is kept', () => {
  const keeping = new ForwardRules({ ...OPTIONS, keep: ['x*', '*', ...ownSpellings] });
  for (const name of ownSpellings) {
    assert.equal(isReserved(name), true, name);
    assert.equal(keeping.passes(name.toLowerCase()), false, name);
  }
  for (const name of honestNames) assert.equal(isReserved(name), false, name);
});

test('a name with anything but letters, digits and hyphens never passes by default', () => {
  const rules = new ForwardRules(OPTIONS);
  for (const name of ['x_custom', 'my.header', 'accept_language', 'a~b', 'a|b', "it's", 'a!', '_a', 'a_'])
    assert.equal(rules.passes(name), false, name);
});

describe('names that arrive', () => {
  for (const name of honestNames) {
    test(name, () => assert.deepEqual(headerValues(forward([name, 'v']), name), ['v']));
  }
});

describe('ours', () => {
  test('a stranger over plain HTTP', () => {
    const to = forward(['accept', '*/*']);
    const parent = headerValue(to, 'traceparent') ?? '';
    assert.match(parent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.deepEqual(to, [
      'host',
      'h',
      'accept',
      '*/*',
      'x-request-id',
      '0123456789abcdef0123456789abcdef',
      'x-forwarded-for',
      '203.0.113.7',
      'x-forwarded-proto',
      'http',
      'x-forwarded-host',
      'h',
      'traceparent',
      parent,
    ]);
  });

  test('a client behind a trusted proxy', () => {
    const x = exchange(['x-forwarded-for', '10.9.9.9, 198.51.100.1', 'x-forwarded-proto', 'https']);
    x.clientAddress = '198.51.100.1';
    x.clientScheme = 'https';
    x.clientHost = 'shop.example';
    const to = requestHeaders(x, new ForwardRules(OPTIONS));
    assert.deepEqual(headerValues(to, 'x-forwarded-for'), ['198.51.100.1, 203.0.113.7']);
    assert.deepEqual(headerValues(to, 'x-forwarded-proto'), ['https']);
    assert.deepEqual(headerValues(to, 'x-forwarded-host'), ['shop.example']);
  });

  test('a known caller', () => {
    const caller = { by: 'jwt', name: 'staff', subject: 'u-17', scopes: ['orders:read', 'orders:write'], claims: {} };
    const to = forward(['x-portcullis-caller', FORGED], {}, caller);
    assert.deepEqual(headerValues(to, 'x-portcullis-caller'), ['staff']);
    assert.deepEqual(headerValues(to, 'x-portcullis-subject'), ['u-17']);
    assert.deepEqual(headerValues(to, 'x-portcullis-scopes'), ['orders:read orders:write']);
  });

  test('a caller without subject and scopes leaves no empty field', () => {
    const to = forward([], {}, { by: 'api-key', name: 'partners', subject: undefined, scopes: [], claims: {} });
    assert.deepEqual([headerValue(to, 'x-portcullis-subject'), headerValue(to, 'x-portcullis-scopes')], [undefined, undefined]);
  });

  test('the host of the service, where the service wants it', () => {
    const to = forward([], { host: 'service' });
    assert.deepEqual(headerValues(to, 'host'), ['127.0.0.1:9001']);
    assert.deepEqual(headerValues(to, 'x-forwarded-host'), ['h']);
  });

  test('HTTP/1.0 without Host gets that of the service', () => {
    const head = readRequestHead('GET', '/', '1.0', [], false);
    assert.ok(!('kind' in head));
    const to = requestHeaders(new Exchange('i', PEER, head, undefined), new ForwardRules(OPTIONS));
    assert.deepEqual([headerValue(to, 'host'), headerValue(to, 'x-forwarded-host')], ['127.0.0.1:9001', '127.0.0.1:9001']);
  });

  test('a trace goes on with a span of our own, and its state', () => {
    const to = forward([
      'traceparent',
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'tracestate',
      'a=1',
      'tracestate',
      'b=2',
    ]);
    assert.match(
      headerValue(to, 'traceparent') ?? '',
      /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
    );
    assert.deepEqual(headerValues(to, 'tracestate'), ['a=1,b=2']);
  });

  test('the state of a broken trace does not go on', () => {
    const to = forward(['traceparent', '00-zero-1-01', 'tracestate', 'a=1']);
    assert.equal(headerValues(to, 'traceparent').length, 1);
    assert.equal(headerValue(to, 'tracestate'), undefined);
  });
});

describe('what the configuration can change', () => {
  test('drop takes a name away, keep brings a dropped one back', () => {
    const to = forward(['authorization', 'Bearer t', 'x-user', 'a', 'x_custom', 'b', 'x-real-ip', 'c'], {
      drop: ['Authorization'],
      keep: ['X-User', 'x_custom'],
    });
    assert.deepEqual(
      [headerValue(to, 'authorization'), headerValue(to, 'x-user'), headerValue(to, 'x_custom'), headerValue(to, 'x-real-ip')],
      [undefined, 'a', 'b', undefined],
    );
  });

  test('a star stands for any rest', () => {
    const to = forward(['x-acme-a', '1', 'x-acme', '2', 'x-user-a', '3'], { drop: ['x-acme-*'], keep: ['x-user-*'] });
    assert.deepEqual(
      [headerValue(to, 'x-acme-a'), headerValue(to, 'x-acme'), headerValue(to, 'x-user-a')],
      [undefined, '2', '3'],
    );
  });

  test('drop wins over keep', () => {
    assert.equal(headerValue(forward(['x-user', 'a'], { drop: ['x-user'], keep: ['x-user'] }), 'x-user'), undefined);
  });

  test('reserved names cannot be kept', () => {
    const reserved = forgedNames.filter(isReserved);
    assert.ok(reserved.length >= 20);
    const rules = new ForwardRules({ ...OPTIONS, keep: ['*', ...reserved] });
    for (const name of reserved) {
      assert.equal(rules.passes(name), false, name);
      assert.equal(rules.passes(name.replaceAll('-', '_')), false, name);
    }
  });

  test('drop does not take ours away', () => {
    const to = forward([], { drop: ['*'] });
    assert.deepEqual(
      to.filter((_, i) => i % 2 === 0),
      ['host', 'x-request-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'traceparent'],
    );
  });
});

describe('answers', () => {
  for (const name of hiddenInAnswers) {
    test(`${name} is hidden`, () => assert.deepEqual(bareResponseHeaders([name, 'v', 'x', 'y']), ['x', 'y']));
  }
  test('names of products are left to the room that can keep them', () => {
    const product = ['server', 'x-powered-by', 'x-aspnet-version', 'x-aspnetmvc-version'];
    const left = hiddenInAnswers.filter((name) => responseHeaders([name, 'v']).length > 0);
    assert.deepEqual(left, product);
  });
  for (const name of shownInAnswers) {
    test(`${name} is shown`, () => assert.deepEqual(responseHeaders([name, 'v']), [name, 'v']));
  }
  test('several set-cookie stay apart and in order', () => {
    assert.deepEqual(responseHeaders(['set-cookie', 'a=1', 'alt-svc', 's', 'set-cookie', 'b=2']), [
      'set-cookie',
      'a=1',
      'set-cookie',
      'b=2',
    ]);
  });
  test('what Connection names goes, but nothing that protects the client', () => {
    const list = [
      'connection',
      'x-a, content-security-policy, set-cookie',
      'x-a',
      '1',
      'content-security-policy',
      "default-src 'none'",
      'set-cookie',
      'a=1',
    ];
    const before = [...list];
    assert.deepEqual(responseHeaders(list), ['content-security-policy', "default-src 'none'", 'set-cookie', 'a=1']);
    assert.deepEqual(list, before, 'the list that came in is not touched');
  });
});

describe('values', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['u-17', 'u-17'],
    ['a b', 'a%20b'],
    ['50%', '50%25'],
    ['Jürgen Müller', 'J%C3%BCrgen%20M%C3%BCller'],
    ['a\r\nx: y', 'a%0D%0Ax:%20y'],
    ['a\0b', 'a%00b'],
    ['日本', '%E6%97%A5%E6%9C%AC'],
    ['😀', '%F0%9F%98%80'],
    ['\ud800', '%EF%BF%BD'],
    ['', ''],
    ['\x7f', '%7F'],
    ['"<>{}|', '"<>{}|'],
  ];
  for (const [text, written] of cases) test(`${JSON.stringify(text)} → ${written}`, () => assert.equal(visible(text), written));

  test('whatever the text: visible ASCII that can be undone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.match(visible(text), /^[\x21-\x7e]*$/);
        assert.equal(decodeURIComponent(visible(text)), text.toWellFormed());
      }),
    );
  });
});

/** Any spelling of a name that something behind the gateway may take for it: case is gone when a name reaches a header list. */
const spelling = fc
  .tuple(fc.constantFrom(...forgedNames), fc.constantFrom('-', '_', '.', '~', '!', '|'), fc.boolean())
  .map(([name, odd, all]) => (all ? name.replaceAll('-', odd) : name.replace('-', odd)));
const single = new Set(['host', 'content-length', 'transfer-encoding', 'proxy-authorization', 'expect']);

test("whatever the spelling, repetition and company: no name of ours arrives with the client's value", () => {
  const field = fc.oneof(
    { weight: 4, arbitrary: spelling.map((name) => [name, FORGED]) },
    { weight: 1, arbitrary: fc.constantFrom(...honestNames).map((name) => [name, 'honest']) },
  );
  const named = fc
    .array(fc.oneof(spelling, fc.constantFrom(...honestNames)), { maxLength: 4 })
    .map((names) => ['connection', names.join(', ')]);
  const rules = new ForwardRules(OPTIONS);
  let read = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 5, arbitrary: field }, { weight: 1, arbitrary: named }), { maxLength: 20 }),
      fc.boolean(),
      (fields, known) => {
        const list = fields.filter(([name]) => !single.has(name)).flat();
        const head = readRequestHead('GET', '/', '1.1', ['host', 'h', ...list], false);
        if ('kind' in head) return;
        read += 1;
        const x = new Exchange('id', PEER, head, undefined);
        x.traceId = traceOf(head.headers).traceId;
        x.caller = known ? { by: 'jwt', name: 'staff', subject: 's', scopes: ['a'], claims: {} } : undefined;
        const to = requestHeaders(x, rules);
        assert.ok(!to.includes(FORGED));
        assert.deepEqual(headerValues(to, 'host'), ['h']);
        assert.deepEqual(headerValues(to, 'x-forwarded-for'), [PEER.peerAddress]);
        assert.deepEqual(headerValues(to, 'x-request-id'), ['id']);
        assert.deepEqual(headerValues(to, 'x-portcullis-caller'), known ? ['staff'] : []);
        assert.ok(to.every((name, i) => i % 2 === 1 || /^[a-z0-9-]+$/.test(name)));
      },
    ),
    { numRuns: 5000 },
  );
  assert.ok(read > 500, `only ${read} read`);
});

test('verdicts are remembered, bounded, and the same as without memory', () => {
  let asked = 0;
  const verdicts = new NameVerdicts((name) => {
    asked += 1;
    return judgeName(name);
  });
  assert.equal(verdicts.of('accept'), PASS);
  assert.equal(verdicts.of('accept'), PASS);
  assert.equal(asked, 1);
  for (let i = 0; i < 10_000; i += 1) verdicts.of(`x-junk-${i}`);
  assert.ok(verdicts.size <= 4096);
  verdicts.of('x'.repeat(65));
  verdicts.of('x'.repeat(65));
  assert.equal(asked, 10_003);
  for (const name of [...forgedNames, ...honestNames]) assert.equal(verdicts.of(name), judgeName(name));
});
