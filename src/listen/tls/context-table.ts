import { createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { NameTable } from './names.ts';
import type { Pair } from './pair.ts';

/** A context with one certificate. */
interface Choice {
  readonly pair: Pair;
  readonly context: SecureContext;
}

/** Which context answers which server name. */
export class ContextTable {
  /** The pairs that serve names which no certificate covers, and clients that send no name. */
  readonly first: readonly Pair[];
  /** Pairs that no client ever gets. */
  readonly unreachable: readonly Pair[];
  readonly #names = new NameTable<readonly Choice[]>();

  constructor(pairs: readonly Pair[], options: SecureContextOptions) {
    const choices = pairs.map((pair) => ({ pair, context: createSecureContext({ ...options, ...pair.pem }) }));
    const groups = groupByName(choices);
    for (const [name, group] of groups) this.#names.set(name, group.sort(cheaperFirst));
    this.first = groups.get(pairs[0].dns[0])?.map(({ pair }) => pair) ?? [pairs[0]];
    const reached = new Set([...this.first, ...[...groups.values()].flat().map(({ pair }) => pair)]);
    this.unreachable = pairs.filter((pair) => !reached.has(pair));
  }

  /**
   * Of a context that is chosen by name Node uses one certificate only, so where there are several kinds we choose, by the
   * signatures that the client can verify. (A TLS 1.2 client that can verify ECDSA but has no suite for it is not served:
   * the server's own context, where OpenSSL chooses, could do that.)
   */
  find(serverName: string, socket: TLSSocket): SecureContext | undefined {
    const choices = this.#names.find(serverName);
    if (choices === undefined || choices.length === 1) return choices?.[0].context;
    const signatures = socket.getSharedSigalgs();
    const fits = choices.find(({ pair }) => signatures.some((signature) => signs(pair.kind, signature)));
    return (fits ?? choices[0]).context;
  }
}

/** Kinds of keys with the names of their signatures in OpenSSL, in the order of what a handshake costs us. */
const kinds: readonly [kind: string, signature: string][] = [
  ['ec', 'ECDSA+'],
  ['ed25519', 'ed25519'],
  ['rsa', 'RSA'],
];

function signs(kind: string, signature: string): boolean {
  return kinds.some(([name, start]) => name === kind && signature.startsWith(start));
}

function cheaperFirst(a: Choice, b: Choice): number {
  const rank = ({ pair }: Choice): number => kinds.findIndex(([name]) => name === pair.kind) >>> 0;
  return rank(a) - rank(b);
}

/** For each name what serves it: the first pair listed, and beside it the first of every other kind of key with the same name. */
function groupByName(choices: readonly Choice[]): Map<string, Choice[]> {
  const groups = new Map<string, Choice[]>();
  for (const choice of choices) {
    for (const name of choice.pair.dns) {
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [choice]);
      else if (group.every(({ pair }) => pair.kind !== choice.pair.kind)) group.push(choice);
    }
  }
  return groups;
}
