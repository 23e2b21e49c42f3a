import { findClientProblems } from '../listen/tls/find-problems.ts';
import { findProblems } from '../listen/tls/pair.ts';
import { mapping } from './checks.ts';
import type { Report } from './findings.ts';
import type { Path } from './schema-tree.ts';

/**
 * Reads the certificates that listeners and services name, so that a missing file, a file that is none, or a key that
 * belongs to another certificate is told with its position, before anything is changed.
 */
export function checkCertificates(raw: unknown, report: Report): void {
  const file = mapping(raw);
  for (const [name, listener] of Object.entries(mapping(file.listeners))) {
    checkTls(mapping(listener).tls, ['listeners', name, 'tls'], report);
    for (const { path, message } of findClientProblems(mapping(listener))) report(['listeners', name, ...path], message);
  }
  checkTls(mapping(file.admin).tls, ['admin', 'tls'], report);
  checkAuthorities(mapping(file.egress).ca, ['egress', 'ca'], report);
  for (const [name, service] of Object.entries(mapping(file.services))) {
    const tls = mapping(mapping(service).tls);
    const at = ['services', name, 'tls'];
    checkPair(tls, at, report);
    checkAuthorities(tls.ca, [...at, 'ca'], report);
  }
}

function checkTls(tls: unknown, at: Path, report: Report): void {
  if (Array.isArray(tls)) tls.forEach((pair, index) => checkPair(pair, [...at, index], report));
  else checkPair(tls, at, report);
}

function checkPair(value: unknown, at: Path, report: Report): void {
  const { certificate, key } = mapping(value);
  const problems = findProblems({ certificate: fileName(certificate), key: fileName(key) });
  for (const { member, message } of problems) report([...at, member], message);
}

function checkAuthorities(ca: unknown, at: Path, report: Report): void {
  for (const { message } of findProblems({ certificate: fileName(ca) })) report(at, message);
}

/** Whatever else stands there, the schema has already said so. */
function fileName(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
