import { readJsonObject } from '../../exchange/strict-json.ts';

/** A JWS in compact serialisation, taken apart (RFC 7515 section 7.1). */
export interface TokenParts {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
}

/** The parts, or undefined for what is no JWS of three parts: an opaque token, a JWE of five parts. Whether they are base64url, {@link decode} says. */
export function splitToken(token: string): TokenParts | undefined {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  // Neither may be empty: `a..b` is a token with a detached payload, `a.b.` one without a signature.
  if (first < 1 || second <= first + 1 || second === token.length - 1 || token.indexOf('.', second + 1) >= 0) return undefined;
  return {
    header: token.slice(0, first),
    payload: token.slice(first + 1, second),
    signature: token.slice(second + 1),
  };
}

/** Last characters whose bits beyond the last byte are zero, by the length modulo four. A length of one more than a multiple is none. */
const LAST = [undefined, '', 'AQgw', 'AEIMQUYcgkosw048'];

/**
 * The bytes of base64url in its one canonical form: no padding, no other alphabet, no bits left over (RFC 7515 section 2, RFC 4648 section
 * 3.5). What other decoders let pass makes several texts of one signed token, and a list of revoked ones, or a cache, knows only one of them.
 */
export function decode(part: string): Buffer | undefined {
  const last = LAST[part.length % 4];
  if (last !== undefined && !last.includes(part[part.length - 1])) return undefined;
  // Buffer takes the other alphabet too. Whatever else is none of ours it leaves out, and then there are fewer bytes.
  if (part.includes('+') || part.includes('/')) return undefined;
  const bytes = Buffer.from(part, 'base64url');
  return bytes.length === Math.floor((part.length * 3) / 4) ? bytes : undefined;
}

/** The JSON object that a part is; undefined: it is none, or not in the one form. */
export function readPart(part: string): Record<string, unknown> | undefined {
  const bytes = decode(part);
  return bytes === undefined ? undefined : readJsonObject(bytes);
}

/** Longest `kid` that is looked up. */
const KID_LENGTH = 512;

/** The part of a header that decides anything. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
  /** An access token by RFC 9068, which has to have all that this asks for. */
  readonly accessToken: boolean;
}

/**
 * What would change the meaning of the signature or of the payload: extensions that must be understood (`crit`, RFC 7515 section 4.1.11),
 * an unencoded payload (`b64`, RFC 7797), compression (`zip`), and all of encryption (RFC 7516, RFC 7518 section 4).
 */
const REFUSED = ['crit', 'b64', 'zip', 'enc', 'epk', 'apu', 'apv', 'p2c', 'p2s', 'iv', 'tag'];

/** What is wrong with a header. */
export type HeaderProblem = { readonly problem: 'malformed' | 'header' | 'algorithm' | 'type'; readonly reason: string };

/**
 * Reads a header. `jwk`, `jku`, `x5u`, `x5c` and everything else in it is not looked at: keys come from the configuration alone
 * (RFC 8725 section 3.10).
 */
export function readHeader(part: string): TokenHeader | HeaderProblem {
  const header = readPart(part);
  if (header === undefined) return { problem: 'malformed', reason: 'the header is not one JSON object' };
  const { alg, kid, typ, cty } = header;
  if (typeof alg !== 'string') return { problem: 'algorithm', reason: '`alg` is not a string' };
  const refused = REFUSED.find((name) => name in header);
  if (refused !== undefined) return { problem: 'header', reason: `the header has \`${refused}\`` };
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > KID_LENGTH))
    return { problem: 'header', reason: '`kid` is not a string, or too long' };
  if (cty !== undefined && (typeof cty !== 'string' || mediaType(cty) === 'jwt'))
    return { problem: 'header', reason: 'a token in a token (`cty`)' };
  const type = typ === undefined ? 'jwt' : mediaType(typ);
  if (type !== 'jwt' && type !== 'at+jwt') return { problem: 'type', reason: '`typ` is not at+jwt or JWT' };
  return { alg, kid: kid as string | undefined, accessToken: type === 'at+jwt' };
}

/** Case does not matter, and `application/` may be left out (RFC 7515 section 4.1.9). '' for what is no string. */
function mediaType(value: unknown): string {
  if (typeof value !== 'string' || value.length > 64) return '';
  const lower = value.toLowerCase();
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
}
