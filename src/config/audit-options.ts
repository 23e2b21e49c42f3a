import { z } from 'zod';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

function isDay(text: string): boolean {
  const time = DAY.test(text) ? Date.parse(text) : Number.NaN;
  // `Date` counts on from the end of the month: 31 April would be 1 May.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** One text, or a list of them; a list comes out. */
function names() {
  return z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((value): readonly string[] => (typeof value === 'string' ? [value] : value));
}

const acceptance = z
  .strictObject({
    check: z.string().min(1).describe('Name of the check, as `portcullis audit` shows it.'),
    route: names()
      .optional()
      .describe('Paths of the routes whose findings are accepted, letter for letter as the routes write them.'),
    methods: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Only the route with exactly these methods, where several have the same path.'),
    listener: names().optional().describe('Names of the listeners whose findings are accepted.'),
    service: names().optional().describe('Names of the services whose findings are accepted.'),
    authentication: names().optional().describe('Names of the section `authentication` whose findings are accepted.'),
    limit: names().optional().describe('Names of the section `limits` whose findings are accepted.'),
    reason: z
      .string()
      .refine((text) => text.trim().length >= 10, 'say in a sentence why this is accepted')
      .describe('Why. It stands in the report.'),
    until: z
      .string()
      .refine(isDay, 'this is no day: write it like 2027-01-31')
      .optional()
      .describe('The last day on which this counts, as YYYY-MM-DD. Afterwards the finding is open again.'),
  })
  .superRefine((value, context) => {
    const kinds = (['route', 'listener', 'service', 'authentication', 'limit'] as const).filter(
      (key) => value[key] !== undefined,
    );
    if (kinds.length > 1)
      context.addIssue({
        code: 'custom',
        path: [kinds[1]],
        message: `an exception is for one kind of thing: write another one for \`${kinds[1]}\``,
      });
    if (value.methods !== undefined && value.route === undefined)
      context.addIssue({
        code: 'custom',
        path: ['methods'],
        message: '`methods` tells routes of one path apart: write `route` too',
      });
  });

/** `audit`: what `portcullis audit` is told. It changes nothing of what the gateway does. */
export const auditOptions = z.strictObject({
  accept: z
    .array(acceptance)
    .default([])
    .describe('Findings that are accepted for a reason. They are shown as `accepted`, never hidden.'),
});

export type Acceptance = z.output<typeof acceptance>;
