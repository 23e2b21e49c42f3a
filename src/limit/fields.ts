import type { HeaderList } from '../exchange/headers.ts';
import type { Verdict } from '../stores/limit-store.ts';
import type { LimitBucket } from './limit.ts';

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` says what a limit allows, `RateLimit` what is left of it
 * (`r`) and for how long that has to do (`t`). Both are lists of structured fields (RFC 9651); the strictest limit stands first.
 */
const POLICY = 'ratelimit-policy';
const STANDING = 'ratelimit';

/** How one limit stands after a decision. */
export interface Standing {
  readonly bucket: LimitBucket;
  readonly verdict: Verdict;
}

/** Whole seconds until a request passes again, at least one. */
export function retryAfter(verdict: Verdict): number {
  return Math.max(1, Math.ceil(verdict.retryAfter / 1000));
}

/** Adds the fields; what a service says by the same names gives way, because its limits are not the ones that were asked. */
export function setLimitFields(headers: HeaderList, standings: readonly Standing[]): void {
  removeOwn(headers);
  const [first] = standings;
  if (standings.length === 1) {
    headers.push(POLICY, first.bucket.tier.policy, STANDING, itemOf(first));
    return;
  }
  const told = standings.toSorted(byStrictness);
  headers.push(POLICY, told.map(({ bucket }) => bucket.tier.policy).join(', '), STANDING, told.map(itemOf).join(', '));
}

function itemOf({ bucket, verdict }: Standing): string {
  // With nothing left, `t` is when the next one passes, the same as `Retry-After`; otherwise when all may pass again.
  const seconds = verdict.remaining === 0 ? retryAfter(verdict) : Math.ceil(verdict.reset / 1000);
  return `"${bucket.of.name}";r=${verdict.remaining};t=${seconds}`;
}

/** Who refuses for longest, then who has least left, then who takes longest to fill. */
export function byStrictness({ verdict: a }: Standing, { verdict: b }: Standing): number {
  if (a.allowed !== b.allowed) return a.allowed ? 1 : -1;
  return b.retryAfter - a.retryAfter || a.remaining - b.remaining || b.reset - a.reset;
}

/** One pass for both names, and nothing is moved where there is none of them. */
function removeOwn(headers: HeaderList): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (name === STANDING || name === POLICY) continue;
    if (kept !== i) {
      headers[kept] = name;
      headers[kept + 1] = headers[i + 1];
    }
    kept += 2;
  }
  headers.length = kept;
}
