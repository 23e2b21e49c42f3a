import { z } from 'zod';
import { filePath } from '../../config/units.ts';

/** `api-key`: keys that `portcullis keys` made. */
export const apiKeyOptions = z.strictObject({
  header: z.string().min(1).default('x-api-key').describe('The header that carries the key.'),
  keys: filePath().describe('The file that `portcullis keys` writes. It is read again when it changes.'),
});

export type ApiKeyOptions = z.output<typeof apiKeyOptions>;
