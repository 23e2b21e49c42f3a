/**
 * Loaded into every test process by `npm test`: a file that does not end by itself fails and says what keeps it alive,
 * instead of holding up the run for ever. (Node's `--test-timeout` fails tests, but waits for their process.)
 */
const SECONDS = Number(process.env['PORTCULLIS_TEST_SECONDS'] ?? 240);

// The runner itself is not a test: it may take as long as all files together.
if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  setTimeout(() => {
    const kept = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`${process.argv[1]} did not end within ${SECONDS} s; still open: ${kept}\n`);
    process.exit(1);
  }, SECONDS * 1000).unref();
}
