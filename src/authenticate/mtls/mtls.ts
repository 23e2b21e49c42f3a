import type { ClientCertificate } from '../../exchange/client-certificate.ts';
import { type CatalogueCode, type Refusal, refuse } from '../../exchange/decision.ts';
import { attributeName, attributeType } from '../../exchange/distinguished-name.ts';
import type { Caller, Claims, Exchange } from '../../exchange/exchange.ts';
import type { Clock } from '../../pipeline/stage.ts';
import type { MakeMethod, Method } from '../method.ts';
import type { MtlsOptions } from './options.ts';
import { makeRule, onlyAttribute } from './rule.ts';
import { spiffeIdOf } from './spiffe.ts';

/** Makes the method `mtls`: the listener has verified the certificate, here it is said whose count, and who that is. */
export const makeMtls: MakeMethod<MtlsOptions> = async (name, options, world) => new MtlsMethod(name, options, world.clock);

const MISSING = refuse('certificate-missing', 'the connection has no client certificate');
const NOT_ALLOWED = refuse('certificate-refused', 'no rule of allow names the certificate');

/** Half a minute: who replaces a list has to fetch it first. */
const RETRY = ['retry-after', '30'];

class MtlsMethod implements Method {
  readonly name: string;
  readonly place = { kind: 'certificate' } as const;
  /** There is no challenge for what has to be shown before HTTP begins. */
  readonly challenge = undefined;
  readonly #clock: Clock;
  readonly #rules: readonly ((certificate: ClientCertificate) => boolean)[] | undefined;
  readonly #subjectFrom: MtlsOptions['subject-from'];
  /** One verdict for a connection, which has one certificate. */
  readonly #verdicts = new WeakMap<ClientCertificate, Caller | Refusal>();

  constructor(name: string, options: MtlsOptions, clock: Clock) {
    this.name = name;
    this.#clock = clock;
    this.#rules = options.allow?.map(makeRule);
    this.#subjectFrom = options['subject-from'];
  }

  presented(x: Exchange): boolean {
    return x.connection.certificate !== undefined;
  }

  verify(x: Exchange): Caller | Refusal {
    const { certificate } = x.connection;
    if (certificate === undefined) return MISSING;
    const problem = certificate.problem(this.#clock.now());
    if (problem !== undefined) return lost(problem);
    let verdict = this.#verdicts.get(certificate);
    if (verdict === undefined) {
      verdict = this.#judge(certificate);
      this.#verdicts.set(certificate, verdict);
    }
    return verdict;
  }

  #judge(certificate: ClientCertificate): Caller | Refusal {
    if (this.#rules !== undefined && !this.#rules.some((rule) => rule(certificate))) return NOT_ALLOWED;
    const subject = subjectOf(certificate, this.#subjectFrom);
    if (subject === undefined) return refuse('certificate-refused', `the certificate has not exactly one ${this.#subjectFrom}`);
    return {
      by: 'mtls',
      name: this.name,
      subject,
      scopes: [],
      claims: claimsOf(certificate),
      expires: certificate.notAfter,
    };
  }
}

function lost(problem: CatalogueCode): Refusal {
  const headers = problem.startsWith('certificate-crl-') ? RETRY : undefined;
  return refuse(problem, 'the certificate has lost its worth while the connection was open', { headers });
}

const COMMON_NAME = attributeType('CN') as string;

function subjectOf(certificate: ClientCertificate, from: MtlsOptions['subject-from']): string | undefined {
  const { names } = certificate;
  switch (from) {
    case undefined:
      return spiffeIdOf(names) ?? certificate.subject;
    case 'spiffe':
      return spiffeIdOf(names);
    case 'dn':
      return certificate.subject;
    case 'cn':
      return onlyAttribute(certificate.subjectName, COMMON_NAME);
    default:
      return names.malformed || names[from].length !== 1 ? undefined : names[from][0];
  }
}

/** What a certificate says, as JSON values; no member of it is a value that the certificate's owner could have named. */
function claimsOf(certificate: ClientCertificate): Claims {
  const { dns, uri, email, ip } = certificate.names;
  const claims: Record<string, unknown> = {
    subject: certificate.subject,
    attributes: attributesOf(certificate),
    issuer: certificate.issuer,
    issuers: certificate.issuers,
    serial: certificate.serial,
    fingerprint: certificate.fingerprint,
    san: Object.assign(Object.create(null) as object, { dns, uri, email, ip }),
  };
  const spiffe = spiffeIdOf(certificate.names);
  if (spiffe !== undefined) claims.spiffe = spiffe;
  return Object.assign(Object.create(null) as Claims, claims);
}

/** The subject by attribute: always a list, so that what is there twice is seen to be. */
function attributesOf({ subjectName }: ClientCertificate): Record<string, string[]> {
  const attributes = Object.create(null) as Record<string, string[]>;
  for (const { type, value } of subjectName.flat()) (attributes[attributeName(type)] ??= []).push(value);
  return attributes;
}
