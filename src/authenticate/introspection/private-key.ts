import { createPrivateKey, type webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';

const ALGORITHMS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
} as const;

export type KeyAlgorithm = keyof typeof ALGORITHMS;

/** The private key that the gateway signs its assertions with. Throws an error that names the file and nothing of what it holds. */
export function importPrivateKey(file: string, algorithm: KeyAlgorithm): webcrypto.CryptoKey {
  const pem = readPem(file);
  try {
    return createPrivateKey(pem).toCryptoKey(ALGORITHMS[algorithm], false, ['sign']);
  } catch {
    throw new Error(`${file} is no private key for ${algorithm} (PEM, PKCS #8, without a passphrase)`);
  }
}

/** What is wrong with the file as a private key; undefined: nothing. */
export function privateKeyProblem(file: string, algorithm: string): string | undefined {
  if (!Object.hasOwn(ALGORITHMS, algorithm)) return undefined;
  try {
    importPrivateKey(file, algorithm as KeyAlgorithm);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`the private key ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}
