// Everything else is loaded only after this: older versions would fail with something that nobody understands.
const major = Number(process.versions.node.split('.', 1)[0]);
if (major < 24) {
  process.stderr.write(`portcullis: Node.js 24 or later is needed, this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  const { run } = await import('./cli/program.ts');
  process.exitCode = await run(process.argv.slice(2));
  // All is done: what is still open (the look-up of a name that nobody waits for) must not keep the process.
  setTimeout(() => process.exit(), 2000).unref();
}

export {};
