import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AMBIENT,
  NAMED,
  NOT_AMBIENT,
  ORIGINS,
  type OriginName,
  SAFE,
  SITES,
  type SiteName,
  UNSAFE,
  verdicts,
} from '../../../test/cases/csrf.ts';
import { request } from '../../../test/support/corridor.ts';
import type { Caller } from '../../exchange/exchange.ts';
import { prepareCsrf, type RouteOrigins } from './csrf.ts';
import { csrfOptions } from './options.ts';

const check = (written: unknown, route: RouteOrigins = {}) => {
  const prepared = prepareCsrf(csrfOptions.parse(written), route);
  assert.ok(prepared);
  return prepared;
};

interface Ask {
  readonly method?: string;
  readonly site?: SiteName;
  readonly origin?: OriginName;
  readonly credential?: readonly string[];
  readonly caller?: Caller;
  readonly upgrade?: boolean;
}

function exchange({ method = 'POST', site = 'absent', origin = 'absent', credential = ['cookie', 'a=1'], caller, upgrade }: Ask) {
  const headers = [...credential];
  const [siteText, originText] = [SITES[site], ORIGINS[origin]];
  if (siteText !== undefined) headers.push('sec-fetch-site', siteText);
  if (originText !== undefined) headers.push('origin', originText === 'OWN' ? 'http://api.test' : originText);
  const x = request({ method, headers, upgrade });
  x.caller = caller;
  return x;
}

const by = (kind: string, header?: string): Caller => ({ by: kind, name: kind, subject: 'u', scopes: [], claims: {}, header });

describe('an unsafe request with cookies', () => {
  const judge = check({ origins: NAMED });
  for (const { site, origin, passes } of verdicts()) {
    test(`site ${site}, origin ${origin}: ${passes ? 'passes' : 'is refused'}`, () => {
      for (const method of UNSAFE) {
        const refusal = judge(exchange({ method, site, origin }));
        assert.equal(refusal?.code, passes ? undefined : 'csrf', method);
        if (refusal !== undefined) assert.deepEqual([refusal.room, refusal.status], ['authenticate', 403]);
      }
      // The handshake is a GET and as unsafe as any.
      assert.equal(judge(exchange({ method: 'GET', site, origin, upgrade: true }))?.code, passes ? undefined : 'csrf');
      for (const method of SAFE) assert.equal(judge(exchange({ method, site, origin })), undefined, method);
    });
  }
});

describe('a credential', () => {
  const judge = check({});
  const asks: Ask[] = [
    { site: 'cross-site', origin: 'foreign' },
    { site: 'cross-site', origin: 'foreign', upgrade: true, method: 'GET' },
    { origin: 'foreign' },
    { origin: 'null' },
    { site: 'same-site' },
    { site: 'unknown' },
  ];
  for (const [name, credential] of Object.entries(AMBIENT)) {
    test(`on an open route: ${name} is ambient`, () => {
      for (const ask of asks) assert.equal(judge(exchange({ ...ask, credential }))?.code, 'csrf');
    });
  }
  for (const [name, credential] of Object.entries(NOT_AMBIENT)) {
    test(`on an open route: ${name} is not ambient`, () => {
      for (const ask of asks) assert.equal(judge(exchange({ ...ask, credential })), undefined);
    });
  }
  test('of a certificate is ambient, with a cookie or without', () => {
    for (const ask of asks) {
      for (const credential of [[], ['cookie', 'a=1']]) {
        assert.equal(judge(exchange({ ...ask, credential, caller: by('mtls') }))?.code, 'csrf');
      }
    }
  });
  test('in a cookie would be ambient', () => {
    for (const ask of asks) assert.equal(judge(exchange({ ...ask, caller: by('session', 'cookie') }))?.code, 'csrf');
  });
  test('in a header is not ambient, also beside a cookie', () => {
    for (const ask of asks) {
      for (const caller of [by('jwt', 'authorization'), by('api-key', 'x-api-key')]) {
        assert.equal(judge(exchange({ ...ask, caller })), undefined);
      }
    }
  });
});

describe('our own origin', () => {
  const judge = check({});
  const ask = (origin: string, change: (x: ReturnType<typeof request>) => void = () => undefined) => {
    const x = request({ method: 'POST', headers: ['cookie', 'a=1', 'origin', origin] });
    change(x);
    return judge(x)?.code;
  };
  test('is scheme, host and port of what the client asked for', () => {
    assert.equal(ask('http://api.test'), undefined);
    for (const origin of ['https://api.test', 'http://api.test:8080', 'http://api.test.', 'http://xapi.test', 'http://api']) {
      assert.equal(ask(origin), 'csrf', origin);
    }
  });
  test('is that of the trusted proxy in front', () => {
    const proxied = (x: ReturnType<typeof request>) => {
      x.clientScheme = 'https';
      x.clientHost = 'www.shop.test:443';
    };
    assert.equal(ask('https://www.shop.test', proxied), undefined);
    assert.equal(ask('https://api.test', proxied), 'csrf');
    assert.equal(ask('http://www.shop.test', proxied), 'csrf');
  });
});

describe('allowed origins', () => {
  const foreign: Ask = { site: 'cross-site', origin: 'named' };
  const app = 'https://app.partner.test';
  test('are those of csrf, of origins, and of cors where it is about credentials', () => {
    assert.equal(check({})(exchange(foreign))?.code, 'csrf');
    assert.equal(check({ origins: app })(exchange(foreign)), undefined);
    assert.equal(check({}, { origins: [app] })(exchange(foreign)), undefined);
    assert.equal(check({}, { cors: { origins: [app], credentials: true } })(exchange(foreign)), undefined);
    assert.equal(check({}, { cors: { origins: [app], credentials: false } })(exchange(foreign))?.code, 'csrf');
  });
  test('a star is about WebSockets alone', () => {
    const judge = check({}, { origins: ['*'] });
    assert.equal(judge(exchange(foreign))?.code, 'csrf');
    assert.equal(judge(exchange({ ...foreign, method: 'GET', upgrade: true })), undefined);
    const shared = check({}, { cors: { origins: ['*'], credentials: false } });
    assert.equal(shared(exchange({ ...foreign, method: 'GET', upgrade: true }))?.code, 'csrf');
  });
  test('null counts where it is named', () => {
    const ask: Ask = { site: 'cross-site', origin: 'null' };
    assert.equal(check({ origins: ['null'] })(exchange(ask)), undefined);
    assert.equal(check({ origins: NAMED })(exchange(ask))?.code, 'csrf');
  });
});

test('doubled fields are refused, should the reader of heads ever let them through', () => {
  const judge = check({ origins: NAMED });
  const own = ['origin', 'http://api.test'];
  const site = ['sec-fetch-site', 'same-origin'];
  for (const headers of [
    [...own, ...own],
    [...site, ...site],
    [...site, 'sec-fetch-site', ''],
  ]) {
    assert.equal(judge(request({ method: 'POST', headers: ['cookie', 'a=1', ...headers] }))?.code, 'csrf');
  }
});

test('it is on unless it is written to be off, and takes no star', () => {
  assert.equal(prepareCsrf(csrfOptions.parse('off'), {}), undefined);
  assert.ok(prepareCsrf(csrfOptions.parse(undefined), {}));
  for (const wrong of [
    'on',
    { origins: '*' },
    { origins: ['app.test'] },
    { origins: ['https://a.test/x'] },
    { off: true },
    false,
  ]) {
    assert.equal(csrfOptions.safeParse(wrong).success, false, JSON.stringify(wrong));
  }
});
