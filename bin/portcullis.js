#!/usr/bin/env node
// Plain old JavaScript, so that every Node can read it: it only has to say what is wrong.
import { existsSync } from 'node:fs';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write('portcullis: Node.js 24 or later is needed, this is ' + process.versions.node + '\n');
  process.exitCode = 2;
} else {
  // Node does not run TypeScript inside node_modules: a published package brings a built copy in dist/.
  const built = new URL('../dist/main.js', import.meta.url);
  void import(existsSync(built) ? built.href : '../src/main.ts');
}
