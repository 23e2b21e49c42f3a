import { missingForCrs, runCrs } from '../test/conformance/crs.ts';

/**
 * `npm run conformance:crs [-- PATTERN]`: the regression tests of OWASP CRS against the gateway, at paranoia 4 and detecting only.
 * PATTERN chooses tests by RULE-TEST. Exit 1 when less than 99 % pass.
 */
const missing = missingForCrs();
if (missing !== undefined) {
  console.error(`cannot run: ${missing}`);
  process.exit(2);
}
const { passed, total, positive, failed, output } = await runCrs(process.argv[2]);
for (const { id, why } of failed) console.log(`FAIL ${id}: ${why}`);
if (total === 0) console.log(output);
console.log(
  `${passed} of ${total} passed (${((100 * passed) / total).toFixed(2)} %); of those that expect a match ${positive.join(' of ')}`,
);
process.exitCode = passed / total >= 0.99 ? 0 : 1;
