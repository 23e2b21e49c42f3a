import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { CertificateFiles } from '../../config/units.ts';
import { certificateNames } from './names.ts';
import { tlsPolicy } from './policy.ts';

/** The same two as PEM text. */
export interface Pem {
  readonly cert: string;
  readonly key: string;
}

/** A certificate and its key, checked against one another. */
export interface Pair {
  /** undefined for a generated certificate. */
  readonly files: CertificateFiles | undefined;
  readonly pem: Pem;
  readonly leaf: X509Certificate;
  /** Host names, lower case, wildcards as `*.example.com`. */
  readonly dns: readonly string[];
  readonly addresses: readonly string[];
  /** `rsa`, `ec`, …: one context can hold one certificate of each kind. */
  readonly kind: string;
  /** What is odd about it but does not stop it. */
  readonly warnings: readonly string[];
}

/** What an entry of `tls` is made of, as far as it can be to blame. */
export type TlsMember = 'certificate' | 'key' | 'names' | 'client-certificates' | 'ca' | 'crl';

/** An entry that cannot be used; `member` tells which of its files is to blame. */
export class PairError extends Error {
  readonly member: TlsMember;

  constructor(member: TlsMember, message: string) {
    super(message);
    this.name = 'PairError';
    this.member = member;
  }
}

/** What of an entry of `tls` tells which certificate serves which names. */
export interface PairFiles extends CertificateFiles {
  readonly names?: readonly string[];
}

/** Reads and checks a pair. Rejects only with PairError. */
export async function readPair(files: PairFiles): Promise<Pair> {
  return readPairNow(files);
}

/** The same at once. Throws only PairError. */
export function readPairNow(files: PairFiles): Pair {
  const certificate = readPem('certificate', files.certificate);
  const key = readPem('key', files.key);
  const warnings = key.mode & 0o004 ? [`${files.key} can be read by every user of this machine: chmod o-r`] : [];
  const { certificate: cert, key: keyFile } = files;
  return servedNames(
    checkPair({ cert: certificate.text, key: key.text }, { certificate: cert, key: keyFile }, warnings),
    files.names,
  );
}

/** The pair for those names only that its entry says. */
function servedNames(pair: Pair, names: readonly string[] | undefined): Pair {
  if (names === undefined) return pair;
  const foreign = names.filter((name) => !pair.dns.some((own) => covers(own, name)));
  if (foreign.length > 0) {
    throw new PairError(
      'names',
      `${pair.files?.certificate} is not a certificate for ${foreign.join(', ')}, but for ${pair.dns.join(', ')}`,
    );
  }
  return { ...pair, dns: names };
}

function covers(own: string, name: string): boolean {
  return own === name || (own.startsWith('*.') && name.indexOf('.') > 0 && own.slice(1) === name.slice(name.indexOf('.')));
}

/** Everything that is wrong with a pair, or with the one file of it that is named. */
export function findProblems({ certificate, key }: Partial<CertificateFiles>): PairError[] {
  const problems: PairError[] = [];
  const cert = certificate === undefined ? undefined : attempt(problems, () => readPem('certificate', certificate).text);
  const pem = key === undefined ? undefined : attempt(problems, () => readPem('key', key).text);
  if (cert !== undefined) attempt(problems, () => readChain(cert, certificate as string));
  if (pem !== undefined) attempt(problems, () => readKey(pem, key as string));
  if (problems.length > 0 || certificate === undefined || key === undefined) return problems;
  attempt(problems, () => checkPair({ cert: cert as string, key: pem as string }, { certificate, key }));
  return problems;
}

function attempt<T>(problems: PairError[], step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof PairError)) throw error;
    problems.push(error);
    return undefined;
  }
}

/** Checks a pair that is already in memory. Throws only PairError. */
export function checkPair(pem: Pem, files?: CertificateFiles, warnings: string[] = []): Pair {
  const chain = readChain(pem.cert, files?.certificate ?? 'the certificate');
  const key = readKey(pem.key, files?.key ?? 'the key');
  const [leaf] = chain;
  if (!leaf.checkPrivateKey(key)) throw new PairError('key', mismatch(chain, key, files));
  const { dns, addresses } = certificateNames(leaf);
  const kept = { cert: chain.map((one) => one.toString()).join(''), key: pem.key };
  tryContext(kept);
  return {
    files,
    pem: kept,
    leaf,
    dns,
    addresses,
    kind: key.asymmetricKeyType ?? 'unknown',
    warnings: [...warnings, ...chainWarnings(chain), ...nameWarnings(dns, addresses)],
  };
}

