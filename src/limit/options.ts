import { z } from 'zod';
import { keyProblem } from './keys.ts';
import { LONGEST_FILL, type WrittenRate } from './rate.ts';
import { rate } from './rate-option.ts';

const burst = z.int().min(1).max(1_000_000_000).optional();

const plan = z
  .strictObject({
    rate: rate().describe('How many in which time, for callers with this plan.'),
    burst: burst.describe("The most at one instant. Without it: the rate's count."),
  })
  .check((context) => tell(context, fillProblem(context.value), ['burst']));

const by = z
  .union([z.string(), z.array(z.string()).min(1)])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .check((context) => tell(context, keyProblem(context.value), []));

/** One limit. */
export const limitOptions = z
  .strictObject({
    rate: rate()
      .optional()
      .describe(
        'How many in which time: `5/second`, `100/minute`, `1000/hour`, `20/day`, `5/10s`. With `plans`: for callers without one of them.',
      ),
    burst: burst.describe("The most at one instant. Without it: the rate's count."),
    by: by.describe(
      'Whose requests are counted together: `address`, `caller`, `api-key`, `claim:NAME`, `header:NAME`, `route`, or a list of these, which counts each combination by itself.',
    ),
    plans: z
      .record(z.string().min(1).max(64), plan)
      .optional()
      .describe("Other rates for callers with a plan: by the plan's name, as the API key or a claim of the token says it."),
    'default-plan': z
      .string()
      .optional()
      .describe('The plan of callers that have none, or one that is not listed. Instead of `rate`.'),
    'ipv6-prefix': z
      .int()
      .min(32)
      .max(128)
      .default(64)
      .describe('So many leading bits of an IPv6 address are one client: providers give each customer 64, 56 or 48.'),
    shadow: z
      .boolean()
      .default(false)
      .describe('Counts, and says in the record and the metrics what would be refused, but refuses nothing.'),
    accuracy: z
      .literal('exact', { error: 'this version counts every request in the store: the only value is "exact"' })
      .default('exact')
      .describe('How exactly several gateways count together. `exact`: every request is counted in the store.'),
    'when-store-fails': z
      .enum(['local', 'open', 'closed'])
      .default('local')
      .describe(
        'What happens while the store is away. `local`: each gateway counts by itself, its share of the limit. `open`: requests pass uncounted. `closed`: requests get 503.',
      ),
    headers: z
      .boolean()
      .default(true)
      .describe('Whether answers tell the client about this limit in `RateLimit` and `RateLimit-Policy`.'),
  })
  .check((context) => {
    const { value } = context;
    tell(context, plansProblem(value), []);
    if (value.rate !== undefined) tell(context, fillProblem({ rate: value.rate, burst: value.burst }), ['burst']);
  });

interface Told {
  readonly value: unknown;
  readonly issues: { push(issue: { code: 'custom'; message: string; input: unknown; path: string[] }): unknown };
}

function tell({ value, issues }: Told, message: string | undefined, path: string[]): void {
  if (message !== undefined) issues.push({ code: 'custom', message, input: value, path });
}

interface Written {
  readonly rate?: WrittenRate;
  readonly burst?: number;
  readonly plans?: Readonly<Record<string, unknown>>;
  readonly 'default-plan'?: string;
}

function plansProblem({ rate: own, burst: ownBurst, plans = {}, 'default-plan': standard }: Written): string | undefined {
  if (standard === undefined) return own === undefined ? 'a limit needs a `rate`, or `plans` and a `default-plan`' : undefined;
  if (!Object.hasOwn(plans, standard)) return `there is no ${JSON.stringify(standard)} in \`plans\``;
  return own === undefined && ownBurst === undefined
    ? undefined
    : '`rate` and `default-plan` say both what callers without a plan get: write one';
}

function fillProblem({ rate: own, burst: most = own.count }: { rate: WrittenRate; burst?: number }): string | undefined {
  const days = Math.round(((own.period / own.count) * most) / 86_400_000);
  return days * 86_400_000 <= LONGEST_FILL ? undefined : `at ${own.text} it takes ${days} days until ${most} may pass again`;
}

/** `limits` of a route: names, or limits of its own. */
export const routeLimits = z.array(z.union([z.string(), limitOptions]));

export type LimitOptions = z.output<typeof limitOptions>;

/** What the room needs for one route. */
export interface LimitStageOptions {
  /** The route's limits, named ones with their names. */
  readonly limits: readonly { readonly name?: string; readonly limit: LimitOptions }[];
  /** What makes this route the same one after a reload: its hosts, path, methods and conditions. */
  readonly route: string;
  /** Kinds of the methods of authentication; none: nobody is asked who he is. */
  readonly methods: readonly string[];
}
