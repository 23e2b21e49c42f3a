/**
 * What callers may do, as data: rules as a user writes them, and requests that must pass beside requests that must stop, each with the
 * code of the rule that was missing. Read in memory by the tests of the room `authorize`, and in part over sockets.
 */

export interface CaseCaller {
  readonly by?: string;
  readonly name?: string;
  readonly subject?: string;
  readonly scopes?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface CaseCall {
  /** Path and query; `/x` without it. */
  readonly target?: string;
  /** The type of the body, and the body. Without it there is none. */
  readonly body?: readonly [type: string | undefined, text: string];
  /** Milliseconds since the epoch, or a time in ISO 8601. */
  readonly at?: string;
  readonly address?: string;
  /** `none`: there is no caller. Without it, the one of the case. */
  readonly caller?: CaseCaller | 'none';
  /** `pass`, or the code of the refusal. */
  readonly gives: string;
}

export interface AuthorizeCase {
  readonly name: string;
  /** The path pattern of the route; `/x` without it. */
  readonly path?: string;
  readonly rules: Readonly<Record<string, unknown>>;
  readonly caller?: CaseCaller;
  readonly calls: readonly CaseCall[];
}

const scopes = (...list: string[]): CaseCaller => ({ scopes: list });
const claims = (value: Record<string, unknown>): CaseCaller => ({ claims: value });
const alice: CaseCaller = { subject: 'alice', claims: { sub: 'alice' } };

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const part = (name: string, value: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n--b--\r\n`;

const scopeCases: AuthorizeCase[] = [
  {
    name: 'scopes are all needed, and compared as a whole',
    rules: { scopes: ['orders:read', 'orders:write'] },
    calls: [
      { caller: scopes('orders:read', 'orders:write'), gives: 'pass' },
      { caller: scopes('x', 'orders:write', 'y', 'orders:read'), gives: 'pass' },
      { caller: scopes('orders:read'), gives: 'scope-missing' },
      { caller: scopes('orders:write'), gives: 'scope-missing' },
      { caller: scopes(), gives: 'scope-missing' },
      { caller: 'none', gives: 'scope-missing' },
      { caller: scopes('orders:read orders:write'), gives: 'scope-missing' },
      { caller: scopes('orders:read,orders:write'), gives: 'scope-missing' },
      { caller: scopes('ORDERS:READ', 'ORDERS:WRITE'), gives: 'scope-missing' },
      { caller: scopes('orders:readonly', 'orders:writer'), gives: 'scope-missing' },
      { caller: scopes('xorders:read', 'orders:write'), gives: 'scope-missing' },
      { caller: scopes('orders:*', '*', 'orders'), gives: 'scope-missing' },
      { caller: scopes('orders:read\u200b', 'orders:write'), gives: 'scope-missing' },
      { caller: scopes('ｏrders:read', 'orders:write'), gives: 'scope-missing' },
    ],
  },
  {
    name: 'a scope that only the claims tell is none',
    rules: { scopes: ['admin'] },
    calls: [
      { caller: claims({ scope: 'admin', scp: ['admin'], scopes: ['admin'] }), gives: 'scope-missing' },
      { caller: scopes('admin'), gives: 'pass' },
    ],
  },
  {
    name: 'any-scope needs one',
    rules: { 'any-scope': ['a', 'b'] },
    calls: [
      { caller: scopes('a'), gives: 'pass' },
      { caller: scopes('c', 'b'), gives: 'pass' },
      { caller: scopes('c'), gives: 'scope-missing' },
      { caller: scopes('ab', 'a b', 'A'), gives: 'scope-missing' },
      { caller: 'none', gives: 'scope-missing' },
    ],
  },
];

const roleCases: AuthorizeCase[] = [
  {
    name: 'one role suffices; it is an entry of the list, or the whole text',
    rules: { roles: ['admin', 'clerk'] },
    calls: [
      { caller: claims({ roles: ['admin'] }), gives: 'pass' },
      { caller: claims({ roles: ['guest', 'clerk'] }), gives: 'pass' },
      { caller: claims({ roles: 'admin' }), gives: 'pass' },
      { caller: claims({ roles: [] }), gives: 'role-missing' },
      { caller: claims({}), gives: 'role-missing' },
      { caller: 'none', gives: 'role-missing' },
      { caller: claims({ roles: 'admin clerk' }), gives: 'role-missing' },
      { caller: claims({ roles: 'admin,guest' }), gives: 'role-missing' },
      { caller: claims({ roles: ['Admin', 'administrator', ' admin', 'admin '] }), gives: 'role-missing' },
      { caller: claims({ roles: [['admin']] }), gives: 'role-missing' },
      { caller: claims({ roles: { admin: true } }), gives: 'role-missing' },
      { caller: claims({ roles: { 0: 'admin', length: 1 } }), gives: 'role-missing' },
      { caller: claims({ roles: true }), gives: 'role-missing' },
      { caller: claims({ roles: null }), gives: 'role-missing' },
      { caller: claims({ role: ['admin'], Roles: ['admin'], 'roles ': ['admin'] }), gives: 'role-missing' },
      { caller: scopes('admin'), gives: 'role-missing' },
      { caller: claims({ realm_access: { roles: ['admin'] } }), gives: 'role-missing' },
    ],
  },
  {
    name: 'roles of a claim that lies deeper',
    rules: { roles: { claim: 'realm_access.roles', any: ['admin'] } },
    calls: [
      { caller: claims({ realm_access: { roles: ['admin'] } }), gives: 'pass' },
      { caller: claims({ 'realm_access.roles': ['admin'] }), gives: 'pass' },
      { caller: claims({ roles: ['admin'] }), gives: 'role-missing' },
      { caller: claims({ realm_access: [{ roles: ['admin'] }] }), gives: 'role-missing' },
      { caller: claims({ realm_access: '{"roles":["admin"]}' }), gives: 'role-missing' },
      { caller: claims({ realm_access: null }), gives: 'role-missing' },
    ],
  },
  {
    name: 'names of every object are no claims',
    rules: { roles: { claim: 'constructor.name', any: ['Object'] } },
    calls: [
      { caller: claims({}), gives: 'role-missing' },
      { caller: claims({ constructor: { name: ['Object'] } }), gives: 'pass' },
    ],
  },
];

const claimCases: AuthorizeCase[] = [
  {
    name: 'claims are compared with their types',
    rules: { claims: { tenant: 'acme', level: [2, 3], verified: true } },
    calls: [
      { caller: claims({ tenant: 'acme', level: 3, verified: true }), gives: 'pass' },
      { caller: claims({ tenant: ['x', 'acme'], level: [1, 2], verified: [true] }), gives: 'pass' },
      { caller: claims({ tenant: 'acme', level: '3', verified: true }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: 'acme', level: 3, verified: 'true' }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: 'acme', level: 3, verified: 1 }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: 'acme', level: true, verified: true }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: 'Acme', level: 3, verified: true }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: 'acme ', level: 3, verified: true }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: ['acm', 'e'], level: 3, verified: true }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: { acme: 1 }, level: 3, verified: true }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: [['acme']], level: 3, verified: true }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: 'acme', level: 4, verified: true }), gives: 'claim-mismatch' },
      { caller: claims({ tenant: 'acme', level: 3 }), gives: 'claim-mismatch' },
      { caller: claims({}), gives: 'claim-mismatch' },
      { caller: 'none', gives: 'claim-mismatch' },
    ],
  },
  {
    name: 'a claim named like a member of every object is missing where it is not there',
    rules: { claims: { '__proto__.polluted': 'yes' } },
    calls: [
      { caller: claims({}), gives: 'claim-mismatch' },
      { caller: claims(JSON.parse('{"__proto__":{"polluted":"yes"}}') as Record<string, unknown>), gives: 'pass' },
    ],
  },
  {
    name: 'a claim named by a URL',
    rules: { claims: { 'https://example.com/tier': 'gold' } },
    calls: [
      { caller: claims({ 'https://example.com/tier': 'gold' }), gives: 'pass' },
      { caller: claims({ 'https://example': { 'com/tier': 'gold' } }), gives: 'pass' },
      { caller: claims({ tier: 'gold' }), gives: 'claim-mismatch' },
    ],
  },
];

const requestCases: AuthorizeCase[] = [
  {
    name: 'the caller came by one of the methods',
    rules: { callers: ['staff'] },
    calls: [
      { caller: { name: 'staff' }, gives: 'pass' },
      { caller: { name: 'partners' }, gives: 'caller-refused' },
      { caller: { name: 'Staff' }, gives: 'caller-refused' },
      { caller: { name: 'jwt', by: 'staff' }, gives: 'caller-refused' },
      { caller: 'none', gives: 'caller-refused' },
    ],
  },
  {
    name: 'the client address is in a network',
    rules: { addresses: ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'] },
    calls: [
      { address: '10.1.2.3', gives: 'pass' },
      { address: '192.0.2.7', gives: 'pass' },
      { address: '2001:db8:1::1', gives: 'pass' },
      { address: '11.0.0.1', gives: 'address-refused' },
      { address: '192.0.2.8', gives: 'address-refused' },
      { address: '2001:db9::1', gives: 'address-refused' },
      { address: '::1', gives: 'address-refused' },
      { address: 'fe80::1%eth0', gives: 'address-refused' },
      { address: '', gives: 'address-refused' },
      { address: '10.1.2.3.4', gives: 'address-refused' },
    ],
  },
  {
    name: 'office hours in a zone with summer time',
    rules: { time: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00', zone: 'Europe/Berlin' } },
    calls: [
      { at: '2026-11-24T07:00:00Z', gives: 'pass' },
      { at: '2026-11-24T06:59:59.999Z', gives: 'outside-hours' },
      { at: '2026-11-24T16:59:59.999Z', gives: 'pass' },
      { at: '2026-11-24T17:00:00Z', gives: 'outside-hours' },
      { at: '2026-07-14T06:00:00Z', gives: 'pass' },
      { at: '2026-07-14T05:59:59Z', gives: 'outside-hours' },
      { at: '2026-07-14T16:00:00Z', gives: 'outside-hours' },
      { at: '2026-11-21T10:00:00Z', gives: 'outside-hours' },
      { at: '2026-11-22T10:00:00Z', gives: 'outside-hours' },
    ],
  },
  {
    name: 'a window over midnight belongs to the day on which it begins',
    rules: {
      time: [
        { days: ['fri'], from: '22:00', to: '06:00' },
        { days: ['wed'], from: '12:00' },
      ],
    },
    calls: [
      { at: '2026-11-27T22:00:00Z', gives: 'pass' },
      { at: '2026-11-28T05:59:00Z', gives: 'pass' },
      { at: '2026-11-28T06:00:00Z', gives: 'outside-hours' },
      { at: '2026-11-28T22:00:00Z', gives: 'outside-hours' },
      { at: '2026-11-27T05:00:00Z', gives: 'outside-hours' },
      { at: '2026-11-25T23:59:59Z', gives: 'pass' },
      { at: '2026-11-26T00:00:00Z', gives: 'outside-hours' },
      { at: '2026-11-25T11:59:59Z', gives: 'outside-hours' },
    ],
  },
  {
    name: 'zones with offsets of quarters, and the hour that comes twice',
    rules: { time: { from: '01:30', to: '02:30', zone: 'America/New_York' } },
    calls: [
      { at: '2026-11-01T05:30:00Z', gives: 'pass' },
      { at: '2026-11-01T06:00:00Z', gives: 'outside-hours' },
      { at: '2026-11-01T06:30:00Z', gives: 'pass' },
      { at: '2026-11-01T07:30:00Z', gives: 'outside-hours' },
    ],
  },
  {
    name: 'a zone three quarters of an hour off',
    rules: { time: { from: '12:00', to: '12:01', zone: 'Asia/Kathmandu' } },
    calls: [
      { at: '2026-11-24T06:15:59Z', gives: 'pass' },
      { at: '2026-11-24T06:14:59Z', gives: 'outside-hours' },
      { at: '2026-11-24T06:16:00Z', gives: 'outside-hours' },
    ],
  },
];

const ownerCases: AuthorizeCase[] = [
  {
    name: 'a parameter of the path belongs to the caller',
    path: '/users/{id}/orders',
    rules: { owner: { parameter: 'id', claim: 'sub' } },
    caller: alice,
    calls: [
      { target: '/users/alice/orders', gives: 'pass' },
      { target: '/users/%61lice/orders', gives: 'pass' },
      { target: '/users/alice/orders?limit=5&sort=-date&q=a%26id%3Dbob', gives: 'pass' },
      { target: '/users/alice/orders?', gives: 'pass' },
      { target: '/users/alice/orders?ids=1&id_token=x&idx=2&user_id=bob&i=d&guid=7&id-type=x', gives: 'pass' },
      { target: '/users/alice/orders?filter[id]=bob&order.id=7', gives: 'pass' },
      { target: '/users/alice/orders?q=a;b', gives: 'pass' },
      { target: '/users/bob/orders', gives: 'not-owner' },
      { target: '/users/Alice/orders', gives: 'not-owner' },
      { target: '/users/alice%20/orders', gives: 'not-owner' },
      { target: '/users/alice,bob/orders', gives: 'not-owner' },
      { target: '/users/alic%C3%A9/orders', gives: 'not-owner' },
      { target: '/users/bob/orders?id=alice', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id=alice', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id[]=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id[0]=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id[$ne]=x', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id%5B%5D=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?%69%64=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?ID=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?Id=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?[id]=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id.0=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?+id=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id+=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id%00=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?id%00x=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?%EF%BD%89d=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?%C4%B1d=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?i%E2%80%8Bd=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?%2569d=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?%25u0069d=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?a=1;id=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?a=1&amp;id=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders??id=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?%u0069d=bob', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?q=100%', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?q=%C0%AF', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders?q=%FF', gives: 'parameter-ambiguous' },
      { target: '/users/alice/orders', caller: 'none', gives: 'not-owner' },
      { target: '/users/alice/orders', caller: { scopes: ['alice'] }, gives: 'not-owner' },
      { target: '/users/alice/orders', caller: claims({ sub: ['bob', 'alice'] }), gives: 'pass' },
      { target: '/users/alice/orders', caller: claims({ sub: [['alice']] }), gives: 'not-owner' },
      { target: '/users/alice/orders', caller: claims({ sub: { alice: 1 } }), gives: 'not-owner' },
      { target: '/users/true/orders', caller: claims({ sub: true }), gives: 'not-owner' },
      { target: '/users/null/orders', caller: claims({ sub: null }), gives: 'not-owner' },
      { target: '/users/undefined/orders', caller: claims({}), gives: 'not-owner' },
      { target: '/users/[object%20Object]/orders', caller: claims({ sub: {} }), gives: 'not-owner' },
      { target: '/users/alice/orders', caller: { subject: 'alice' }, gives: 'pass' },
      { target: '/users/alice/orders', caller: { subject: 'alice', claims: { sub: 'bob' } }, gives: 'not-owner' },
    ],
  },
  {
    name: 'a claim that is a number',
    path: '/accounts/{account_id}',
    rules: { owner: { parameter: 'account_id', claim: 'accounts' } },
    caller: claims({ accounts: [42, 7, 'x-9', 1.5, 2 ** 53] }),
    calls: [
      { target: '/accounts/42', gives: 'pass' },
      { target: '/accounts/7', gives: 'pass' },
      { target: '/accounts/x-9', gives: 'pass' },
      { target: '/accounts/042', gives: 'not-owner' },
      { target: '/accounts/42.0', gives: 'not-owner' },
      { target: '/accounts/4.2e1', gives: 'not-owner' },
      { target: '/accounts/0x2a', gives: 'not-owner' },
      { target: '/accounts/+42', gives: 'not-owner' },
      { target: '/accounts/%2042', gives: 'not-owner' },
      { target: '/accounts/%D9%A4%D9%A2', gives: 'not-owner' },
      { target: '/accounts/1.5', gives: 'not-owner' },
      { target: '/accounts/9007199254740992', gives: 'not-owner' },
      { target: '/accounts/42?accountId=7', gives: 'parameter-ambiguous' },
      { target: '/accounts/42?account.id=7', gives: 'parameter-ambiguous' },
      { target: '/accounts/42?account+id=7', gives: 'parameter-ambiguous' },
      { target: '/accounts/42?account-id=7', gives: 'parameter-ambiguous' },
      { target: '/accounts/42?ACCOUNT_ID%5b0%5d=7', gives: 'parameter-ambiguous' },
      { target: '/accounts/42?account=7&id=7', gives: 'pass' },
    ],
  },
  {
    name: 'a parameter of the query is there exactly once',
    path: '/orders',
    rules: { owner: { parameter: 'user', claim: 'sub' } },
    caller: { claims: { sub: 'jörg & co+1' } },
    calls: [
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1', gives: 'pass' },
      { target: '/orders?user=j%c3%b6rg%20%26%20co%2b1&limit=3', gives: 'pass' },
      { target: '/orders?limit=3&&%75ser=j%C3%B6rg+%26+co%2B1&', gives: 'pass' },
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1&user_type=x&users=1&userid=5', gives: 'pass' },
      { target: '/orders?user=j%C3%B6rg+%26+co+1', gives: 'not-owner' },
      { target: '/orders?user=jo%CC%88rg+%26+co%2B1', gives: 'not-owner' },
      { target: '/orders?user=j%F6rg+%26+co%2B1', gives: 'parameter-ambiguous' },
      { target: '/orders', gives: 'parameter-missing' },
      { target: '/orders?', gives: 'parameter-missing' },
      { target: '/orders?user', gives: 'not-owner' },
      { target: '/orders?user=', gives: 'not-owner' },
      { target: '/orders?users=j%C3%B6rg', gives: 'parameter-missing' },
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1&user=j%C3%B6rg+%26+co%2B1', gives: 'parameter-ambiguous' },
      { target: '/orders?user=bob&user=j%C3%B6rg+%26+co%2B1', gives: 'parameter-ambiguous' },
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1&%75ser=bob', gives: 'parameter-ambiguous' },
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1&user[]=bob', gives: 'parameter-ambiguous' },
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1&user%5B%5D=bob', gives: 'parameter-ambiguous' },
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1&USER=bob', gives: 'parameter-ambiguous' },
      { target: '/orders?USER=j%C3%B6rg+%26+co%2B1', gives: 'parameter-ambiguous' },
      { target: '/orders?user[]=j%C3%B6rg+%26+co%2B1', gives: 'parameter-ambiguous' },
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1;user=bob', gives: 'parameter-ambiguous' },
      { target: '/orders?x=1;user=bob&user=j%C3%B6rg+%26+co%2B1', gives: 'parameter-ambiguous' },
      { target: '/orders?x=1;user=j%C3%B6rg+%26+co%2B1', gives: 'parameter-ambiguous' },
      { target: '/orders?user=j%25C3%25B6rg+%26+co%2B1', gives: 'parameter-ambiguous' },
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1&x=%', gives: 'parameter-ambiguous' },
      { target: '/orders?user=j%C3%B6rg+%26+co%2B1&x=%zz', gives: 'parameter-ambiguous' },
      { target: `/orders?${'a&'.repeat(1001)}user=bob&user=j%C3%B6rg+%26+co%2B1`, gives: 'parameter-ambiguous' },
    ],
  },
  {
    name: 'a parameter of the query may stand in the body only with the same value',
    path: '/orders',
    rules: { owner: { parameter: 'user', claim: 'sub' } },
    caller: alice,
    calls: [
      { target: '/orders?user=alice', body: [FORM, 'item=1&note=user%3Dbob'], gives: 'pass' },
      { target: '/orders?user=alice', body: [FORM, 'item=1&user=%61lice'], gives: 'pass' },
      { target: '/orders?user=alice', body: [FORM, '{"user":"bob"}'], gives: 'pass' },
      { target: '/orders?user=alice', body: [FORM, ''], gives: 'pass' },
      { target: '/orders?user=alice', body: [JSON_TYPE, '{"user":"alice","order":{"user":"bob"}}'], gives: 'pass' },
      { target: '/orders?user=alice', body: [JSON_TYPE, '[{"user":"bob"}]'], gives: 'pass' },
      { target: '/orders?user=alice', body: ['application/octet-stream', 'user=bob'], gives: 'pass' },
      { target: '/orders?user=alice', body: ['multipart/form-data; boundary=b', part('item', '1')], gives: 'pass' },
      { target: '/orders?user=alice', body: ['multipart/form-data; boundary=b', part('user', 'alice')], gives: 'pass' },
      { target: '/orders?user=bob', body: [FORM, 'user=alice'], gives: 'not-owner' },
      { target: '/orders', body: [FORM, 'user=alice'], gives: 'parameter-missing' },
      { target: '/orders?user=alice', body: [FORM, 'user=bob'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [FORM, 'user=alice&user=bob'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [FORM, 'user[]=alice'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [FORM, '%75SER=bob'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [FORM, 'x=1;user=bob'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [FORM, 'x=%'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [`${FORM}; charset=ibm037`, 'x=1'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [FORM.toUpperCase(), 'user=bob'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [undefined, 'user=bob'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [JSON_TYPE, '{"user":"bob"}'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [JSON_TYPE, '{"\\u0075ser":"bob"}'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [JSON_TYPE, '{"user":["alice"]}'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: [JSON_TYPE, '{"user":"alice","user":"bob"}'], gives: 'parameter-ambiguous' },
      { target: '/orders?user=alice', body: ['application/vnd.api+json', '{"User":"bob"}'], gives: 'parameter-ambiguous' },
      {
        target: '/orders?user=alice',
        body: ['multipart/form-data; boundary=b', part('user', 'bob')],
        gives: 'parameter-ambiguous',
      },
    ],
  },
  {
    name: 'an empty claim owns nothing',
    path: '/orders',
    rules: { owner: { parameter: 'user' } },
    caller: { subject: '', claims: { sub: '' } },
    calls: [
      { target: '/orders?user=', gives: 'not-owner' },
      { target: '/orders?user', gives: 'not-owner' },
    ],
  },
];

const combinedCases: AuthorizeCase[] = [
  {
    name: 'each owns its own, administrators all',
    path: '/users/{id}',
    rules: { 'any-of': [{ owner: { parameter: 'id', claim: 'sub' } }, { roles: ['admin'] }] },
    calls: [
      { target: '/users/alice', caller: alice, gives: 'pass' },
      { target: '/users/bob', caller: alice, gives: 'not-owner' },
      { target: '/users/bob', caller: claims({ sub: 'alice', roles: ['admin'] }), gives: 'pass' },
      { target: '/users/bob?id=carol', caller: claims({ sub: 'alice', roles: ['admin'] }), gives: 'pass' },
      { target: '/users/alice?id=bob', caller: alice, gives: 'parameter-ambiguous' },
      { target: '/users/bob', caller: 'none', gives: 'not-owner' },
    ],
  },
  {
    name: 'all that stands in one mapping must hold',
    rules: { scopes: ['a'], roles: ['r'], claims: { t: 1 }, addresses: ['10.0.0.0/8'] },
    caller: { scopes: ['a'], claims: { roles: ['r'], t: 1 } },
    calls: [
      { address: '10.0.0.1', gives: 'pass' },
      { address: '10.0.0.1', caller: { scopes: ['b'], claims: { roles: ['r'], t: 1 } }, gives: 'scope-missing' },
      { address: '10.0.0.1', caller: { scopes: ['a'], claims: { roles: ['s'], t: 1 } }, gives: 'role-missing' },
      { address: '10.0.0.1', caller: { scopes: ['a'], claims: { roles: ['r'], t: 2 } }, gives: 'claim-mismatch' },
      { address: '11.0.0.1', gives: 'address-refused' },
    ],
  },
  {
    name: 'lists in lists',
    rules: {
      'any-of': [{ 'all-of': [{ scopes: ['a'] }, { 'any-of': [{ roles: ['x'] }, { roles: ['y'] }] }] }, { scopes: ['z'] }],
    },
    calls: [
      { caller: { scopes: ['a'], claims: { roles: ['y'] } }, gives: 'pass' },
      { caller: { scopes: ['z'] }, gives: 'pass' },
      { caller: { scopes: ['a'] }, gives: 'role-missing' },
      { caller: { claims: { roles: ['x', 'y'] } }, gives: 'scope-missing' },
    ],
  },
];

export const authorizeCases: readonly AuthorizeCase[] = [
  ...scopeCases,
  ...roleCases,
  ...claimCases,
  ...requestCases,
  ...ownerCases,
  ...combinedCases,
];
