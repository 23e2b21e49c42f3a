import { constants, type KeyObject, verify } from 'node:crypto';
import type { VerificationKey } from './key-source.ts';

/**
 * Signatures are verified by `node:crypto` directly: jose, which goes by way of Web Crypto, takes twice as long and a promise for it.
 * What jose would see to is seen to here: the algorithm fits the key, and a signature has the one length that it can have.
 */

interface Algorithm {
  /** Of the key, as `node:crypto` calls it. */
  readonly keyType: 'rsa' | 'ec' | 'ed25519' | 'ed448';
  readonly curve?: string;
  readonly hash: string | null;
  readonly pss?: true;
  /** Bytes of a signature; undefined: those of the RSA modulus. */
  readonly length?: number;
}

const ALGORITHMS = new Map<string, readonly Algorithm[]>([
  ['RS256', [{ keyType: 'rsa', hash: 'sha256' }]],
  ['RS384', [{ keyType: 'rsa', hash: 'sha384' }]],
  ['RS512', [{ keyType: 'rsa', hash: 'sha512' }]],
  ['PS256', [{ keyType: 'rsa', hash: 'sha256', pss: true }]],
  ['PS384', [{ keyType: 'rsa', hash: 'sha384', pss: true }]],
  ['PS512', [{ keyType: 'rsa', hash: 'sha512', pss: true }]],
  ['ES256', [{ keyType: 'ec', curve: 'prime256v1', hash: 'sha256', length: 64 }]],
  ['ES384', [{ keyType: 'ec', curve: 'secp384r1', hash: 'sha384', length: 96 }]],
  ['ES512', [{ keyType: 'ec', curve: 'secp521r1', hash: 'sha512', length: 132 }]],
  [
    'EdDSA',
    [
      { keyType: 'ed25519', hash: null, length: 64 },
      { keyType: 'ed448', hash: null, length: 114 },
    ],
  ],
]);

/** All that `verify` is called with, worked out once for each key and algorithm. */
interface Verifier {
  readonly hash: string | null;
  readonly key: Parameters<typeof verify>[2];
  readonly length: number;
}

const verifiers = new WeakMap<KeyObject, Map<string, Verifier | undefined>>();

/** Whether this key, used with this algorithm and no other, has made the signature (RFC 8725 section 3.1). */
export function isSignedBy(key: VerificationKey, algorithm: string, signed: Buffer, signature: Buffer): boolean {
  if (!key.algorithms.includes(algorithm)) return false;
  const verifier = verifierFor(key.key, algorithm);
  // DER, where r and s stand side by side (RFC 7518 section 3.4), and everything empty or cut has another length.
  if (verifier === undefined || signature.length !== verifier.length) return false;
  return verify(verifier.hash, signed, verifier.key, signature);
}

function verifierFor(key: KeyObject, algorithm: string): Verifier | undefined {
  let known = verifiers.get(key);
  if (known === undefined) verifiers.set(key, (known = new Map<string, Verifier | undefined>()));
  if (!known.has(algorithm)) known.set(algorithm, makeVerifier(key, algorithm));
  return known.get(algorithm);
}

function makeVerifier(key: KeyObject, name: string): Verifier | undefined {
  const details = key.asymmetricKeyDetails;
  const algorithm = ALGORITHMS.get(name)?.find(
    (one) => one.keyType === key.asymmetricKeyType && one.curve === details?.namedCurve,
  );
  if (key.type !== 'public' || algorithm === undefined) return undefined;
  const { hash, pss, length = Math.ceil((details?.modulusLength ?? 0) / 8) } = algorithm;
  if (length === 0) return undefined;
  return { hash, key: options(key, algorithm.keyType, pss === true), length };
}

function options(key: KeyObject, keyType: string, pss: boolean): Verifier['key'] {
  if (keyType === 'ec') return { key, dsaEncoding: 'ieee-p1363' };
  if (!pss) return key;
  // RFC 7518 section 3.5: the salt is as long as the hash.
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}
