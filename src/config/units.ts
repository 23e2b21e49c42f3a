import { z } from 'zod';

/**
 * The small values that users write in the configuration, each with one parser, one message and one description. Rooms
 * use these in their `options.ts`. What comes out is always a plain number: bytes, or milliseconds.
 */

const SIZE = /^(\d{1,15})(B|KiB|MiB|GiB)?$/;
const SIZE_UNITS: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** `16KiB`, `1MiB`, or plain bytes → bytes. */
export function parseSize(text: string | number): number | undefined {
  const match = SIZE.exec(String(text));
  if (match === null) return undefined;
  const bytes = Number(match[1]) * SIZE_UNITS[match[2] ?? 'B'];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const DURATION = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;
const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `250ms`, `1.5s`, `5m`, `24h`, `7d` → milliseconds. A bare number is refused: nobody can tell its unit. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const ms = Math.round(Number(match[1]) * DURATION_UNITS[match[2]]);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** Schema of a size; the output is bytes. */
export function size() {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const bytes = parseSize(value);
      if (bytes !== undefined) return bytes;
      context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a size: write bytes, or a number with KiB, MiB or GiB` });
      return z.NEVER;
    });
}

/** Schema of a duration; the output is milliseconds. */
export function duration() {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const ms = parseDuration(String(value));
      if (ms !== undefined) return ms;
      context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a duration: write a number with ms, s, m, h or d` });
      return z.NEVER;
    });
}
