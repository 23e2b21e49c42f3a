import { z } from 'zod';
import { parseOrigin } from '../../exchange/origins.ts';

const origin = z.string().superRefine((text, context) => {
  // What is for every page is no exception but the end of the check, and for that there is a word.
  const problem = text === '*' ? 'name the origins, or write `csrf: off`' : problemOf(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

function problemOf(text: string): string | undefined {
  const pattern = parseOrigin(text);
  return 'problem' in pattern ? pattern.problem : undefined;
}

/** `csrf` of a route. */
export const csrfOptions = z
  .union([
    z.literal('off'),
    z.strictObject({
      origins: z
        .union([origin, z.array(origin)])
        .transform((value) => (typeof value === 'string' ? [value] : value))
        .prefault([])
        .describe(
          'Origins besides our own whose pages may send such requests: `https://app.example.com`, `https://*.example.com`; `null` counts only where it is named.',
        ),
    }),
  ])
  .prefault({})
  .describe(
    'Protection against requests that pages of other origins make browsers send with their cookies or client certificate (CSRF): on, unless `off` is written.',
  );

export type CsrfOptions = z.output<typeof csrfOptions>;
