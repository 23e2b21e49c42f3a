/**
 * Writes the parts of the manual that are made from the source: `docs/configuration.md` and
 * `docs/portcullis.schema.json` from the configuration's schema, `docs/errors.md` from the catalogue of codes,
 * `docs/audit.md` from the checks.
 * With `--check` nothing is written; the exit code is 1 when a file is not what it would be.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { checks } from '../src/audit/checks.ts';
import { configurationJsonSchema } from '../src/config/schema-tree.ts';
import { catalogue } from '../src/errors/catalogue.ts';
import { auditManual } from './audit-manual.ts';
import { errorManual } from './error-manual.ts';
import { configurationManual } from './manual.ts';

const schema = configurationJsonSchema();
const documents: Record<string, string> = {
  'docs/portcullis.schema.json': `${JSON.stringify({ title: 'Configuration of Portcullis', ...schema }, undefined, 2)}\n`,
  'docs/configuration.md': configurationManual(schema),
  'docs/errors.md': errorManual(catalogue),
  'docs/audit.md': auditManual(checks),
};

const checkOnly = process.argv.includes('--check');
for (const [name, text] of Object.entries(documents)) {
  const file = new URL(`../${name}`, import.meta.url);
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present === text) continue;
  if (checkOnly) {
    process.stderr.write(`${name} is not what the source says: run \`npm run docs\`\n`);
    process.exitCode = 1;
  } else {
    await writeFile(file, text);
    process.stdout.write(`wrote ${name}\n`);
  }
}
