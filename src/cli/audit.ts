import type { AuditReport } from '../audit/audit.ts';
import { audit as runAudit } from '../audit/audit.ts';
import { loadWithSource } from '../config/load.ts';
import { longestFirst, redactAll } from '../config/redact.ts';
import { formatAudit } from './audit-table.ts';
import { reportProblems } from './report-problems.ts';
import { EXIT, type Output, painter } from './output.ts';

export interface AuditOptions {
  readonly config: string;
  readonly json?: boolean;
  readonly all?: boolean;
}

/** `portcullis audit`: the checklist over a configuration. Exit code 1 when anything is open. */
export async function audit(options: AuditOptions, output: Output): Promise<number> {
  const { result, source } = await loadWithSource(options.config);
  if (!result.ok) return reportProblems(result, output);
  if (source === undefined) throw new Error('a configuration that loads was read from somewhere');
  const found = runAudit({ options: result.options, source }, Date.now());
  const report: AuditReport = redactAll(found, result.secrets.hidden.toSorted(longestFirst));
  output.out.write(
    options.json === true
      ? `${JSON.stringify(report, undefined, 2)}\n`
      : formatAudit(report, { all: options.all === true, paint: painter(output.out) }),
  );
  return report.summary.open === 0 ? EXIT.ok : EXIT.problems;
}
