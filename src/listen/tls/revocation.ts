import { constants, createPublicKey, type KeyObject, verify, type X509Certificate } from 'node:crypto';
import {
  BIT_STRING,
  BOOLEAN,
  context,
  DerError,
  DerReader,
  GENERALIZED_TIME,
  INTEGER,
  integerHex,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  oidText,
  SEQUENCE,
  timeOf,
  UTC_TIME,
} from '../../exchange/der.ts';
import { nameKey, nameText, readName } from '../../exchange/distinguished-name.ts';

/*
 * OpenSSL judges revocation in the handshake, by the same lists. What is read here besides is needed where OpenSSL does not look: that a
 * list belongs to its authority is to be known when it is loaded and not when the first client comes, and connections that are open go on
 * to be judged when a list is replaced or has become stale.
 */

/** A certificate revocation list (RFC 5280 section 5). */
export interface RevocationList {
  readonly issuer: string;
  /** By which certificates find it. */
  readonly issuerKey: string;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Serial numbers. */
  readonly revoked: ReadonlySet<string>;
  readonly pem: string;
  readonly signed: Buffer;
  readonly algorithm: Buffer;
  readonly signature: Buffer;
}

const DELTA = '2.5.29.27';
const CERTIFICATE_ISSUER = '2.5.29.29';

/** Reads a list. Throws DerError with what is wrong with it. */
export function readRevocationList(der: Buffer): RevocationList {
  const outer = new DerReader(der);
  const whole = outer.enter(SEQUENCE);
  if (!outer.done) throw new DerError('bytes behind its end');
  const tbs = whole.next(SEQUENCE);
  const algorithm = whole.next(SEQUENCE).raw;
  const signature = whole.next(BIT_STRING).value;
  if (!whole.done || signature[0] !== 0) throw new DerError('a malformed signature');
  const list = new DerReader(tbs.value);
  list.optional(INTEGER);
  if (!list.next(SEQUENCE).raw.equals(algorithm)) throw new DerError('two different signature algorithms');
  const issuer = readName(list.next(SEQUENCE).raw);
  const thisUpdate = timeOf(list.next());
  if (list.tag !== UTC_TIME && list.tag !== GENERALIZED_TIME)
    throw new DerError('no nextUpdate: nobody can tell when it is stale');
  const nextUpdate = timeOf(list.next());
  const entries = list.optional(SEQUENCE);
  const revoked = entries === undefined ? new Set<string>() : readEntries(entries.value);
  const extensions = list.optional(context(0));
  if (extensions !== undefined)
    checkExtensions(new DerReader(extensions.value).enter(SEQUENCE), DELTA, 'delta lists are not supported');
  const pem = `-----BEGIN X509 CRL-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END X509 CRL-----\n`;
  const parts = { thisUpdate, nextUpdate, revoked, pem, algorithm };
  return { issuer: nameText(issuer), issuerKey: nameKey(issuer), ...parts, signed: tbs.raw, signature: signature.subarray(1) };
}

function readEntries(value: Buffer): Set<string> {
  const revoked = new Set<string>();
  const reader = new DerReader(value);
  while (!reader.done) {
    const entry = reader.enter(SEQUENCE);
    revoked.add(integerHex(entry.next(INTEGER).value));
    entry.next();
    // An entry that speaks of certificates of another issuer than the list's would be read as one of ours.
    if (!entry.done) checkExtensions(entry.enter(SEQUENCE), CERTIFICATE_ISSUER, 'indirect lists are not supported');
  }
  return revoked;
}

function checkExtensions(list: DerReader, refused: string, why: string): void {
  while (!list.done) {
    const extension = list.enter(SEQUENCE);
    const id = oidText(extension.next(OBJECT_IDENTIFIER).value);
    extension.optional(BOOLEAN);
    extension.next(OCTET_STRING);
    if (id === refused) throw new DerError(why);
  }
}

