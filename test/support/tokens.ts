import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Makes tokens for tests, good ones and every kind of bad one: nothing here is checked. */

export interface Pair {
  readonly kid: string;
  readonly alg: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });

/** The keys of the issuer of the tests, by `kid`; `foreign` ones are not in its key set. */
export const keys = {
  rs: { kid: 'rs-1', alg: 'RS256', ...rsa() },
  ps: { kid: 'ps-1', alg: 'PS256', ...rsa() },
  es: { kid: 'es-1', alg: 'ES256', ...ec('P-256') },
  es384: { kid: 'es-384', alg: 'ES384', ...ec('P-384') },
  ed: { kid: 'ed-1', alg: 'EdDSA', ...generateKeyPairSync('ed25519') },
} satisfies Record<string, Pair>;

export const foreign = {
  rs: { kid: 'rs-1', alg: 'RS256', ...rsa() },
  es: { kid: 'es-1', alg: 'ES256', ...ec('P-256') },
  k1: { kid: 'es-1', alg: 'ES256', ...ec('secp256k1') },
  es384: { kid: 'es-1', alg: 'ES256', ...ec('P-384') },
} satisfies Record<string, Pair>;

export const issuer = 'https://issuer.test/';
export const audience = 'orders';
export const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];

/** What the issuer publishes. */
export function keySet(pairs: readonly Pair[] = Object.values(keys)): { readonly keys: Record<string, unknown>[] } {
  return {
    keys: pairs.map((pair) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid: pair.kid, alg: pair.alg, use: 'sig' })),
  };
}

/** Claims of a good token, each of which a test may replace; `undefined` leaves one out. */
export function claims(other: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return { iss: issuer, aud: audience, sub: 'u-17', scope: 'orders:read', iat: now - 10, exp: now + 600, ...other };
}

export const base64url = (value: string | Buffer): string => Buffer.from(value as string).toString('base64url');
const text = (value: object | string): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The signature over the first two parts, as the algorithm wants it (RFC 7518 section 3). */
export function signatureOf(signed: string, alg: string, key: KeyObject): Buffer {
  const bytes = Buffer.from(signed, 'latin1');
  const bits = alg.slice(2);
  if (alg === 'EdDSA') return sign(null, bytes, key);
  if (alg.startsWith('ES')) return sign(`sha${bits}`, bytes, { key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('PS'))
    return sign(`sha${bits}`, bytes, {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    });
  return sign(`sha${bits}`, bytes, key);
}

/** A token with a right signature, whatever stands in it: header and payload as objects, or as the text that is signed. */
export function token(
  payload: object | string = claims(),
  header: Record<string, unknown> | string = {},
  pair: Pair = keys.rs,
  alg: string = pair.alg,
): string {
  const whole = typeof header === 'string' ? header : { alg: pair.alg, kid: pair.kid, typ: 'at+jwt', ...header };
  const complete = typeof whole === 'object' && whole.typ === 'at+jwt' ? withAccessTokenClaims(payload) : payload;
  const signed = `${base64url(text(whole))}.${base64url(text(complete))}`;
  return `${signed}.${base64url(signatureOf(signed, alg, pair.privateKey))}`;
}

/** What RFC 9068 asks for besides; a test may leave it out by `undefined`. */
function withAccessTokenClaims(payload: object | string): object | string {
  return typeof payload === 'string' ? payload : { client_id: 'c-1', jti: 'j-1', ...payload };
}

/** A token "signed" by HMAC, for confusion of algorithms. */
export function hmacToken(alg: string, secret: string | Buffer, header: Record<string, unknown> = {}): string {
  const signed = `${base64url(text({ alg, kid: keys.rs.kid, typ: 'JWT', ...header }))}.${base64url(text(claims()))}`;
  return `${signed}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(signed)
    .digest('base64url')}`;
}

/** The token with another part in the place of its first (0), second (1) or third (2). */
export function withPart(whole: string, place: 0 | 1 | 2, change: (part: string) => string): string {
  return whole
    .split('.')
    .map((part, at) => (at === place ? change(part) : part))
    .join('.');
}
