import { type Loaded, auditedOf } from './audited.ts';
import { checks } from './checks.ts';
import { Exceptions, exceptionsCheck } from './exceptions.ts';
import type { Check, Heading, Owasp, SubjectKind, Verdict } from './model.ts';
import { spotAt, spotOf } from './place.ts';

export type FindingStatus = 'met' | 'open' | 'accepted';
export type CheckStatus = FindingStatus | 'not applicable';

/** What was found about one thing; members are only ever added. */
export interface Finding {
  readonly status: FindingStatus;
  readonly kind: SubjectKind;
  /** The name of the listener, service, …; the path of a route. */
  readonly name: string;
  /** Of a route. */
  readonly methods?: readonly string[];
  readonly hosts?: readonly string[];
  /** Where in the file it is decided; both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to write; absent where nothing needs to change. */
  readonly fix?: string;
  /** Why it is accepted, and until when. */
  readonly reason?: string;
  readonly until?: string;
}

/** What one check came to. */
export interface CheckResult {
  readonly name: string;
  readonly title: string;
  readonly heading: Heading;
  readonly owasp: readonly Owasp[];
  readonly status: CheckStatus;
  readonly why: string;
  readonly applies: string;
  readonly findings: readonly Finding[];
}

/** What `portcullis audit --json` prints; members are only ever added. */
export interface AuditReport {
  readonly version: 1;
  readonly file: string;
  readonly summary: Readonly<Record<'met' | 'open' | 'accepted' | 'not_applicable', number>>;
  readonly checks: readonly CheckResult[];
}

/** Runs the checklist over a configuration. */
export function audit(loaded: Loaded, now: number): AuditReport {
  const audited = auditedOf(loaded, now);
  const exceptions = new Exceptions(loaded.options.audit?.accept ?? [], now);
  const names = checks.map(({ name }) => name);
  const results = checks.map((check) => {
    const verdicts = check === exceptionsCheck ? exceptions.problems(names) : check.judge(audited);
    return resultOf(
      check,
      [...verdicts].map((verdict) => findingOf(check, verdict, exceptions, loaded)),
    );
  });
  const count = (status: CheckStatus) => results.filter((one) => one.status === status).length;
  const summary = {
    met: count('met'),
    open: count('open'),
    accepted: count('accepted'),
    not_applicable: count('not applicable'),
  };
  return { version: 1, file: loaded.source.file, summary, checks: results };
}

function resultOf(check: Check, findings: readonly Finding[]): CheckResult {
  const { name, title, heading, owasp, why, applies } = check;
  const has = (status: FindingStatus) => findings.some((finding) => finding.status === status);
  const status = has('open') ? 'open' : has('accepted') ? 'accepted' : has('met') ? 'met' : 'not applicable';
  return { name, title, heading, owasp, status, why, applies, findings };
}

function findingOf(check: Check, verdict: Verdict, exceptions: Exceptions, { source }: Loaded): Finding {
  const { subject, at, where = [...subject.path, ...at], says, ok, fix = check.fix, offset } = verdict;
  const spot = offset === undefined ? spotOf(source, where) : spotAt(source, offset);
  const accepted = ok || check === exceptionsCheck ? undefined : exceptions.find(check.name, verdict);
  return {
    status: ok ? 'met' : accepted === undefined ? 'open' : 'accepted',
    kind: subject.kind,
    name: subject.name,
    ...(subject.kind === 'route' ? { methods: subject.methods, hosts: subject.hosts } : {}),
    ...spot,
    message: says,
    ...(ok ? {} : { fix }),
    ...(accepted === undefined ? {} : { reason: accepted.reason.trim(), until: accepted.until }),
  };
}
