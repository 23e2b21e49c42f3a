import { type KeyObject, X509Certificate } from 'node:crypto';
import type { ClientCertificates } from '../../config/units.ts';
import { type CertificateFields, ClientCertificate, readCertificate, type Standing } from '../../exchange/client-certificate.ts';
import type { CatalogueCode } from '../../exchange/decision.ts';
import { nameKey, nameText } from '../../exchange/distinguished-name.ts';
import { type Authorities, type Authority, issuerOf, readAuthorities } from './authorities.ts';
import { PairError } from './pair.ts';
import { judgeRevocation } from './revocation.ts';

/** Why a client is not let in. */
export interface ClientProblem {
  readonly code: CatalogueCode;
  readonly reason: string;
}

/** What the handshake has brought. */
export interface Shown {
  /** The client's certificate and what it sent besides, DER; empty: it showed none. */
  readonly chain: readonly Buffer[];
  /** False: Node did not let us see what was sent besides. */
  readonly seen: boolean;
  /** What OpenSSL found wrong; undefined: nothing. */
  readonly openssl: string | undefined;
}

/** One certificate of a verified chain, with what has to be looked at again. */
interface Link {
  readonly certificate: X509Certificate;
  readonly fields: CertificateFields;
  readonly issuerKey: string;
}

interface Chain {
  /** From the client's certificate upwards, without the root. */
  readonly links: readonly Link[];
  /** undefined: the chain could not be seen up to its end. */
  readonly root: Authority | undefined;
}

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** More than OpenSSL itself would follow is not looked at; `depth` is mostly far less. */
const MAX_LINKS = 12;

/**
 * What one or more names ask of client certificates. A certificate counts when OpenSSL has verified it in the handshake, and what is
 * said here besides holds: both have to agree. OpenSSL knows the last thing that was wrong and not the first, so why a client is refused
 * is found out here.
 */
export class ClientPolicy {
  /** The same for the same options: what was agreed under one key does not count under another. */
  readonly key: string;
  readonly options: ClientCertificates | undefined;
  #authorities: Authorities | undefined;

  constructor(options: ClientCertificates | undefined) {
    this.options = options;
    this.key = policyKey(options);
  }

  get asks(): boolean {
    return this.options !== undefined;
  }

  get required(): boolean {
    return this.options?.mode === 'required';
  }

  get authorities(): Authorities | undefined {
    return this.#authorities;
  }

  /** What is wrong with its files; undefined: nothing. */
  findProblem(): PairError | undefined {
    try {
      this.read();
      return undefined;
    } catch (error) {
      if (error instanceof PairError) return error;
      throw error;
    }
  }

  /** Reads the files; gives what `use` takes. Throws PairError. */
  read(): Authorities | undefined {
    return this.options === undefined ? undefined : readAuthorities(this.options);
  }

  /** From now on these count, for open connections too. */
  use(authorities: Authorities | undefined): void {
    // The same content stays the same object, so that nothing is looked at anew.
    if (authorities?.digest !== this.#authorities?.digest) this.#authorities = authorities;
  }

  /** Files that it is made of. */
  get files(): readonly string[] {
    return this.options === undefined ? [] : [this.options.ca, ...(this.options.crl ?? [])];
  }

  /** What an operator should know of its files now. */
  warnings(now: number): string[] {
    const authorities = this.#authorities;
    if (authorities === undefined) return [];
    const stale = [...(authorities.revocation?.values() ?? [])].flat().filter((list) => list.nextUpdate <= now);
    const expired = authorities.list.filter(({ certificate }) => certificate.validToDate.getTime() <= now);
    return [
      ...authorities.warnings,
      ...stale.map(
        (one) => `the revocation list of ${one.issuer} is stale since ${dateOf(one.nextUpdate)}: its clients are refused`,
      ),
      ...expired.map((one) => `the client authority ${one.name} has expired on ${dateOf(one.certificate.validToDate.getTime())}`),
    ];
  }

  /** Judges what a client has shown: its certificate, nothing (it has none and needs none), or why it is not let in. */
  judge(shown: Shown, now: number): ClientCertificate | ClientProblem | undefined {
    if (shown.chain.length === 0) return this.required ? MISSING : undefined;
    try {
      return this.#judgeChain(shown, now);
    } catch (error) {
      // Nothing that we cannot read is let in, whatever OpenSSL made of it.
      return { code: 'certificate-untrusted', reason: `the certificate cannot be read: ${(error as Error).message}` };
    }
  }

  #judgeChain(shown: Shown, now: number): ClientCertificate | ClientProblem {
    const authorities = this.#authorities as Authorities;
    const chain = chainOf(shown.chain, authorities);
    const problem =
      this.#trustProblem(chain, shown) ?? chainProblem(chain, now) ?? revocationProblem(chain, authorities, now).problem;
    if (problem !== undefined) return problem;
    if (shown.openssl !== undefined) return { code: 'certificate-untrusted', reason: `refused by OpenSSL: ${shown.openssl}` };
    const [{ certificate, fields }] = chain.links;
    const issuers = chain.links.map((link) => nameText(link.fields.issuer));
    return new ClientCertificate(certificate.raw, fields, issuers, new Watched(this, chain));
  }

