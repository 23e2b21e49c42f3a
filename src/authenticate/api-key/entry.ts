import { z } from 'zod';

/** One entry of the file of keys: what is known of a key and its holder, and never the key. */

const ID = /^[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,62}[A-Za-z0-9])?$/;
const WORD = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;
/** `scope-token` of RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;
const HASH = /^[A-Za-z0-9_-]{43}$/;
const TIME = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
const DAY_MS = 86_400_000;

export const idText = z
  .string('an id is text: write it in quotes')
  .regex(
    ID,
    'an id is letters, digits, ".", "_", "@" and "-", begins and ends with a letter or digit, and has at most 64 characters',
  );

export const scopeText = z
  .string('a scope is text: write it in quotes')
  .regex(SCOPE, 'a scope is visible ASCII without spaces, quotes and backslashes (RFC 6749 section 3.3)');

export const roleText = z
  .string('a role is text: write it in quotes')
  .regex(SCOPE, 'a role is visible ASCII without spaces, quotes and backslashes');

export const planText = z
  .string('a plan is text: write it in quotes')
  .regex(WORD, 'a plan is named by letters, digits, ".", "_" and "-", at most 64 of them');

const hashText = z.string().regex(HASH, 'this is no hash that `portcullis keys` made: 43 characters of base64url');

const timeText = z
  .string('a time is text, such as 2027-01-31 or 2027-01-31T12:00:00Z')
  .refine((text) => parseTime(text) !== undefined, 'this is no time: write 2027-01-31, or 2027-01-31T12:00:00Z');

export const keyEntry = z.strictObject({
  id: idText,
  hash: hashText,
  created: timeText,
  expires: timeText.optional(),
  revoked: timeText.optional(),
  plan: planText.optional(),
  scopes: z.array(scopeText).optional(),
  roles: z.array(roleText).optional(),
  rotated: timeText.optional(),
  /** The key before the last rotation, which still works until then. */
  previous: z.strictObject({ hash: hashText, until: timeText }).optional(),
});

export type KeyEntry = z.output<typeof keyEntry>;

/** A day (when it begins, in UTC) or an instant as milliseconds since the epoch; undefined for days that no calendar has. */
export function parseTime(text: string): number | undefined {
  const match = TIME.exec(text);
  const time = match === null ? Number.NaN : Date.parse(text);
  if (match === null || Number.isNaN(time)) return undefined;
  // `Date` counts on from the end of the month: 31 April would be 1 May.
  const day = Date.parse(match[1]);
  return new Date(day).toISOString().startsWith(match[1]) && Math.abs(time - day) < 2 * DAY_MS ? time : undefined;
}
