import type { AuditReport, CheckResult, Finding } from '../audit/audit.ts';
import { HEADINGS } from '../audit/model.ts';
import { DEFAULT_METHODS } from '../route/methods.ts';
import type { painter } from './output.ts';
import { width } from './table.ts';

type Paint = ReturnType<typeof painter>;

export interface TableOptions {
  /** Every finding, instead of the first few of each check. */
  readonly all: boolean;
  readonly paint: Paint;
}

const WIDEST = 120;
/** Findings of one check that are shown. */
const FEW = 4;
const STATUS = 14;
const CHECK = 24;
const OWASP = 11;
const INDENT = 2;
/** Where the third column ends: messages begin under the subjects. */
const DETAIL = INDENT + STATUS + 2;

const STYLES = { met: 'green', open: 'red', accepted: 'yellow', 'not applicable': 'dim' } as const;

/** The report for people: headings, one row for each check and place, and under what is open what to change. */
export function formatAudit(report: AuditReport, options: TableOptions): string {
  const lines: string[] = [];
  for (const heading of HEADINGS) {
    lines.push(options.paint('bold', heading.toUpperCase()));
    for (const check of report.checks.filter((one) => one.heading === heading))
      lines.push(...checkLines(check, report.file, options));
    lines.push('');
  }
  const { met, open, accepted, not_applicable: none } = report.summary;
  lines.push(`${report.file}: ${met} met, ${open} open, ${accepted} accepted, ${none} not applicable`);
  return `${lines.join('\n')}\n`;
}

function checkLines(check: CheckResult, file: string, { all, paint }: TableOptions): string[] {
  const telling = check.findings.filter(({ status }) => status !== 'met');
  if (telling.length === 0) return [rowOf(check, quiet(check, file), paint)];
  const most = all ? telling.length : FEW;
  const shown = telling.slice(0, most);
  const lines: string[] = [];
  for (const [i, finding] of shown.entries()) {
    lines.push(rowOf(i === 0 ? check : undefined, { finding, text: nameOf(finding), place: `${file}:${finding.line}` }, paint));
    const next = shown[i + 1];
    if (next === undefined || explanation(next) !== explanation(finding)) lines.push(...details(finding, paint));
  }
  if (telling.length > most) lines.push(indented(`… and ${telling.length - most} more: \`--all\` shows them`, paint));
  return lines;
}

interface Row {
  readonly finding?: Finding;
  readonly text: string;
  /** Behind the text, and never cut off. */
  readonly more?: string;
  readonly place: string;
}

/** What is said of a check with nothing to say: where it is met first, and how often. */
function quiet(check: CheckResult, file: string): Row {
  const [first] = check.findings;
  if (first === undefined) return { text: `none: ${check.applies}`, place: '' };
  const more = check.findings.length === 1 ? '' : ` (+${check.findings.length - 1})`;
  return { finding: first, text: nameOf(first), more, place: `${file}:${first.line}` };
}

function rowOf(check: CheckResult | undefined, { finding, text, more = '', place }: Row, paint: Paint): string {
  const status = finding?.status ?? 'not applicable';
  const left = [
    paint(STYLES[status], status) + fill(status, STATUS),
    `${check?.name ?? ''}${fill(check?.name ?? '', CHECK)}`,
    `${check?.owasp.join(' ') ?? ''}${fill(check?.owasp.join(' ') ?? '', OWASP)}`,
  ].join('  ');
  const used = INDENT + STATUS + 2 + CHECK + 2 + OWASP + 2;
  const room = Math.max(20, WIDEST - used - (place === '' ? 0 : width(place) + 2));
  const subject = cut(text, room - more.length) + more;
  return `${' '.repeat(INDENT)}${left}  ${place === '' ? paint('dim', subject) : `${subject}${fill(subject, room)}  ${place}`}`.trimEnd();
}

const explanation = ({ status, message, fix, reason }: Finding) => JSON.stringify([status, message, fix, reason]);

function details(finding: Finding, paint: Paint): string[] {
  const { message, fix, reason, until, status } = finding;
  const lines = wrapped(message);
  if (status === 'accepted') lines.push(...wrapped(`accepted${until === undefined ? '' : ` until ${until}`}: ${reason}`));
  else if (fix !== undefined) lines.push(...wrapped(`change: ${fix}`));
  return lines.map((line) => indented(line, paint));
}

function indented(text: string, paint: Paint): string {
  return `${' '.repeat(DETAIL)}${paint('dim', text)}`;
}

/** Broken at spaces. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).map((one) => one.replace(STEERING, '\ufffd'))) {
    if (line !== '' && width(line) + 1 + width(word) > WIDEST - DETAIL) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The thing as people call it. */
function nameOf({ kind, name, methods = [], hosts = [] }: Finding): string {
  if (kind === 'section') return name;
  if (kind !== 'route') return `${kind} ${name}`;
  const standard = methods.length === DEFAULT_METHODS.length && DEFAULT_METHODS.every((method) => methods.includes(method));
  return `${standard ? 'any' : methods.join(',')} ${hosts.length === 0 ? '' : hosts[0]}${name}`;
}

function fill(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text)));
}

/** What could steer a terminal, or turn the direction of a line, is taken out: a configuration may come from others. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this takes out
const STEERING = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

function cut(written: string, columns: number): string {
  const text = written.replace(STEERING, '\ufffd');
  if (width(text) <= columns) return text;
  let kept = '';
  for (const character of text) {
    if (width(kept + character) >= columns) break;
    kept += character;
  }
  return `${kept}…`;
}
