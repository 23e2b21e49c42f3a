import { z } from 'zod';
import { filePath } from '../config/units.ts';

/** `secrets`: where values written as `secret:NAME` are, besides the environment. */
export const secretsOptions = z.strictObject({
  directory: filePath().optional().describe('A folder with one file for each secret, named like it, such as `/run/secrets`.'),
  store: filePath().optional().describe('The encrypted store that `portcullis secrets set` writes.'),
  key: filePath()
    .optional()
    .describe(
      'The file with the key of the store, mode 0600. Without it: `PORTCULLIS_SECRETS_KEY` of the environment, otherwise the file beside the store that ends in `.key`.',
    ),
});
