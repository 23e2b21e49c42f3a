import { createPublicKey, hash, type JsonWebKey, type KeyObject } from 'node:crypto';
import { readJsonObject } from '../../exchange/strict-json.ts';
import type { VerificationKey } from './key-source.ts';

/** What a JWK Set (RFC 7517) says. */
export interface JwksReading {
  readonly keys: readonly ReadKey[];
  /** Why keys of it are left out; each names the key by its place, never by what it holds. */
  readonly warnings: readonly string[];
}

export interface ReadKey extends VerificationKey {
  /** Two readings of the same key, for the same use, have the same. */
  readonly print: string;
}

export class JwksError extends Error {
  override readonly name = 'JwksError';
}

/** Far beyond what issuers have, and little to try one by one. */
const MOST_KEYS = 100;

/** What a kind of key is made of, and which algorithms it can verify at all. */
interface Family {
  readonly kty: string;
  readonly crv?: string;
  readonly members: readonly string[];
  readonly algorithms: readonly string[];
}

const FAMILIES: readonly Family[] = [
  { kty: 'RSA', members: ['n', 'e'], algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] },
  { kty: 'EC', crv: 'P-256', members: ['x', 'y'], algorithms: ['ES256'] },
  { kty: 'EC', crv: 'P-384', members: ['x', 'y'], algorithms: ['ES384'] },
  { kty: 'EC', crv: 'P-521', members: ['x', 'y'], algorithms: ['ES512'] },
  { kty: 'OKP', crv: 'Ed25519', members: ['x'], algorithms: ['EdDSA', 'Ed25519'] },
  { kty: 'OKP', crv: 'Ed448', members: ['x'], algorithms: ['EdDSA', 'Ed448'] },
];

/** Members that no public key has (RFC 7518 sections 6.2.2, 6.3.2, 6.4). */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const BASE64URL = /^[\w-]+$/;

/**
 * Reads a JWK Set. A set that cannot be read as one throws; a key in it that cannot be used is left out, so that one that is meant for
 * somebody else does not cost the others. `known`: keys that were read before and are the same stay the same objects.
 */
export function readJwks(bytes: Buffer, known: readonly ReadKey[] = []): JwksReading {
  const set = readJsonObject(bytes);
  if (set === undefined) throw new JwksError('it is not one JSON object that can be read in one way only');
  if (!Array.isArray(set.keys)) throw new JwksError('it has no `keys`');
  if (set.keys.length > MOST_KEYS) throw new JwksError(`it has more than ${MOST_KEYS} keys`);
  const readings = (set.keys as unknown[]).map((jwk) => readKey(jwk, known));
  const warnings = readings.flatMap((one, index) => (typeof one === 'string' ? [`key ${index + 1} ${one}`] : []));
  return { keys: readings.filter((one) => typeof one === 'object'), warnings };
}

/** The key; why it is left out; undefined: it is for another purpose, which is nothing to tell of. */
function readKey(value: unknown, known: readonly ReadKey[]): ReadKey | string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is no object';
  const jwk = value as Record<string, unknown>;
  if (jwk.kty === 'oct') return 'is a symmetric key: whoever may read it can sign';
  if (PRIVATE.some((member) => jwk[member] !== undefined)) return 'is a private key: whoever may read it can sign';
  if (!isForSignatures(jwk)) return undefined;
  if (jwk.kid !== undefined && typeof jwk.kid !== 'string') return 'has a `kid` that is no string';
  const family = FAMILIES.find((one) => one.kty === jwk.kty && (one.crv === undefined || one.crv === jwk.crv));
  if (family === undefined) return 'is of a kind or on a curve that is not used here';
  const algorithms = algorithmsOf(jwk, family);
  if (algorithms.length === 0) return 'has an `alg` that does not fit it or is not used here';
  return makeKey(jwk, family, algorithms, known);
}

/** RFC 7517 sections 4.2 and 4.3: both are optional, and what they say counts. */
function isForSignatures({ use, key_ops: operations }: Record<string, unknown>): boolean {
  if (use !== undefined && use !== 'sig') return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

function algorithmsOf({ alg }: Record<string, unknown>, { algorithms }: Family): readonly string[] {
  return alg === undefined ? algorithms : algorithms.filter((one) => one === alg);
}

function makeKey(
  jwk: Record<string, unknown>,
  family: Family,
  algorithms: readonly string[],
  known: readonly ReadKey[],
): ReadKey | string {
  const material = family.members.map((member) => jwk[member]);
  if (!material.every((value) => typeof value === 'string' && BASE64URL.test(value))) return 'has members that are not base64url';
  const kid = jwk.kid as string | undefined;
  const print = hash('sha256', JSON.stringify([kid ?? null, family.kty, family.crv ?? null, material, algorithms]));
  const same = known.find((one) => one.print === print);
  if (same !== undefined) return same;
  const members: JsonWebKey = Object.fromEntries(family.members.map((member, index) => [member, material[index] as string]));
  const key = importKey({ ...members, kty: family.kty, crv: family.crv });
  if (key === undefined) return 'is not a valid key';
  const weakness = family.kty === 'RSA' ? weaknessOf(key) : undefined;
  return weakness ?? Object.freeze({ kid, algorithms: Object.freeze([...algorithms]), key, print });
}

/** OpenSSL refuses points that are not on the curve. */
function importKey(jwk: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

const LEAST_BITS = 2048;
/** The work of a verification grows with the square: a key beyond any use must not slow down every token. */
const MOST_BITS = 8192;

/** RFC 7518 section 3.3 for the size. With the exponent 1 a signature is what it signs; an even one is no RSA. */
function weaknessOf({ asymmetricKeyDetails: details }: KeyObject): string | undefined {
  const bits = details?.modulusLength ?? 0;
  if (bits < LEAST_BITS || bits > MOST_BITS) return `is an RSA key of ${bits} bits: ${LEAST_BITS} to ${MOST_BITS} are taken`;
  const exponent = details?.publicExponent ?? 0n;
  return exponent < 3n || exponent % 2n === 0n || exponent >= 1n << 64n
    ? 'is an RSA key with an exponent that is not safe'
    : undefined;
}
