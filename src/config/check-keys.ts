import { HashKeyError, hashKeyFile } from '../authenticate/api-key/hash-key.ts';
import { KeyFileError } from '../authenticate/api-key/key-file.ts';
import { checkKeyFiles } from '../authenticate/api-key/key-store.ts';
import { mapping } from './checks.ts';
import type { Report } from './findings.ts';

/** Reads the API keys that methods name, so that what is wrong with their files is told before anything is changed. */
export function checkKeys(raw: unknown, report: Report): void {
  for (const [name, method] of Object.entries(mapping(mapping(raw).authentication))) {
    const { keys, 'hash-key': hashKey } = mapping(mapping(method)['api-key']);
    if (typeof keys !== 'string' || keys === '' || (hashKey !== undefined && typeof hashKey !== 'string')) continue;
    try {
      checkKeyFiles(keys, hashKeyFile(keys, hashKey));
    } catch (error) {
      if (!(error instanceof KeyFileError || error instanceof HashKeyError)) throw error;
      const member = error instanceof HashKeyError && hashKey !== undefined ? 'hash-key' : 'keys';
      report(['authentication', name, 'api-key', member], error.message);
    }
  }
}
