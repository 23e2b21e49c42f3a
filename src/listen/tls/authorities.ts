import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import type { ClientCertificates } from '../../config/units.ts';
import { DerError } from '../../exchange/der.ts';
import { nameKey, nameText } from '../../exchange/distinguished-name.ts';
import { readCertificate } from '../../exchange/client-certificate.ts';
import { PairError, readChain, readPem } from './pair.ts';
import { isSignedBy, readRevocationList, type RevocationList } from './revocation.ts';

/** A certificate of the file `ca`. */
export interface Authority {
  readonly certificate: X509Certificate;
  /** Its key, taken out once. */
  readonly key: KeyObject;
  /** Its name, as RFC 4514 writes it. */
  readonly name: string;
  readonly root: boolean;
}

/** Who signs client certificates, and what of these is revoked: read from files, together and never half. */
export interface Authorities {
  readonly list: readonly Authority[];
  /** By the name of the issuer; undefined: revocation is not looked at. */
  readonly revocation: ReadonlyMap<string, readonly RevocationList[]> | undefined;
  /** The same for OpenSSL, one to an element: of several in one it would read the first. */
  readonly ca: readonly string[];
  readonly crl: readonly string[] | undefined;
  /** What it was made of. */
  readonly digest: string;
  readonly warnings: readonly string[];
}

const MAX_CRL_MIB = 16;

/** Reads the files that `client-certificates` names. Throws PairError when anything of them cannot be used. */
export function readAuthorities(options: ClientCertificates): Authorities {
  const list = readCa(options.ca);
  for (const one of list) checkAnchored(one, list, options.ca);
  const lists = options.crl?.flatMap((path) => readLists(path));
  const warnings = lists?.flatMap((one) => checkSignature(one.list, list, one.path)) ?? [];
  const ca = list.map((one) => one.certificate.toString());
  const crl = lists?.map((one) => one.list.pem);
  const digest = createHash('sha256')
    .update(JSON.stringify([ca, crl]))
    .digest('hex');
  return { list, revocation: byIssuer(lists?.map((one) => one.list)), ca, crl, digest, warnings };
}

function readCa(path: string): Authority[] {
  const { text } = readPem('ca', path);
  const chain = readChain(text, path, 'ca');
  // Half of a file that is just being written would lock out the clients of the other half.
  if (chain.length !== text.split('-----BEGIN CERTIFICATE-----').length - 1) throw new PairError('ca', `${path} is cut off`);
  return chain.map((one) => checkAuthority(one, path));
}

function checkAuthority(certificate: X509Certificate, path: string): Authority {
  const name = nameOf(certificate, path);
  if (!certificate.ca)
    throw new PairError('ca', `${path} holds a certificate that is not one of an authority (no CA:TRUE): ${name}`);
  const key = certificate.publicKey;
  return { certificate, key, name, root: certificate.checkIssued(certificate) && certificate.verify(key) };
}

function nameOf(certificate: X509Certificate, path: string): string {
  try {
    return nameText(readCertificate(certificate.raw).subject);
  } catch (error) {
    throw new PairError('ca', `${path} holds a damaged certificate: ${(error as Error).message}`);
  }
}

/** OpenSSL trusts a chain only when it ends in a root: without it no client would ever get in. */
function checkAnchored(authority: Authority, all: readonly Authority[], path: string): void {
  let above: Authority | undefined = authority;
  for (let i = 0; i < all.length && above !== undefined && !above.root; i++) above = issuerOf(above.certificate, all);
  if (above?.root === true) return;
  throw new PairError('ca', `${path} holds ${authority.name}, but not the root above it: append the root's certificate`);
}

/** The authority that signed this certificate: by name, key identifier and signature. */
export function issuerOf(certificate: X509Certificate, among: readonly Authority[]): Authority | undefined {
  return among.find((one) => certificate.checkIssued(one.certificate) && certificate.verify(one.key));
}

const CRL = /-----BEGIN X509 CRL-----([^-]*)-----END X509 CRL-----/g;

function readLists(path: string): { path: string; list: RevocationList }[] {
  const { text } = readPem('crl', path, MAX_CRL_MIB);
  const ders = listsOf(text);
  if (ders.length === 0)
    throw new PairError('crl', `${path} ${text === '' ? 'is empty' : 'holds no revocation list, neither PEM nor DER'}`);
  if (text.includes('-----BEGIN') && ders.length !== text.split('-----BEGIN X509 CRL-----').length - 1)
    throw new PairError('crl', `${path} is cut off`);
  return ders.map((der) => {
    try {
      return { path, list: readRevocationList(der) };
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      throw new PairError('crl', `${path} holds a revocation list that cannot be used: ${error.message}`);
    }
  });
}

function listsOf(text: string): Buffer[] {
  if (text.includes('-----BEGIN')) return [...text.matchAll(CRL)].map(([, base64]) => Buffer.from(base64, 'base64'));
  return text.startsWith('0') ? [Buffer.from(text, 'latin1')] : [];
}

/** A list of an authority that is in no file is judged by OpenSSL when a client shows that authority; until then nobody knows. */
function checkSignature(list: RevocationList, all: readonly Authority[], path: string): string[] {
  const issuers = all.filter((one) => nameKeyOf(one.certificate) === list.issuerKey);
  if (issuers.length === 0)
    return [
      `${path} is by ${list.issuer}, which is not in \`ca\`: its signature is looked at only when a client shows that authority`,
    ];
  try {
    if (issuers.some((one) => isSignedBy(list, one.certificate))) return [];
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new PairError('crl', `${path} holds a revocation list that cannot be used: ${error.message}`);
  }
  throw new PairError('crl', `${path} was not signed by ${list.issuer}: its signature does not fit`);
}

function nameKeyOf(certificate: X509Certificate): string {
  return nameKey(readCertificate(certificate.raw).subject);
}

function byIssuer(lists: readonly RevocationList[] | undefined): ReadonlyMap<string, readonly RevocationList[]> | undefined {
  return lists === undefined ? undefined : Map.groupBy(lists, (list) => list.issuerKey);
}
