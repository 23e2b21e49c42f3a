import { readFileSync, statSync } from 'node:fs';
import { readJwks } from './read-jwks.ts';

/** Larger than any issuer's key set. */
const LARGEST = 256 * 1024;

const WORDS: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EACCES: 'it may not be read' };

/** The bytes of a key set that stands in a file. Throws an error that says what is wrong with the file. */
export function readKeySetFile(file: string): Buffer {
  try {
    const stats = statSync(file);
    // A pipe would be read for ever.
    if (!stats.isFile()) throw new Error('it is no file');
    if (stats.size > LARGEST) throw new Error(`it is larger than ${LARGEST} bytes`);
    return readFileSync(file);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(WORDS[code] ?? message, { cause: error });
  }
}

/** What is wrong with a file that a configuration names as the keys of an issuer; undefined: nothing. */
export function keySetFileProblem(file: string): string | undefined {
  try {
    const { keys, warnings } = readJwks(readKeySetFile(file));
    if (keys.length > 0) return undefined;
    return `${file} has no key that can be used${warnings.length === 0 ? '' : `: ${warnings.join('; ')}`}`;
  } catch (error) {
    return `${file} cannot be read as the keys of an issuer: ${(error as Error).message}`;
  }
}
