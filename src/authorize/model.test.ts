import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { claimsOf } from '../../test/support/callers.ts';
import { Exchange } from '../exchange/exchange.ts';
import { compile } from './compile.ts';
import { authorizeOptions } from './options.ts';

/**
 * A model of the rules that is as simple as the manual: it looks at what the user wrote, one word after the other, with no compiling and
 * no sharing. The compiled rules must say the same of every caller.
 */

interface Written {
  scopes?: string[];
  'any-scope'?: string[];
  roles?: string[] | { any: string[]; claim: string };
  claims?: Record<string, unknown>;
  callers?: string[];
  addresses?: string[];
  time?: { days: string[]; from: string; to: string };
  owner?: { parameter: string; claim: string };
  'all-of'?: Written[];
  'any-of'?: Written[];
}

interface Situation {
  caller: { name: string; subject: string; scopes: string[]; claims: Record<string, unknown> } | undefined;
  address: string;
  id: string;
  query: [string, string][];
  now: number;
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);
const member = (claims: Record<string, unknown> | undefined, name: string): unknown =>
  name.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], claims);

function holds(rules: Written, now: Situation): boolean {
  const { caller } = now;
  const has = (wanted: unknown[], claim: string) =>
    caller !== undefined && listOf(member(caller.claims, claim)).some((one) => wanted.some((value) => value === one));
  const { roles = [] } = rules;
  const tests: [unknown, () => boolean][] = [
    [rules.scopes, () => rules.scopes?.every((scope) => caller?.scopes.includes(scope)) === true],
    [rules['any-scope'], () => rules['any-scope']?.some((scope) => caller?.scopes.includes(scope)) === true],
    [rules.roles, () => (Array.isArray(roles) ? has(roles, 'roles') : has(roles.any, roles.claim))],
    [rules.claims, () => Object.entries(rules.claims ?? {}).every(([name, wanted]) => has(listOf(wanted), name))],
    [rules.callers, () => caller !== undefined && rules.callers?.includes(caller.name) === true],
    [rules.addresses, () => rules.addresses?.some((network) => now.address.startsWith(network.split('.')[0])) === true],
    [rules.time, () => isOpen(rules.time, now.now)],
    [rules.owner, () => owns(rules.owner, now)],
    [rules['all-of'], () => rules['all-of']?.every((nested) => holds(nested, now)) === true],
    [rules['any-of'], () => rules['any-of']?.some((nested) => holds(nested, now)) === true],
  ];
  return tests.every(([written, test]) => written === undefined || test());
}

function isOpen(window: Written['time'], now: number): boolean {
  if (window === undefined) return false;
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
  const at = new Date(now).toISOString().slice(11, 16);
  const today = window.days.includes(names[new Date(now).getUTCDay()]);
  const yesterday = window.days.includes(names[new Date(now - 86_400_000).getUTCDay()]);
  if (window.from < window.to) return today && at >= window.from && at < window.to;
  return (today && at >= window.from) || (yesterday && at < window.to);
}

function owns(owner: Written['owner'], { caller, id, query }: Situation): boolean {
  if (owner === undefined || caller === undefined) return false;
  const same = query.filter(([name]) => name.toLowerCase().replace('[]', '') === owner.parameter);
  const value = owner.parameter === 'id' ? id : query.find(([name]) => name === owner.parameter)?.[1];
  if (same.length !== (owner.parameter === 'id' ? 0 : 1)) return false;
  const own = owner.claim in caller.claims ? caller.claims[owner.claim] : owner.claim === 'sub' ? caller.subject : undefined;
  return (
    value !== undefined && value !== '' && listOf(own).some((one) => (typeof one === 'number' ? String(one) : one) === value)
  );
}

