import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createHashKey, hashKeyFile } from '../authenticate/api-key/hash-key.ts';
import { EMPTY, formatKeyFile } from '../authenticate/api-key/key-file.ts';
import { describeFileError } from '../config/file-error.ts';
import { formatProblem } from '../config/problem.ts';
import type { ApiDocument } from '../validate/openapi/contract.ts';
import { loadDocument } from '../validate/openapi/load.ts';
import { KEYS_FILE, type Plan, type PlannedRoute, planRoutes } from './openapi-routes.ts';
import { EXIT, hasColor, type Output, painter } from './output.ts';

export interface ImportOptions {
  readonly service: string;
  readonly out?: string;
  readonly force?: boolean;
}

/** `portcullis import openapi`: writes a configuration that starts as it is, with a route for each path of the document. */
export async function importOpenapi(file: string, options: ImportOptions, output: Output): Promise<number> {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(options.service)) {
    output.err.write('portcullis: --service is a name: a letter, then letters, digits, "-", "_" and "."\n');
    return EXIT.usage;
  }
  const { document, problems } = loadDocument(path.resolve(file));
  for (const problem of problems)
    output.err.write(`${formatProblem({ ...problem, excerpt: undefined }, hasColor(output.err))}\n`);
  if (document === undefined) return EXIT.problems;
  const plan = planRoutes(document);
  for (const one of plan.skipped) output.err.write(`portcullis: left out: ${one}\n`);
  if (plan.routes.length === 0) {
    output.err.write(`portcullis: ${file} declares no operation that a route could serve\n`);
    return EXIT.problems;
  }
  const folder = path.dirname(path.resolve(options.out ?? 'portcullis.yaml'));
  const text = formatPlan(plan, document, { service: options.service, contract: path.relative(folder, path.resolve(file)) });
  if (options.out === undefined) {
    output.out.write(text);
    return EXIT.ok;
  }
  return await write(options.out, text, options.force === true, plan, output);
}

async function write(out: string, text: string, force: boolean, plan: Plan, output: Output): Promise<number> {
  try {
    await writeFile(out, text, { flag: force ? 'w' : 'wx' });
    if (plan.needsKeys) await makeKeyFile(path.join(path.dirname(out), KEYS_FILE));
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const what = exists
      ? 'exists already: give another name, or --force to replace it'
      : `cannot be written: ${describeFileError(error)}`;
    output.err.write(`portcullis: ${out} ${what}\n`);
    return EXIT.problems;
  }
  const paint = painter(output.out);
  const open = plan.routes.filter(({ authentication }) => authentication === 'none').length;
  output.out.write(
    `wrote ${paint('bold', out)}: ${plan.routes.length} routes, ${open} of them open. Fill in what is marked TODO.\n`,
  );
  return EXIT.ok;
}

/** A file of keys without keys, where there is none: the configuration loads, and nobody comes in. */
async function makeKeyFile(file: string): Promise<void> {
  try {
    await writeFile(file, formatKeyFile(EMPTY), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  await createHashKey(hashKeyFile(file, undefined));
}

// ---- the text

interface Names {
  readonly service: string;
  readonly contract: string;
}

function formatPlan(plan: Plan, { title }: ApiDocument, names: Names): string {
  const lines = [
    `# Made from ${names.contract}${title === '' ? '' : ` (${comment(title)})`} by \`portcullis import openapi\`.`,
    '',
    'listeners:',
    '  # TODO: an address that clients reach, with certificates: { address: 0.0.0.0:8443, tls: { certificate: …, key: … } }',
    '  local: { address: 127.0.0.1:8080 }',
    '',
    'services:',
    '  # TODO: where the service is.',
    `  ${names.service}: http://127.0.0.1:9001`,
    '',
  ];
  if (plan.methods.length > 0) lines.push('authentication:');
  for (const { name, text, comments } of plan.methods)
    lines.push(...comments.map((one) => `  # ${comment(one)}`), `  ${name}: ${text}`);
  if (plan.methods.length > 0) lines.push('');
  lines.push('routes:');
  for (const route of plan.routes) lines.push(...formatRoute(route, names));
  return `${lines.join('\n')}\n`;
}

function formatRoute(route: PlannedRoute, { service, contract }: Names): string[] {
  const { authentication, authorize } = route;
  return [
    `  - path: ${scalar(route.path)}`,
    `    methods: [${route.methods.join(', ')}]`,
    `    service: ${service}`,
    ...route.comments.map((one) => `    # ${comment(one)}`),
    `    authentication: ${authentication === 'none' ? 'none' : `[${authentication.join(', ')}]`}`,
    ...(authorize === undefined ? [] : [`    authorize: ${JSON.stringify(authorize)}`]),
    `    validate: { openapi: ${scalar(contract)} }`,
  ];
}

/** What the document says must stay one line of a comment. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this takes out
const comment = (text: string) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').slice(0, 200);

/** Plain where that cannot be read in another way; `{` and `}` at the beginning of neither. */
const scalar = (text: string) => (/^[/A-Za-z][A-Za-z0-9/_.~-]*$/.test(text) ? text : JSON.stringify(text));
