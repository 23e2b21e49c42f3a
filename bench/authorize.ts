/** What the rules of `authorize` cost, over a thousand callers in turn, CPU time, median of the rounds: `node bench/authorize.ts`. Every check must pass. */
import { compile } from '../src/authorize/compile.ts';
import { authorizeOptions } from '../src/authorize/options.ts';
import { Exchange } from '../src/exchange/exchange.ts';

const CONNECTION = { listener: 'l', secure: true, peerAddress: '10.0.0.1', peerPort: 1, serverName: undefined };
const QUERY = 'a=1&limit=20&sort=-created&q=hello+world&cursor=%2Fabc&fields=a%2Cb';
const CALLERS = 1000;
const ROUNDS = 15;
const REPEATS = 200;

const cases: [name: string, rules: object, query?: string][] = [
  ['scope', { scopes: ['orders:read'] }],
  ['role', { roles: ['clerk'] }],
  ['claim', { claims: { tenant: 'acme' } }],
  ['address', { addresses: ['10.0.0.0/8'] }],
  ['time', { time: { from: '00:00', to: '24:00', zone: 'Europe/Berlin' } }],
  ['owner in the path', { owner: { parameter: 'id' } }],
  ['owner in the path, query of six fields', { owner: { parameter: 'id' } }, QUERY],
  [
    'scope, role, claim, address and owner',
    {
      scopes: ['orders:read'],
      roles: ['clerk'],
      claims: { tenant: 'acme' },
      addresses: ['10.0.0.0/8'],
      owner: { parameter: 'id' },
    },
  ],
];

function exchange(number: number, query: string | undefined): Exchange {
  const head = { method: 'GET', rawTarget: '', version: '2' as const, host: '', authority: '', path: '/', query, headers: [] };
  const x = new Exchange('r', CONNECTION, head, undefined);
  const subject = `user-${number}`;
  x.params = { id: subject };
  const claims = Object.assign(Object.create(null) as Record<string, unknown>, {
    sub: subject,
    roles: ['a', 'b', 'clerk'],
    tenant: 'acme',
  });
  x.caller = { by: 'jwt', name: 'staff', subject, scopes: ['openid', 'orders:read', `x${number}`], claims };
  return x;
}

for (const [name, rules, query] of cases) {
  const rule = compile(authorizeOptions.parse(rules), '/{id}', { now: Date.now });
  const exchanges = Array.from({ length: CALLERS }, (_, number) => exchange(number, query));
  const times = Array.from({ length: ROUNDS }, () => {
    const began = process.cpuUsage();
    for (let i = 0; i < REPEATS; i += 1) {
      for (const x of exchanges) {
        x.queryReading = undefined;
        if (rule.check(x) !== undefined) throw new Error(`${name} refuses`);
      }
    }
    const { user, system } = process.cpuUsage(began);
    return ((user + system) * 1e3) / (CALLERS * REPEATS);
  }).sort((a, b) => a - b);
  process.stdout.write(`${name.padEnd(42)} ${times[ROUNDS >> 1].toFixed(0).padStart(6)} ns (least ${times[0].toFixed(0)})\n`);
}
