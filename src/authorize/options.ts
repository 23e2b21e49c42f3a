import { z } from 'zod';
import { network } from '../config/units.ts';
import { DAYS, isZone, parseTime } from './time.ts';

/** RFC 6749 section 3.3. */
const scope = z
  .string()
  .regex(
    /^[\x21\x23-\x5b\x5d-\x7e]+$/,
    'a scope is one word of visible ASCII without quotes and backslashes: write each as an entry of its own',
  );

const claimName = z.string().min(1, 'a claim has a name');

const role = z.string().min(1, 'a role has a name');

const roles = z
  .union([
    z.array(role).min(1),
    z.strictObject({
      any: z.array(role).min(1).describe('The roles, one of which suffices.'),
      claim: claimName
        .default('roles')
        .describe('The claim that holds the roles, with dots for what lies deeper: `realm_access.roles`.'),
    }),
  ])
  .transform((value) => (Array.isArray(value) ? { any: value, claim: 'roles' } : value));

const claimValue = z.union([
  z.string(),
  z
    .number()
    .refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), 'a whole number beyond 2^53 has no exact value'),
  z.boolean(),
]);

const claims = z
  .record(claimName, z.union([claimValue, z.array(claimValue).min(1)]))
  .refine((value) => Object.keys(value).length > 0, 'name at least one claim');

const timeOfDay = z.union([z.string(), z.number()]).transform((value, context) => {
  const minutes = parseTime(String(value));
  if (minutes !== undefined) return minutes;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a time of day: write HH:MM, such as 08:30` });
  return z.NEVER;
});

const window = z
  .strictObject({
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .default([...DAYS])
      .describe('Days of the week. A window that ends behind midnight belongs to the day on which it begins.'),
    from: timeOfDay.prefault('00:00').describe('The first minute, as `HH:MM`.'),
    to: timeOfDay.prefault('24:00').describe('The end, as `HH:MM`: that minute is out. Before `from`: on the next day.'),
    zone: z
      .string()
      .refine(isZone, {
        error: ({ input }) =>
          `${JSON.stringify(input)} is not a time zone: write a name of the IANA database, such as Europe/Berlin`,
      })
      .default('UTC')
      .describe('The time zone, by its IANA name. Summer time is that of the zone.'),
  })
  .refine(({ from, to }) => from !== to && from < 1440 && to > 0, {
    path: ['to'],
    message: 'the window is never open: `from` and `to` must differ',
  });

const time = z.union([window, z.array(window).min(1)]).transform((value) => (Array.isArray(value) ? value : [value]));

const PARAMETER = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

const owner = z.strictObject({
  parameter: z
    .string()
    .regex(PARAMETER, 'a parameter begins with a letter and holds letters, digits, "_", "-" and "."; at most 64 of them')
    .refine((value) => value !== '__proto__', 'this is no name for a parameter')
    .describe("The parameter that names whose object it is: `{NAME}` of the route's path, or otherwise one of the query."),
  claim: claimName
    .default('sub')
    .describe('The claim of the caller that it must equal; of a list, one entry. `sub` is the subject of callers of all kinds.'),
});

/** The words that users write. */
const words = z.strictObject({
  callers: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Names of the section `authentication`: the caller came by one of these.'),
  scopes: z.array(scope).min(1).optional().describe('Scopes that the caller must have, all of them.'),
  'any-scope': z.array(scope).min(1).optional().describe('Scopes of which the caller must have at least one.'),
  roles: roles
    .optional()
    .describe(
      'Roles of which the caller must have at least one, in the claim `roles` or the one that is named: `{ claim: realm_access.roles, any: [admin] }`.',
    ),
  claims: claims
    .optional()
    .describe(
      'Claims by name with the value that they must have, or a list of values of which one suffices. A list in the token must hold one. Nothing is converted.',
    ),
  addresses: z.array(network()).min(1).optional().describe('Addresses and networks, in one of which the client must be.'),
  time: time.optional().describe('When the route may be called: a window or a list of windows.'),
  owner: owner.optional().describe('Binds a parameter to the caller: each reaches its own objects only.'),
});

export type AuthorizeOptions = z.output<typeof words> & {
  readonly 'all-of'?: readonly AuthorizeOptions[] | undefined;
  readonly 'any-of'?: readonly AuthorizeOptions[] | undefined;
};

const notEmpty = (value: object) => Object.values(value).some((rule) => rule !== undefined);

/** `authorize` of a route: what the caller must be allowed to. All that stands in one mapping must hold. */
export const authorizeOptions: z.ZodType<AuthorizeOptions> = z
  .strictObject({
    ...words.shape,
    get 'all-of'() {
      return z.array(authorizeOptions).min(1).optional().describe('Lists of these rules, all of which must hold.');
    },
    get 'any-of'() {
      return z.array(authorizeOptions).min(1).optional().describe('Lists of these rules, one of which must hold.');
    },
  })
  .refine(notEmpty, {
    error: 'says nothing: write at least one rule, or take it away',
    // Whoever misspelt the only rule has been told so.
    when: ({ issues }) => issues.length === 0,
  })
  .meta({ id: 'authorize' });
