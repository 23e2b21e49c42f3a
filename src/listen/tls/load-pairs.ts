import type { ClientCertificates, ListenerCertificate } from '../../config/units.ts';
import type { Authorities } from './authorities.ts';
import { ClientPolicy } from './client-policy.ts';
import { type Entry, policyConflicts } from './entries.ts';
import { checkPair, type Pair, PairError, type Pem, readPair, type TlsMember } from './pair.ts';

/** One thing wrong with one entry of the option. */
export interface TlsProblem {
  /** Which entry of the list. */
  readonly index: number;
  readonly member: TlsMember;
  readonly message: string;
}

/** The option cannot be used; all problems at once. */
export class TlsLoadError extends Error {
  readonly problems: readonly TlsProblem[];

  constructor(problems: readonly TlsProblem[]) {
    super(problems.map((problem) => problem.message).join('; '));
    this.name = 'TlsLoadError';
    this.problems = problems;
  }
}

/** What was read for an option. */
export interface Loaded {
  readonly entries: readonly Entry[];
  readonly authorities: ReadonlyMap<ClientPolicy, Authorities | undefined>;
}

type Asked = ClientCertificates | 'none' | undefined;

/**
 * Reads a list of files.
 * @param asked - what is asked of clients where an entry does not say it
 * @param known - policies that go on where the options are the same; new ones are added
 * @throws TlsLoadError
 */
export async function loadFiles(option: readonly ListenerCertificate[], asked: Asked, known: ClientPolicy[]): Promise<Loaded> {
  if (option.length === 0) throw new TlsLoadError([{ index: 0, member: 'certificate', message: 'no certificate is named' }]);
  const { pairs, problems } = await readPairs(option);
  if (problems.length > 0) throw new TlsLoadError(problems);
  const entries = option.map((one, i) => {
    const policy = policyFor(one['client-certificates'] ?? asked, known);
    return { pair: pairs[i] as Pair, policy };
  });
  const conflicts = policyConflicts(entries);
  if (conflicts.length > 0) throw new TlsLoadError(conflicts.map((one) => ({ ...one, member: 'names' })));
  return withAuthorities(entries);
}

/** The same for a certificate that was made. */
export function loadMade(pem: Pem, asked: Asked, known: ClientPolicy[]): Loaded {
  return withAuthorities([{ pair: checkPair(pem), policy: policyFor(asked, known) }]);
}

/** The policy of these options; the same options have one and the same. */
function policyFor(options: Asked, known: ClientPolicy[]): ClientPolicy {
  const made = new ClientPolicy(options === 'none' ? undefined : options);
  const found = known.find((one) => one.key === made.key);
  if (found === undefined) known.push(made);
  return found ?? made;
}

function withAuthorities(entries: readonly Entry[]): Loaded {
  const authorities = new Map<ClientPolicy, Authorities | undefined>();
  const problems: TlsProblem[] = [];
  for (const [index, { policy }] of entries.entries()) {
    if (authorities.has(policy)) continue;
    const read = readAuthorities(policy, index, problems);
    authorities.set(policy, read);
  }
  if (problems.length > 0) throw new TlsLoadError(problems);
  return { entries, authorities };
}

/** What a policy judges by, as its files have it now. What is wrong with them goes to `problems`. */
export function readAuthorities(policy: ClientPolicy, index: number, problems: TlsProblem[]): Authorities | undefined {
  try {
    return policy.read();
  } catch (error) {
    if (!(error instanceof PairError)) throw error;
    problems.push({ index, member: error.member, message: error.message });
    return undefined;
  }
}

/** Reads all pairs; a place whose pair cannot be used is undefined and has its problem. */
export async function readPairs(option: readonly ListenerCertificate[]) {
  const problems: TlsProblem[] = [];
  const pairs = await Promise.all(
    option.map((files, index) =>
      readPair(files).catch((error: unknown) => {
        if (!(error instanceof PairError)) throw error;
        problems.push({ index, member: error.member, message: error.message });
        return undefined;
      }),
    ),
  );
  return { pairs, problems: problems.sort((a, b) => a.index - b.index) };
}

/** The pair that was there, where the new one cannot be used or is the same. */
export function keepUnchanged(pair: Pair | undefined, old: Pair): Pair {
  if (pair === undefined) return old;
  return pair.pem.cert === old.pem.cert && pair.pem.key === old.pem.key ? old : pair;
}
