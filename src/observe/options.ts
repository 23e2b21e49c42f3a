import { z } from 'zod';
import { filePath, size } from '../config/units.ts';

const rotate = z.strictObject({
  size: size()
    .refine((bytes) => bytes >= 4096, 'must be at least 4KiB')
    .prefault('100MiB')
    .describe('When the file is larger than this, it is renamed to NAME.1 and a new one is begun.'),
  keep: z.int().min(1).max(1000).default(5).describe('How many old files stay: NAME.1 is the youngest. Older ones are deleted.'),
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
  rotate: z
    .union([z.literal(false), rotate])
    .prefault({})
    .describe(
      'Rotation of the file by size; `false` leaves it to others. A file that was renamed or removed from outside is ' +
        'noticed by itself, and SIGUSR2 reopens it at once. Does not apply to standard output, pipes and devices.',
    ),
});

export type ObserveOptions = z.output<typeof observeOptions>;
