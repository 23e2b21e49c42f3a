import { z } from 'zod';

/** One limit. */
export const limitOptions = z.strictObject({
  rate: z.string().describe('How many in which time: `5/second`, `100/minute`, `1000/hour`, `5/10s`.'),
  burst: z.int().min(1).optional().describe("The most at one instant. Without it: the rate's count."),
  by: z
    .union([z.string(), z.array(z.string()).min(1)])
    .describe(
      'Whose requests are counted together: `address`, `caller`, `api-key`, `claim:NAME`, `header:NAME`, `route`, or a list of these.',
    ),
});

/** `limits` of a route: names, or limits of its own. */
export const routeLimits = z.array(z.union([z.string(), limitOptions]));

export type LimitOptions = z.output<typeof limitOptions>;

/** What the room needs for one route: its limits, named ones with their names. */
export const limitStageOptions = z.array(z.strictObject({ name: z.string().optional(), limit: limitOptions }));
export type LimitStageOptions = z.output<typeof limitStageOptions>;
