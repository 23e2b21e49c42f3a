import type { ClientPolicy } from './client-policy.ts';
import { NameTable } from './names.ts';
import type { Pair } from './pair.ts';

/** One entry of `tls`, ready to serve: a certificate, and what is asked of the clients that come for its names. */
export interface Entry {
  readonly pair: Pair;
  readonly policy: ClientPolicy;
}

/** Which policy holds for which name. */
export class PolicyTable {
  /** Each once; the first is that of names which no certificate covers, and of clients that send no name. */
  readonly policies: readonly ClientPolicy[];
  /** Whether any of them asks for certificates. */
  readonly asks: boolean;
  readonly #names = new NameTable<ClientPolicy>();

  constructor(entries: readonly Entry[]) {
    this.policies = [...new Set(entries.map(({ policy }) => policy))];
    this.asks = this.policies.some((policy) => policy.asks);
    if (this.policies.length === 1) return;
    // The first entry with a name serves it, so the last one set must be the first one listed.
    for (const { pair, policy } of entries.toReversed()) for (const name of pair.dns) this.#names.set(name, policy);
  }

  /** Of a server name or of a Host, lower case; what is no name that a certificate has, such as an address, gets the first. */
  find(name: string): ClientPolicy {
    if (this.policies.length === 1 || name === '') return this.policies[0];
    return this.#names.find(name) ?? this.policies[0];
  }
}

/** Names that two entries serve with different policies: the second would not get what it asks for. */
export function policyConflicts(entries: readonly Entry[]): { index: number; message: string }[] {
  const owners = new Map<string, ClientPolicy>();
  const conflicts: { index: number; message: string }[] = [];
  for (const [index, { pair, policy }] of entries.entries()) {
    const taken = pair.dns.filter((name) => (owners.get(name) ?? policy) !== policy);
    for (const name of pair.dns) if (!owners.has(name)) owners.set(name, policy);
    if (taken.length === 0) continue;
    const message = `an earlier entry serves ${taken.join(', ')} with other client certificates: say in \`names\` which entry serves what`;
    conflicts.push({ index, message });
  }
  return conflicts;
}