  #trustProblem({ links, root }: Chain, shown: Shown): ClientProblem | undefined {
    const untrusted = (reason: string): ClientProblem => ({ code: 'certificate-untrusted', reason });
    const depth = this.options?.depth;
    if (root !== undefined) {
      return depth !== undefined && links.length - 1 > depth ? untrusted('more intermediate authorities than depth') : undefined;
    }
    const { certificate } = links[links.length - 1];
    if (certificate.checkIssued(certificate)) return untrusted('a self-signed certificate that is not in ca');
    if (shown.seen || shown.openssl !== undefined) return untrusted('its issuer is not in ca, and was not sent along');
    return depth === undefined ? undefined : untrusted('how many authorities there are cannot be seen: list them in ca');
  }
}

const MISSING: ClientProblem = { code: 'certificate-missing', reason: 'the client showed no certificate' };

function policyKey(options: ClientCertificates | undefined): string {
  return options === undefined ? 'none' : JSON.stringify([options.ca, options.crl ?? [], options.mode, options.depth ?? -1]);
}

/** Follows the signatures from the client's certificate up to a root of ours, over ours and those that the client sent. */
function chainOf(ders: readonly Buffer[], authorities: Authorities): Chain {
  const [leaf, ...sent] = ders.slice(0, MAX_LINKS).map((der) => new X509Certificate(der));
  const links = [linkOf(leaf)];
  while (links.length < MAX_LINKS) {
    const { certificate } = links[links.length - 1];
    const own = issuerOf(certificate, authorities.list);
    if (own?.root === true) return { links, root: own };
    const next = own?.certificate ?? sentIssuer(certificate, sent, authorities);
    if (next === undefined || links.some((link) => link.certificate.fingerprint256 === next.fingerprint256)) break;
    links.push(linkOf(next));
  }
  return { links, root: undefined };
}

/** Of several that fit, the one that leads to an authority of ours: authorities may be certified by more than one root. */
function sentIssuer(
  certificate: X509Certificate,
  sent: readonly X509Certificate[],
  { list }: Authorities,
): X509Certificate | undefined {
  const fitting = sent.filter(
    (one) => certificate.checkIssued(one) && isModest(one.publicKey) && certificate.verify(one.publicKey),
  );
  return fitting.find((one) => issuerOf(one, list) !== undefined) ?? fitting[0];
}

/** To verify with the largest RSA keys takes milliseconds, and anybody can send one. */
function isModest(key: KeyObject): boolean {
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) <= 8192;
}

function linkOf(certificate: X509Certificate): Link {
  const fields = readCertificate(certificate.raw);
  return { certificate, fields, issuerKey: nameKey(fields.issuer) };
}

