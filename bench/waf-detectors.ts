/** What the injection detectors cost: `node bench/waf-detectors.ts`. Nanoseconds per value, and per byte where values are long. */
import { detectSqli } from '../src/waf/engine/detect-sqli/detect-sqli.ts';
import { detectXss } from '../src/waf/engine/detect-xss/detect-xss.ts';
import { SCRIPT_ATTACKS, SQL_ATTACKS } from '../test/cases/detectors-attacks.ts';
import { BENIGN } from '../test/cases/detectors-benign.ts';
import { slowValues } from '../test/support/slow-values.ts';

type Detector = (value: string) => string | undefined;

const DETECTORS: readonly (readonly [name: string, detect: Detector])[] = [
  ['detectSQLi', detectSqli],
  ['detectXSS', detectXss],
];
const ROUND_MS = 60;
const ROUNDS = 5;

/** The best of a few rounds: what disturbs a round only makes it slower. */
function nanosecondsPerValue(detect: Detector, values: readonly string[]): number {
  let best = Number.POSITIVE_INFINITY;
  let sink = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < ROUND_MS) {
      for (const value of values) if (detect(value) !== undefined) sink++;
      count += values.length;
    }
    best = Math.min(best, ((performance.now() - start) * 1e6) / count);
  }
  return sink < 0 ? sink : best;
}

function print(what: string, cells: readonly string[]): void {
  console.log(what.padEnd(34) + cells.map((cell) => cell.padStart(14)).join(''));
}

const latin1 = BENIGN.map((line) => Buffer.from(line).toString('latin1'));
print(
  'ns per value',
  DETECTORS.map(([name]) => name),
);
for (const [what, values] of [
  ['benign lines', latin1],
  ['one word', ['hello', 'bob', 'en-GB', 'session_id']],
  ['numbers', ['1', '42', '2024', '12345678']],
  ['SQL attacks', SQL_ATTACKS],
  ['script attacks', SCRIPT_ATTACKS],
] as const) {
  print(
    what,
    DETECTORS.map(([, detect]) => nanosecondsPerValue(detect, values).toFixed(0)),
  );
}
console.log();
print(
  'ns per byte, 8 KiB',
  DETECTORS.map(([name]) => name),
);
for (const [what, value] of slowValues(8192)) {
  print(
    what,
    DETECTORS.map(([, detect]) => (nanosecondsPerValue(detect, [value]) / value.length).toFixed(2)),
  );
}