/** True when the list was signed by the key of this authority. */
export function isSignedBy(list: RevocationList, authority: X509Certificate): boolean {
  const how = signatureOf(list.algorithm);
  const key = authority.publicKey;
  if (how.keyType !== undefined && how.keyType !== key.asymmetricKeyType && key.asymmetricKeyType !== 'rsa-pss') return false;
  try {
    return verify(how.hash, list.signed, how.pss === undefined ? key : withPss(key, how.pss), list.signature);
  } catch {
    return false;
  }
}

interface Signature {
  /** null: the algorithm has its own. */
  readonly hash: string | null;
  readonly keyType: string | undefined;
  readonly pss?: number;
}

/** Without SHA-1 and MD5: lists that are signed with these can be forged. */
const SIGNATURES: Readonly<Record<string, Signature>> = {
  '1.2.840.113549.1.1.11': { hash: 'sha256', keyType: 'rsa' },
  '1.2.840.113549.1.1.12': { hash: 'sha384', keyType: 'rsa' },
  '1.2.840.113549.1.1.13': { hash: 'sha512', keyType: 'rsa' },
  '1.2.840.10045.4.3.2': { hash: 'sha256', keyType: 'ec' },
  '1.2.840.10045.4.3.3': { hash: 'sha384', keyType: 'ec' },
  '1.2.840.10045.4.3.4': { hash: 'sha512', keyType: 'ec' },
  '1.3.101.112': { hash: null, keyType: 'ed25519' },
  '1.3.101.113': { hash: null, keyType: 'ed448' },
  '2.16.840.1.101.3.4.3.17': { hash: null, keyType: 'ml-dsa-44' },
  '2.16.840.1.101.3.4.3.18': { hash: null, keyType: 'ml-dsa-65' },
  '2.16.840.1.101.3.4.3.19': { hash: null, keyType: 'ml-dsa-87' },
};
const RSA_PSS = '1.2.840.113549.1.1.10';
const HASHES: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

function signatureOf(algorithm: Buffer): Signature {
  const reader = new DerReader(algorithm).enter(SEQUENCE);
  const id = oidText(reader.next(OBJECT_IDENTIFIER).value);
  if (id === RSA_PSS) return pssOf(reader.enter(SEQUENCE));
  const found = Object.hasOwn(SIGNATURES, id) ? SIGNATURES[id] : undefined;
  if (found === undefined) throw new DerError(`a signature algorithm that is weak or unknown (${id})`);
  return found;
}

/** RSASSA-PSS-params (RFC 4055 section 3.1): the hash, the same in MGF1, and the length of the salt. */
function pssOf(parameters: DerReader): Signature {
  const hash = parameters.optional(context(0));
  const id = hash === undefined ? '' : oidText(new DerReader(hash.value).enter(SEQUENCE).next(OBJECT_IDENTIFIER).value);
  if (!Object.hasOwn(HASHES, id)) throw new DerError('a signature algorithm that is weak or unknown (RSASSA-PSS)');
  parameters.optional(context(1));
  const salt = parameters.optional(context(2));
  const length = salt === undefined ? 20 : Number.parseInt(integerHex(new DerReader(salt.value).next(INTEGER).value), 16);
  return { hash: HASHES[id], keyType: 'rsa', pss: length };
}

/** The same key, to be used with this padding. */
function withPss(key: KeyObject, saltLength: number) {
  const same = createPublicKey({ key: key.export({ type: 'spki', format: 'der' }), type: 'spki', format: 'der' });
  return { key: same, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
}

/** Why a list of these cannot be used for certificates of this issuer now; `revoked` counts before it. */
export function judgeRevocation(
  lists: readonly RevocationList[] | undefined,
  serial: string,
  now: number,
): { code: 'certificate-revoked' | 'certificate-crl-missing' | 'certificate-crl-stale' | undefined; until: number } {
  if (lists === undefined) return { code: 'certificate-crl-missing', until: Number.POSITIVE_INFINITY };
  if (lists.some((list) => list.revoked.has(serial))) return { code: 'certificate-revoked', until: Number.POSITIVE_INFINITY };
  const until = Math.max(...lists.filter((list) => list.thisUpdate <= now).map((list) => list.nextUpdate));
  return { code: until > now ? undefined : 'certificate-crl-stale', until };
}