const word = fc.constantFrom('a', 'b', 'c');
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 2 });
const value = fc.oneof(word, fc.constantFrom<unknown>(1, 2, '1', true, 'true', false));
const claim = fc.oneof(value, fc.array(value, { maxLength: 3 }), fc.constant(null), fc.record({ a: value }));
const claimName = fc.constantFrom('roles', 'tenant', 'deep.roles', 'sub');
const time = fc.constantFrom('00:00', '06:30', '12:00', '23:59');

const leaf = {
  scopes: words,
  'any-scope': words,
  roles: fc.oneof(words, fc.record({ any: words, claim: claimName })),
  claims: fc.dictionary(claimName, fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 2 })), { minKeys: 1, maxKeys: 2 }),
  callers: words,
  addresses: fc.uniqueArray(fc.constantFrom('10.0.0.0/8', '11.0.0.0/8'), { minLength: 1 }),
  time: fc
    .record({ days: fc.uniqueArray(fc.constantFrom('mon', 'tue', 'sun'), { minLength: 1 }), from: time, to: time })
    .filter(({ from, to }) => from !== to && to !== '00:00'),
  owner: fc.record({ parameter: fc.constantFrom('id', 'user'), claim: claimName.filter((name) => !name.includes('.')) }),
};

/** Rules in which lists are nested at most `depth` deep. Few words each: with all of them nothing ever passes. */
function rulesOf(depth: number): fc.Arbitrary<Written> {
  const list = (most: number) => fc.array(rulesOf(depth - 1), { minLength: 1, maxLength: most });
  const parts: Record<string, fc.Arbitrary<unknown>> = depth === 0 ? leaf : { ...leaf, 'all-of': list(2), 'any-of': list(3) };
  const keys = fc.uniqueArray(fc.constantFrom(...Object.keys(parts)), { minLength: 1, maxLength: 2 });
  return keys.chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, parts[name]]))) as fc.Arbitrary<Written>);
}
const written = rulesOf(3);

const situation: fc.Arbitrary<Situation> = fc.record({
  caller: fc.option(
    fc.record({
      name: word,
      subject: word,
      scopes: fc.uniqueArray(word),
      claims: fc.record(
        { roles: claim, tenant: claim, sub: fc.oneof(word, claim), deep: fc.record({ roles: claim }) },
        { requiredKeys: [] },
      ),
    }),
    { nil: undefined, freq: 8 },
  ),
  address: fc.constantFrom('10.1.1.1', '11.1.1.1', '12.1.1.1'),
  id: fc.oneof(word, fc.constantFrom('1', '2', 'true')),
  query: fc.array(fc.tuple(fc.constantFrom('user', 'USER', 'user[]', 'id', 'Id', 'other', 'users'), word), { maxLength: 2 }),
  now: fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 0, 15) }),
});

const CONNECTION = { listener: 'l', secure: true, peerAddress: '', peerPort: 1, serverName: undefined };

function exchange({ caller, address, id, query }: Situation): Exchange {
  const text = query.length === 0 ? undefined : new URLSearchParams(query).toString();
  const head = {
    method: 'GET',
    rawTarget: '',
    version: '2' as const,
    host: '',
    authority: '',
    path: `/${id}`,
    query: text,
    headers: [],
  };
  const x = new Exchange('r', CONNECTION, head, undefined);
  x.params = { id };
  x.clientAddress = address;
  x.caller = caller === undefined ? undefined : { by: 'jwt', ...caller, claims: claimsOf(caller.claims) };
  return x;
}

test('the compiled rules say what a plain model says', () => {
  let passed = 0;
  fc.assert(
    fc.property(written, fc.array(situation, { minLength: 1, maxLength: 8 }), (rules, situations) => {
      let now = 0;
      const rule = compile(authorizeOptions.parse(rules), '/{id}', { now: () => now });
      for (const one of situations) {
        now = one.now;
        const expected = holds(rules, one);
        assert.equal(rule.check(exchange(one)) === undefined, expected);
        if (expected) passed += 1;
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(passed > 300, `only ${passed} passed: the model must be tried on both sides`);
});
