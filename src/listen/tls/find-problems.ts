import { type ClientCertificates, clientCertificatesOption, listenerTls } from '../../config/units.ts';
import { ClientPolicy } from './client-policy.ts';
import { type Entry, policyConflicts } from './entries.ts';
import { PairError, readPairNow } from './pair.ts';

/** Something wrong with what a listener says of client certificates, and where in its options. */
export interface ClientFinding {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * Reads what a listener's options name for client certificates, before anything is changed. What the schema refuses, and certificates and
 * keys of its own, are told elsewhere.
 */
export function findClientProblems(listener: Readonly<Record<string, unknown>>): ClientFinding[] {
  const [own, tls] = [
    clientCertificatesOption().safeParse(listener['client-certificates']),
    listenerTls().safeParse(listener.tls),
  ];
  if (!own.success || !tls.success) return [];
  const findings = problemOf(policyOf(own.data), ['client-certificates']);
  if (typeof tls.data === 'string') return findings;
  const policies = new Map<string, ClientPolicy>();
  const entries: (Entry & { readonly at: readonly (string | number)[] })[] = [];
  for (const [i, entry] of tls.data.entries()) {
    const at = Array.isArray(listener.tls) ? ['tls', i] : ['tls'];
    const asked = entry['client-certificates'];
    findings.push(...problemOf(policyOf(asked), [...at, 'client-certificates']));
    const made = policyOf(asked ?? own.data);
    const policy = policies.get(made.key) ?? made;
    policies.set(policy.key, policy);
    try {
      entries.push({ pair: readPairNow(entry), policy, at });
    } catch (error) {
      if (!(error instanceof PairError)) throw error;
      if (error.member === 'names') findings.push({ path: [...at, 'names'], message: error.message });
    }
  }
  for (const { index, message } of policyConflicts(entries)) findings.push({ path: entries[index].at, message });
  return findings;
}

function policyOf(options: ClientCertificates | 'none' | undefined): ClientPolicy {
  return new ClientPolicy(options === 'none' ? undefined : options);
}

function problemOf(policy: ClientPolicy, at: readonly (string | number)[]): ClientFinding[] {
  const problem = policy.findProblem();
  return problem === undefined ? [] : [{ path: [...at, problem.member], message: problem.message }];
}
