import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the Core Rule Set, beside the repository where there is one. */
const folder = fileURLToPath(new URL('../../../shared/', import.meta.url));

/** Of tests that need the rule set: why they are skipped, or false. */
export const noRuleSet: string | false = existsSync(`${folder}crs/rules`) ? false : `there is no ${folder}crs/rules`;

export interface CrsPattern {
  readonly id: string;
  readonly pattern: string;
  /** 0 where the rule carries none. */
  readonly paranoia: number;
  readonly negated: boolean;
}

/** Each `@rx` of the rule set, as the engine gets it. */
export function readCrsPatterns(): CrsPattern[] {
  const found: CrsPattern[] = [];
  for (const file of readdirSync(`${folder}crs/rules`).sort()) {
    if (!file.endsWith('.conf')) continue;
    const lines = readFileSync(`${folder}crs/rules/${file}`, 'latin1').replaceAll('\\\n', '').split('\n');
    let id = '';
    for (const line of lines) {
      id = /id:([0-9]+)/.exec(line)?.[1] ?? id;
      const use = /^\s*SecRule.*?"(!?)@rx ((?:[^"\\]|\\.)*)"/.exec(line);
      if (use === null) continue;
      const paranoia = Number(/paranoia-level\/([0-9])/.exec(line)?.[1] ?? 0);
      found.push({ id, pattern: use[2].replaceAll('\\"', '"'), paranoia, negated: use[1] === '!' });
    }
  }
  return found;
}

/** Values as rules meet them, as byte strings: injections, benign lines and whatever the rule set's own tests send, raw and decoded; each once. */
export function readCrsValues(): string[] {
  const values = new Set<string>();
  for (const name of ['sqli', 'xss', 'benign']) {
    for (const line of readFileSync(`${folder}injection/${name}.txt`, 'latin1').split('\n')) addValue(values, line);
  }
  for (const entry of readdirSync(`${folder}crs/tests`, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.json')) continue;
    collectTexts(JSON.parse(readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8')), values);
  }
  return [...values];
}

function collectTexts(node: unknown, values: Set<string>): void {
  if (typeof node === 'string') addValue(values, Buffer.from(node).toString('latin1'));
  else if (node !== null && typeof node === 'object') for (const value of Object.values(node)) collectTexts(value, values);
}

function addValue(values: Set<string>, value: string): void {
  values.add(value);
  values.add(value.replaceAll('+', ' ').replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))));
}
