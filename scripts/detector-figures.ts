/** Writes the figures of the injection detectors into docs/waf-detectors.md: `npm run waf:detectors`. It needs ../shared/injection. */
import { readFileSync, writeFileSync } from 'node:fs';
import { detectSqli } from '../src/waf/engine/detect-sqli/detect-sqli.ts';
import { detectXss } from '../src/waf/engine/detect-xss/detect-xss.ts';
import { BENIGN } from '../test/cases/detectors-benign.ts';
import { halfOf, type SampleKind, samplesMissing, samplesOf } from '../test/support/injection-samples.ts';

type Detector = (value: string) => string | undefined;

const PAGE = new URL('../docs/waf-detectors.md', import.meta.url);
const BEGIN = '<!-- figures: begin -->';
const END = '<!-- figures: end -->';

function share(found: number, of: number): string {
  return `${found} of ${of} (${((100 * found) / of).toFixed(2)} %)`;
}

function row(what: string, samples: readonly string[], detect: Detector): string {
  const cells = [0, 1].map((half) => {
    const part = samples.filter((sample) => halfOf(sample) === half);
    return share(part.filter((sample) => detect(sample) !== undefined).length, part.length);
  });
  const all = samples.filter((sample) => detect(sample) !== undefined).length;
  return `| ${what} | ${cells.join(' | ')} | ${share(all, samples.length)} |`;
}

function misses(kind: SampleKind, detect: Detector, isMiss: (found: string | undefined) => boolean): string {
  const lines = samplesOf(kind).filter((sample) => isMiss(detect(sample)));
  return lines.length === 0 ? 'None.' : ['```text', ...lines.map(shown), '```'].join('\n');
}

/** On one line, whole lines only as far as they are read. */
function shown(sample: string): string {
  const printable = sample.replace(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return printable.length > 160 ? `${printable.slice(0, 160)} …` : printable;
}

const none = (found: string | undefined): boolean => found === undefined;
const some = (found: string | undefined): boolean => found !== undefined;

function figures(): string {
  const own = BENIGN.map((line) => Buffer.from(line).toString('latin1'));
  return [
    '| Lines taken for attacks | first half | second half | all |',
    '|---|---|---|---|',
    row('SQL injections, `@detectSQLi`', samplesOf('sqli'), detectSqli),
    row('scripts, `@detectXSS`', samplesOf('xss'), detectXss),
    row('benign lines, `@detectSQLi`', samplesOf('benign'), detectSqli),
    row('benign lines, `@detectXSS`', samplesOf('benign'), detectXss),
    row('our own benign lines, `@detectSQLi`', own, detectSqli),
    row('our own benign lines, `@detectXSS`', own, detectXss),
    '',
    'SQL injections that are not found:',
    '',
    misses('sqli', detectSqli, none),
    '',
    'Scripts that are not found:',
    '',
    misses('xss', detectXss, none),
    '',
    'Benign lines that `@detectSQLi` takes for attacks:',
    '',
    misses('benign', detectSqli, some),
  ].join('\n');
}

if (samplesMissing !== false) {
  console.log(`Nothing was written: ${samplesMissing}`);
} else {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest.split(END)[1];
  const text = figures();
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
  console.log(text);
}
