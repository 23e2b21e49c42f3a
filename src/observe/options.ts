import { z } from 'zod';
import { filePath, size } from '../config/units.ts';

const rotate = z.strictObject({
  size: size()
    .refine((bytes) => bytes >= 4096, 'must be at least 4KiB')
    .prefault('100MiB')
    .describe('When a file is larger than this, it is renamed to NAME.1 and a new one is begun.'),
  keep: z.int().min(1).max(1000).default(5).describe('How many old files stay: NAME.1 is the youngest. Older ones are deleted.'),
});

const names = (pattern: RegExp, what: string) => z.array(z.string().regex(pattern, `expected the name of ${what}`)).default([]);

const redact = z.strictObject({
  parameters: names(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, 'a path parameter, without braces').describe(
    'Path parameters that are personal, by name: the record and the events show `{NAME}` in the place of their values.',
  ),
  fields: names(/^[\w-]{1,64}$/, 'a field').describe(
    'Names of headers, query parameters, cookies and members of bodies that are personal: where one stands in the log with its value, ' +
      'the value is hidden. Credentials always are; the record and the events hold no such fields at all.',
  ),
  subject: z.enum(['keep', 'hide']).default('keep').describe('Whether `caller.subject` stands in the record and the events.'),
  address: z
    .enum(['keep', 'network'])
    .default('keep')
    .describe('Whether the record and the events hold the whole client address, or only its network: /24, and /48 of IPv6.'),
});

/** What the user writes under `observe:`. */
export const observeOptions = z.strictObject({
  access: z
    .union([z.enum(['stdout', 'off']), filePath()])
    .default('stdout')
    .describe(
      'Where the access record goes, one JSON line per request: a file, or `stdout`, or `off`. ' +
        'A relative path is relative to the configuration file; missing directories are made.',
    ),
  events: z
    .union([z.enum(['stdout', 'off']), filePath()])
    .default('off')
    .describe(
      'Where security events go, one JSON line each: a file of their own, or `stdout`, or `off`. Bounded in rate, so that a flood of ' +
        'refusals does not fill a disk. The access record has every refusal in any case.',
    ),
  redact: redact.prefault({}).describe('What is personal and is not to be shown. Credentials are hidden without it.'),
  rotate: z
    .union([z.literal(false), rotate])
    .prefault({})
    .describe(
      'Rotation of the files by size; `false` leaves it to others. A file that was renamed or removed from outside is ' +
        'noticed by itself, and SIGUSR2 reopens it at once. Does not apply to standard output, pipes and devices.',
    ),
});

export type ObserveOptions = z.output<typeof observeOptions>;
