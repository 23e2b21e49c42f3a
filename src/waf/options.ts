import { z } from 'zod';
import { network, size } from '../config/units.ts';

const mode = z.enum(['block', 'detect', 'off']);

const exclusion = z
  .strictObject({
    id: z
      .union([z.int().min(1), z.string().regex(/^\d+-\d+$/, 'a range of ids is written FROM-TO')])
      .optional()
      .describe('Id of a rule, or a range such as 942000-942999.'),
    tag: z.string().min(1).optional().describe('A tag of rules, such as attack-sqli: a pattern, as in SecRuleRemoveByTag.'),
    target: z
      .string()
      .regex(/^[A-Za-z_]+(?::.+)?$/, 'a target is written as in rules: ARGS:comment, REQUEST_COOKIES:/^session/')
      .optional()
      .describe('What these rules no longer look at, such as ARGS:comment. Without it they are left out altogether.'),
  })
  .refine(({ id, tag }) => id !== undefined || tag !== undefined, 'an exclusion names an `id` or a `tag`')
  .describe('Rules that do not hold here, or not for one target.');

const condition = z
  .strictObject({
    addresses: z.array(network()).min(1).optional().describe('Addresses and networks of clients.'),
    methods: z.array(z.string().min(1)).min(1).optional().describe('Methods.'),
    paths: z
      .array(z.string().regex(/^\/(?:(?!\/\*\*\/).)*$/, 'a path pattern begins with `/` and has `**` at its end only'))
      .min(1)
      .optional()
      .describe('Path patterns, as in routes.'),
    headers: z
      .record(z.string().min(1), z.string())
      .optional()
      .describe('Header fields with the value that each must have; `*` in it stands for anything.'),
  })
  .refine((value) => Object.values(value).some((one) => one !== undefined), 'a condition says at least one thing');

const shared = {
  paranoia: z
    .int()
    .min(1)
    .max(4)
    .optional()
    .describe('Paranoia level of the rules, 1 to 4. Without it what the rule files say holds.'),
  threshold: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('Anomaly score from which a request is refused. Without it what the rule files say holds.'),
  exclude: z.array(exclusion).default([]).describe('Rules left out, or targets that they no longer look at.'),
  extra: z
    .array(z.string().min(1))
    .default([])
    .describe('Rules of your own, behind those of the files: a virtual patch is one rule in the language of ModSecurity.'),
  deny: z.array(condition).default([]).describe('Requests that are refused without asking any rule.'),
  allow: z.array(condition).default([]).describe('Requests that no rule looks at.'),
  body: size()
    .optional()
    .describe(
      'Largest request body that rules read. A larger one is refused with 413. Without it what the rule files say holds.',
    ),
};

/** `waf` of a route. */
export const wafRouteOptions = z.strictObject({
  mode: mode
    .optional()
    .describe('`block` refuses, `detect` lets everything pass and says in the record what it found, `off` looks at nothing.'),
  ...shared,
});

/** The section `waf`: what holds for all routes. */
export const wafOptions = z.strictObject({
  mode: mode.default('block').describe('What holds for routes that say nothing: `block`, `detect` or `off`.'),
  rules: z
    .array(z.string().min(1).meta({ format: 'path-or-builtin' }))
    .min(1)
    .default(['builtin'])
    .describe('Rules in their order: `builtin`, or files in the language of ModSecurity; `*` stands for any file name.'),
  data: z
    .boolean()
    .default(false)
    .describe('Writes what rules matched into the access record, with values that clients sent: for tuning only.'),
  ...shared,
});

export type WafOptions = z.output<typeof wafOptions>;
export type WafRouteOptions = z.output<typeof wafRouteOptions>;