const MAX_FILE_MIB = 1;

/** At once, without a promise: it is small, and read when a configuration loads or a certificate was renewed. */
export function readPem(member: TlsMember, path: string, mib = MAX_FILE_MIB): { text: string; mode: number } {
  let file: number | undefined;
  try {
    // Without O_NONBLOCK a named pipe would be waited for.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new PairError(member, `${path} is not a file`);
    if (stats.size > mib * 1024 ** 2) throw new PairError(member, `${path} is larger than ${mib} MiB: not a PEM file`);
    return { text: readFileSync(file, 'latin1'), mode: stats.mode };
  } catch (error) {
    if (error instanceof PairError) throw error;
    throw new PairError(member, `${path} ${whyUnreadable(error as NodeJS.ErrnoException)}`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const unreadable: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by the user that runs this process',
  EPERM: 'may not be read by the user that runs this process',
};

function whyUnreadable(error: NodeJS.ErrnoException): string {
  return unreadable[error.code ?? ''] ?? `cannot be read (${error.code ?? error.message})`;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** All certificates of a text, at least one. */
export function readChain(
  text: string,
  where: string,
  member: TlsMember = 'certificate',
): [X509Certificate, ...X509Certificate[]] {
  const blocks = text.match(CERTIFICATE) ?? [];
  const [leaf, ...rest] = blocks.map((block) => readCertificate(block, where, member));
  if (leaf === undefined) throw new PairError(member, `${where} ${whyNoCertificate(text)}`);
  return [leaf, ...rest];
}

function readCertificate(block: string, where: string, member: TlsMember): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    throw new PairError(member, `${where} holds a damaged certificate`);
  }
}

function whyNoCertificate(text: string): string {
  if (text.trim() === '') return 'is empty';
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    return 'holds a private key, but no certificate: are the two files swapped?';
  if (text.includes('-----BEGIN CERTIFICATE-----')) return 'holds a certificate that is cut off';
  return 'is not PEM: no "-----BEGIN CERTIFICATE-----" in it (DER is converted by openssl x509 -inform der)';
}

function readKey(text: string, where: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    throw new PairError('key', `${where} is encrypted with a passphrase, which is not supported: openssl pkey writes it without`);
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw new PairError('key', `${where} ${whyNoKey(text)}`);
  try {
    return createPrivateKey(text);
  } catch {
    // The error's text is left out: it could quote what stands in the file.
    throw new PairError('key', `${where} holds a damaged private key, or one of an unknown kind`);
  }
}

function whyNoKey(text: string): string {
  if (text.trim() === '') return 'is empty';
  if (text.includes('-----BEGIN CERTIFICATE-----')) return 'holds a certificate, but no private key: are the two files swapped?';
  return 'is not PEM: no "-----BEGIN PRIVATE KEY-----" in it';
}

function mismatch(chain: X509Certificate[], key: KeyObject, files: CertificateFiles | undefined): string {
  const where = files?.key ?? 'the key';
  if (chain.some((one) => one.checkPrivateKey(key))) {
    return `${where} belongs to a later certificate of ${files?.certificate}: the server's own certificate must come first`;
  }
  return `${where} does not belong to the certificate in ${files?.certificate ?? 'hand'}`;
}

/** OpenSSL's own judgement, above all of keys that are too short. */
function tryContext(pem: Pem): void {
  try {
    createSecureContext({ ...tlsPolicy, ...pem });
  } catch (error) {
    const { reason, message } = error as { reason?: string; message: string };
    throw new PairError('certificate', `the certificate cannot be used: ${reason ?? message}`);
  }
}

function chainWarnings(chain: X509Certificate[]): string[] {
  const broken = chain.findIndex((one, i) => i > 0 && !chain[i - 1].checkIssued(one));
  if (broken < 0) return [];
  return [`certificate ${broken + 1} of the file did not issue the one before it: clients may not be able to verify the chain`];
}

function nameWarnings(dns: string[], addresses: string[]): string[] {
  return dns.length + addresses.length === 0 ? ['the certificate names no host: no client can verify it'] : [];
}
