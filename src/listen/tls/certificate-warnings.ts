import type { Log } from '../../pipeline/stage.ts';
import type { ClientPolicy } from './client-policy.ts';
import type { Pair } from './pair.ts';

const DAY = 24 * 3600_000;
const WARN_DAYS = 14;

/** Tells operators what they have to know of certificates before clients do; each thing once. */
export class CertificateWarnings {
  readonly #log: Log;
  readonly #listener: string;
  readonly #warned = new Set<string>();

  constructor(log: Log, listener: string) {
    this.#log = log;
    this.#listener = listener;
  }

  /** What is odd about pairs, whatever the time. */
  ofPairs(pairs: readonly Pair[]): void {
    for (const pair of pairs) for (const warning of pair.warnings) this.#ofPair(pair, warning);
  }

  ofUnreachable(pairs: readonly Pair[]): void {
    for (const pair of pairs) this.#ofPair(pair, 'no client gets this certificate: earlier ones cover all its names');
  }

  /** What the time makes of them; to be called at least once a day. */
  ofExpiry(pairs: readonly Pair[], policies: readonly ClientPolicy[], now: number): void {
    for (const pair of pairs) {
      const warning = expiryWarning(pair, now);
      if (warning !== undefined) this.#ofPair(pair, warning);
    }
    for (const policy of policies) for (const warning of policy.warnings(now)) this.#once(warning, warning);
  }

  #ofPair(pair: Pair, warning: string): void {
    this.#once(`${pair.leaf.fingerprint256} ${warning}`, warning, {
      certificate: pair.files?.certificate ?? 'self-signed',
      names: [...pair.dns, ...pair.addresses],
    });
  }

  #once(key: string, warning: string, fields: Record<string, unknown> = {}): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#log.warn(warning, { event: 'certificate-warning', listener: this.#listener, ...fields });
  }
}

function expiryWarning({ leaf }: Pair, now: number): string | undefined {
  const date = leaf.validToDate.toISOString().slice(0, 10);
  const left = Math.floor((leaf.validToDate.getTime() - now) / DAY);
  // The number makes each day's warning a new one, so that it is said once a day.
  if (left < 0) return `the certificate expired on ${date}, ${-left} days ago`;
  if (left < WARN_DAYS) return `the certificate expires on ${date}, in ${left} days`;
  return leaf.validFromDate.getTime() > now
    ? `the certificate is not valid before ${leaf.validFromDate.toISOString()}`
    : undefined;
}
