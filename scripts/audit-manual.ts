import { type Check, HEADINGS, OWASP } from '../src/audit/model.ts';

const INTRODUCTION = `# Audit

This page is made from the checks in \`src/audit/checks/\` by \`npm run docs\`.

\`portcullis audit\` holds a configuration against the checklist of API security. It starts nothing and asks nobody: it reads the file, and
what the file names (certificates, keys, contracts).

\`\`\`sh
portcullis audit --config portcullis.yaml          # a table; of each check the first few findings
portcullis audit --config portcullis.yaml --all    # every finding
portcullis audit --config portcullis.yaml --json   # the same as data, for a pipeline
\`\`\`

Each check is

- \`met\`: it holds wherever it is asked,
- \`open\`: somewhere it does not. The table says where (\`FILE:LINE\`), what was found, and what to change,
- \`accepted\`: what is open is so for a reason that stands in the file,
- \`not applicable\`: there is nothing that it could be asked of.

The exit code is 1 when anything is open, 0 when nothing is, 2 on wrong usage. A configuration that does not load is reported as
\`portcullis check\` does it, with exit code 1.

The place is where the decision is written: behind a YAML alias the line of its anchor. Where the decision is that something is missing, it
is the nearest thing around: the route, the listener, the section.

## What is open on purpose

Not every finding is a mistake. An exception says which one is not, and why; the finding is then shown as \`accepted\`, with the reason, and
does not count for the exit code.

\`\`\`yaml
audit:
  accept:
    - { check: unauthenticated-reads, route: /health, reason: The load balancer asks without a credential }
    - { check: service-tls, service: [orders, stock], reason: They run in the same pod, until: 2027-06-30 }
    - { check: record-file, reason: Standard output is collected by the platform }
\`\`\`

An exception names what it is for: \`route\` (the path as the route writes it, with \`methods\` where several routes have it), \`listener\`,
\`service\`, \`authentication\` or \`limit\`, one or a list. One that names none of these is for what concerns the file as a whole, never for
routes: those that are written tomorrow shall be looked at. After the day of \`until\` the finding is open again. Exceptions whose check does
not exist, that accept nothing, or that have ended are findings themselves (\`exceptions\`).

## JSON

\`--json\` prints one object. Members are only ever added.

| member | |
| --- | --- |
| \`version\` | 1 |
| \`file\` | the configuration, as it was named |
| \`summary\` | how many checks are \`met\`, \`open\`, \`accepted\`, \`not_applicable\` |
| \`checks\` | all checks, in the order of this page, also those that are not applicable |
| \`checks[].name\`, \`title\`, \`heading\`, \`owasp\`, \`why\`, \`applies\` | as on this page |
| \`checks[].status\` | \`met\`, \`open\`, \`accepted\`, \`not applicable\` |
| \`checks[].findings\` | one for each thing that was looked at, those that are met too |
| \`findings[].status\` | \`met\`, \`open\`, \`accepted\` |
| \`findings[].kind\`, \`name\` | \`route\`, \`listener\`, \`service\`, \`authentication\`, \`limit\` or \`section\`, and its name; of a route its path, with \`methods\` and \`hosts\` |
| \`findings[].line\`, \`column\` | where it is decided; both count from 1 |
| \`findings[].message\`, \`fix\` | what was found, and what to change (where it is not met) |
| \`findings[].reason\`, \`until\` | of the exception |

## What the audit cannot know

It reads a configuration, not an organisation: whether an owner rule names the right claim, whether a scope is given to the right people,
whether a service checks what the gateway cannot see. \`met\` says that the protection is there, not that it is enough.

## The checks
`;

/** The page of the manual about the checklist. */
export function auditManual(checks: readonly Check[]): string {
  const parts = [INTRODUCTION];
  for (const heading of HEADINGS) {
    parts.push(`### ${heading}\n`);
    for (const check of checks.filter((one) => one.heading === heading)) parts.push(describe(check));
  }
  return parts.join('\n');
}

function describe({ name, title, owasp, why, fix, applies }: Check): string {
  const answers = owasp.map((item) => `${item}:2023 ${OWASP[item]}`).join('; ');
  return `#### ${name}

${title}. ${why}

- Asked of: ${applies}
- What to change: ${code(fix)}
- Answers: ${answers}
`;
}

/** A line of YAML or a command as code, with the remark behind it; advice in words as it is. */
function code(fix: string): string {
  const [, line, remark = ''] = /^((?:[a-z-]+: |chmod ).*?)( \(.*\))?$/.exec(fix) ?? [];
  return line === undefined ? fix : `\`${line}\`${remark}`;
}
