import type { ClientCertificate } from '../../exchange/client-certificate.ts';
import { attributeType, type DistinguishedName } from '../../exchange/distinguished-name.ts';
import type { MtlsRule } from './options.ts';
import { matchesSpiffe, spiffeIdOf } from './spiffe.ts';

type Check = (certificate: ClientCertificate) => boolean;

/** What a rule asks of a certificate: all of it must hold. */
export function makeRule(rule: MtlsRule): Check {
  const { subject, issuer, attributes = {}, dns, email, ip, spiffe } = rule;
  const checks: Check[] = Object.entries(attributes).map(([name, values]) => attributeCheck(name, [values].flat()));
  if (subject !== undefined) checks.push((certificate) => subject.includes(certificate.subject));
  if (issuer !== undefined) checks.push((certificate) => issuer.includes(certificate.issuer));
  if (dns !== undefined) checks.push(nameCheck('dns', dns));
  if (email !== undefined) checks.push(nameCheck('email', email));
  if (ip !== undefined) checks.push(nameCheck('ip', ip));
  if (spiffe !== undefined) checks.push(spiffeCheck(spiffe));
  return (certificate) => checks.every((check) => check(certificate));
}

function attributeCheck(name: string, values: readonly string[]): Check {
  const type = attributeType(name) as string;
  return ({ subjectName }) => {
    const value = onlyAttribute(subjectName, type);
    return value !== undefined && values.includes(value);
  };
}

/** The value of an attribute that is there once: of two, one reader takes the first and another the last. */
export function onlyAttribute(name: DistinguishedName, type: string): string | undefined {
  const found = name.flat().filter((attribute) => attribute.type === type);
  return found.length === 1 && found[0].text ? found[0].value : undefined;
}

/** In a list with an entry that nobody can read, nothing is believed. */
function nameCheck(kind: 'dns' | 'email' | 'ip', values: readonly string[]): Check {
  return ({ names }) => !names.malformed && names[kind].some((name) => values.includes(name));
}

function spiffeCheck(patterns: readonly string[]): Check {
  return ({ names }) => {
    const id = spiffeIdOf(names);
    return id !== undefined && patterns.some((pattern) => matchesSpiffe(id, pattern));
  };
}
