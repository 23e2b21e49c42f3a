import type { Path } from '../config/schema-tree.ts';
import type { Audited } from './audited.ts';

/** The headings of the checklist, in its order. */
export const HEADINGS = [
  'authentication',
  'authorisation',
  'transport',
  'rest',
  'validation',
  'logging',
  'limits',
  'waf',
  'headers',
  'admin',
] as const;
export type Heading = (typeof HEADINGS)[number];

/** OWASP API Security Top 10, edition 2023. */
export const OWASP = {
  API1: 'Broken Object Level Authorization',
  API2: 'Broken Authentication',
  API3: 'Broken Object Property Level Authorization',
  API4: 'Unrestricted Resource Consumption',
  API5: 'Broken Function Level Authorization',
  API6: 'Unrestricted Access to Sensitive Business Flows',
  API7: 'Server Side Request Forgery',
  API8: 'Security Misconfiguration',
  API9: 'Improper Inventory Management',
  API10: 'Unsafe Consumption of APIs',
} as const;
export type Owasp = keyof typeof OWASP;

export type SubjectKind = 'route' | 'listener' | 'service' | 'authentication' | 'limit' | 'section';

/** What a check looks at. */
export interface Subject {
  readonly kind: SubjectKind;
  /** The name in the configuration; of a route its path. */
  readonly name: string;
  /** Of a route. */
  readonly methods?: readonly string[];
  readonly hosts?: readonly string[];
  /** Where it stands in the file. */
  readonly path: Path;
}

/** What a check found about one subject. */
export interface Judgement {
  readonly ok: boolean;
  /** What decides it, from the subject on; it may be absent: then the nearest thing around it is shown. */
  readonly at: Path;
  readonly says: string;
  /** The same from the top of the file on, where something else decides than the subject. */
  readonly where?: Path;
  /** What to write, where that is known better than the check's own `fix`. */
  readonly fix?: string;
}

export interface Verdict extends Judgement {
  readonly subject: Subject;
  /** Where it is in the file, where no path leads there: a comment. */
  readonly offset?: number;
}

/** One check of the checklist. */
export interface Check {
  /** In the report, in `audit.accept` and in the manual; never changes. */
  readonly name: string;
  /** What holds when it is met. */
  readonly title: string;
  readonly heading: Heading;
  readonly owasp: readonly Owasp[];
  readonly why: string;
  /** A line of YAML, or what to do. */
  readonly fix: string;
  /** What it is asked of; where there is none, it is not applicable. */
  readonly applies: string;
  readonly judge: (audited: Audited) => Iterable<Verdict>;
}

export function met(says: string, ...at: Path): Judgement {
  return { ok: true, at, says };
}

export function open(says: string, at: Path = [], fix?: string): Judgement {
  return { ok: false, at, says, fix };
}
