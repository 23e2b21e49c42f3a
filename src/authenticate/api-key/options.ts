import { z } from 'zod';
import { filePath } from '../../config/units.ts';
import { isReserved } from '../../exchange/forged-names.ts';

const TOKEN = /^[!#$%&'*+.^`|~0-9A-Za-z-]{1,128}$/;

/** Fields with a meaning of their own, which a key in them would take away or which proxies change. */
const TAKEN = new Set(['authorization', 'cookie', 'content-type', 'forwarded', 'origin', 'referer', 'user-agent', 'via']);

function headerProblem(name: string): string | undefined {
  if (name.includes('_')) return 'a name with "_" is taken for one with "-" by some servers: write "-"';
  if (!TOKEN.test(name)) return `${JSON.stringify(name)} is not the name of a header`;
  const lower = name.toLowerCase();
  const own = isReserved(lower) || lower.startsWith('x-forwarded-') || lower.startsWith('sec-');
  return own || TAKEN.has(lower) ? `${lower} has another meaning: take a header of its own for the key` : undefined;
}

/** `api-key`: keys that `portcullis keys` made. */
export const apiKeyOptions = z.strictObject({
  header: z
    .string()
    .superRefine((name, context) => {
      const problem = headerProblem(name);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .transform((name) => name.toLowerCase())
    .prefault('x-api-key')
    .describe('The header that carries the key, and nothing else.'),
  keys: filePath().describe('The file that `portcullis keys` writes. It is read again when it changes.'),
  'hash-key': filePath()
    .optional()
    .describe(
      'The file with the key of the keyed hash. Without it: beside the file of keys, with `.key` behind its name. Others must not be able to read it.',
    ),
});

export type ApiKeyOptions = z.output<typeof apiKeyOptions>;