function chainProblem({ links, root }: Chain, now: number): ClientProblem | undefined {
  for (const [i, { certificate, fields }] of links.entries()) {
    const whose = i === 0 ? 'the certificate' : 'an authority above it';
    if (i > 0 && !certificate.ca)
      return { code: 'certificate-untrusted', reason: 'signed by a certificate that is not one of an authority' };
    if (fields.notAfter <= now) return { code: 'certificate-expired', reason: `${whose} expired on ${dateOf(fields.notAfter)}` };
    if (fields.notBefore > now)
      return { code: 'certificate-not-yet-valid', reason: `${whose} is not valid before ${dateOf(fields.notBefore)}` };
  }
  if (root !== undefined && root.certificate.validToDate.getTime() <= now)
    return { code: 'certificate-expired', reason: 'the root in ca has expired' };
  const purposes = links[0].certificate.keyUsage as readonly string[] | undefined;
  if (purposes !== undefined && purposes.length > 0 && !purposes.includes(CLIENT_AUTH)) {
    return { code: 'certificate-purpose', reason: 'its extended key usage does not have clientAuth' };
  }
  return undefined;
}

const REASONS = {
  'certificate-revoked': 'revoked',
  'certificate-crl-missing': 'no revocation list of its issuer',
  'certificate-crl-stale': 'the revocation list of its issuer is past nextUpdate',
} as const;

/** `until`: when a list that counts becomes stale. */
function revocationProblem(
  { links }: Chain,
  { revocation }: Authorities,
  now: number,
): { problem: ClientProblem | undefined; until: number } {
  let until = Number.POSITIVE_INFINITY;
  let found: ClientProblem | undefined;
  if (revocation === undefined) return { problem: undefined, until };
  for (const { fields, issuerKey } of links) {
    const one = judgeRevocation(revocation.get(issuerKey), fields.serial, now);
    until = Math.min(until, one.until);
    // What is known to be revoked is said so, whatever else is not known.
    if (one.code === 'certificate-revoked') return { problem: { code: one.code, reason: REASONS[one.code] }, until };
    if (one.code !== undefined) found ??= { code: one.code, reason: REASONS[one.code] };
  }
  return { problem: found, until };
}

/** A chain that was good, and what has become of it. */
class Watched implements Standing {
  readonly #policy: ClientPolicy;
  readonly #chain: Chain;
  readonly #ends: number;
  /** Of the authorities by which it was verified. */
  readonly #digest: string | undefined;
  #checked: Authorities | undefined;
  /** The answer holds for these authorities, and until then. */
  #until = 0;
  #problem: CatalogueCode | undefined;

  constructor(policy: ClientPolicy, chain: Chain) {
    this.#policy = policy;
    this.#chain = chain;
    this.#digest = policy.authorities?.digest;
    const ends = chain.links.map((link) => link.fields.notAfter);
    if (chain.root !== undefined) ends.push(chain.root.certificate.validToDate.getTime());
    this.#ends = Math.min(...ends);
  }

  problem(now: number): CatalogueCode | undefined {
    const { authorities } = this.#policy;
    if (authorities !== this.#checked || now >= this.#until) this.#check(authorities, now);
    return this.#problem;
  }

  #check(authorities: Authorities | undefined, now: number): void {
    this.#checked = authorities;
    this.#until = 0;
    this.#problem = 'certificate-untrusted';
    if (authorities === undefined || !this.#trusted(authorities)) return;
    const { problem, until } = revocationProblem(this.#chain, authorities, now);
    this.#problem = now >= this.#ends ? 'certificate-expired' : problem?.code;
    this.#until = this.#problem === undefined ? Math.min(until, this.#ends) : 0;
  }

  /** Signatures do not change: what has to be looked at is whether the root is still one of ours. */
  #trusted(authorities: Authorities): boolean {
    const { root, links } = this.#chain;
    // Which root a chain has whose end could not be seen is known to OpenSSL only, and for these authorities only.
    if (root === undefined) return authorities.digest === this.#digest;
    if (authorities.list.some((one) => one.certificate.fingerprint256 === root.certificate.fingerprint256)) return true;
    return issuerOf(links[links.length - 1].certificate, authorities.list)?.root === true;
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
