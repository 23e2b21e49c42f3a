import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mapping } from './checks.ts';
import { describeFileError } from './file-error.ts';
import type { Report } from './findings.ts';
import type { Path } from './schema-tree.ts';

/**
 * Reads the certificates that listeners and services name, so that a missing file, a file that is none, or a key that
 * belongs to another certificate is told with its position, before anything is changed.
 */
export function checkCertificates(raw: unknown, report: Report): void {
  const file = mapping(raw);
  for (const [name, listener] of Object.entries(mapping(file.listeners)))
    checkTls(mapping(listener).tls, ['listeners', name, 'tls'], report);
  checkTls(mapping(file.admin).tls, ['admin', 'tls'], report);
  for (const [name, service] of Object.entries(mapping(file.services))) {
    const tls = mapping(mapping(service).tls);
    const at = ['services', name, 'tls'];
    checkPair(tls, at, report);
    attempt(tls.ca, [...at, 'ca'], 'certificate', (pem) => new X509Certificate(pem), report);
  }
}

function checkTls(tls: unknown, at: Path, report: Report): void {
  if (Array.isArray(tls)) tls.forEach((pair, index) => checkPair(pair, [...at, index], report));
  else checkPair(tls, at, report);
}

function checkPair(value: unknown, at: Path, report: Report): void {
  const pair = mapping(value);
  const certificate = attempt(pair.certificate, [...at, 'certificate'], 'certificate', (pem) => new X509Certificate(pem), report);
  const key = attempt(pair.key, [...at, 'key'], 'private key', (pem): KeyObject => createPrivateKey(pem), report);
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    report([...at, 'key'], 'this private key does not belong to the certificate');
  }
}

function attempt<T>(file: unknown, at: Path, what: string, parse: (pem: Buffer) => T, report: Report): T | undefined {
  if (typeof file !== 'string' || file === '') return undefined;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    report(
      at,
      code === 'ENOENT' ? `there is no such file: ${file}` : `the file cannot be read (${describeFileError(error)}): ${file}`,
    );
    return undefined;
  }
  try {
    return parse(bytes);
  } catch {
    // OpenSSL's words for it are of no use to anyone, and could quote the file.
    report(
      at,
      `the file holds no PEM ${what} that can be read${what === 'private key' ? ' (one with a passphrase cannot)' : ''}: ${file}`,
    );
    return undefined;
  }
}
