/** What must hold of the repository itself: what it brings along, what it says of itself, what it must not tell. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { isAllowed } from './support/licences.ts';
import { ROOT, readText, trackedFiles } from './support/sources.ts';

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
  readonly resolved?: string;
}

type Dependencies = Record<string, string>;
type Manifest = {
  dependencies?: Dependencies;
  devDependencies?: Dependencies;
  optionalDependencies?: Dependencies;
  scripts?: Record<string, string>;
  license?: string;
};

const manifest = JSON.parse(readText('package.json')) as Manifest;
const lock = JSON.parse(readText('package-lock.json')) as { packages: Record<string, LockedPackage> };
const locked = Object.entries(lock.packages).filter(([name]) => name !== '');
const tracked = trackedFiles();
const skip = tracked === undefined ? 'not a git checkout' : false;

/** Contents of the tracked text files that this repository's people wrote. */
function* writtenFiles(): Generator<[string, string]> {
  for (const file of tracked ?? []) {
    const bytes = readFileSync(path.join(ROOT, file));
    if (!bytes.includes(0)) yield [file, bytes.toString('utf8')];
  }
}

const manifests = ['package.json', 'bench/peers/package.json', 'dashboard/package.json'].filter((file) =>
  existsSync(path.join(ROOT, file)),
);

for (const file of manifests) {
  test(`${file} pins exact versions`, () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readText(file)) as Manifest;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/, `${name} is not pinned: what was tested is what must be installed`);
    }
  });
}

test('the lock file says what package.json says', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    assert.equal(lock.packages[`node_modules/${name}`]?.version, version, name);
  }
});

test('every package has a licence that its users can live with', () => {
  const bad = locked
    .filter(([, { license, dev }]) => !isAllowed(license, dev === true))
    .map(([name, { license }]) => `${name}: ${license}`);
  assert.deepEqual(bad, [], 'licences outside the list in test/support/licences.ts');
  assert.equal(manifest.license, 'Apache-2.0');
  assert.match(readText('LICENSE'), /Apache License\s+Version 2\.0, January 2004/);
});

test('licence expressions are judged as SPDX means them', () => {
  const cases: [string | undefined, boolean, boolean][] = [
    ['MIT', false, true],
    ['(MIT OR GPL-3.0)', false, true],
    ['MIT AND GPL-3.0', false, false],
    ['(Apache-2.0 AND BSD-3-Clause)', false, true],
    ['AGPL-3.0', false, false],
    ['AGPL-3.0', true, false],
    ['MPL-2.0', true, true],
    ['MPL-2.0', false, false],
    [undefined, true, false],
  ];
  for (const [expression, tool, expected] of cases) assert.equal(isAllowed(expression, tool), expected, expression);
});

test('no package wants to run code while it is installed', () => {
  const wanting = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([name]) => name);
  assert.deepEqual(
    wanting,
    [],
    'an install script runs with all rights of who installs; `npm ci --ignore-scripts` must be enough',
  );
});

test('the lock file names no registry and has a hash for every package', () => {
  for (const [name, { integrity, resolved }] of locked) {
    assert.equal(resolved, undefined, `${name}: a registry's address in the lock file would bind all users to it`);
    assert.match(integrity ?? '', /^sha512-/, `${name} has no hash`);
  }
});

test('run-time dependencies stay few', () => {
  const direct = Object.keys(manifest.dependencies ?? {});
  assert.ok(direct.length <= 15, `${direct.length} direct dependencies: each is code that every request trusts`);
});

/** Text that is true on one machine only, or leads nowhere outside it. Built from pieces so that this file holds none of it. */
const FORBIDDEN: [RegExp, string][] = [
  [new RegExp(`${ROOT.replace(/[.+*?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`), 'the path of this checkout'],
  [new RegExp(`/${'work'}/(?:main|shared)\\b`), 'a path of a machine'],
  [new RegExp(`(?:^|[\\s"'(])/${'home'}/(?!portcullis|user|node)[a-z][\\w-]*/`, 'm'), "somebody's home directory"],
  [new RegExp(`${'shared'}/(?:design|threats|style|libraries)\\.md`), 'a document that is not in the repository'],
  [new RegExp(`^\\s*${'registry'}\\s*=`, 'm'), 'a registry'],
];

test('no tracked file holds what is true on one machine only', { skip }, () => {
  for (const [file, text] of writtenFiles()) {
    for (const [pattern, what] of FORBIDDEN) {
      const match = pattern.exec(text);
      assert.equal(match, null, `${file} holds ${what}: ${match?.[0]}`);
    }
  }
});

test('source files have names in kebab case', { skip }, () => {
  for (const file of (tracked ?? []).filter((name) => /^(?:src|test|bench|scripts|examples)\/.*\.ts$/.test(name))) {
    assert.match(path.basename(file), /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.ts$/, file);
  }
});

test('documents name only commands that package.json has', { skip }, () => {
  for (const [file, text] of writtenFiles()) {
    if (!file.endsWith('.md') && !file.startsWith('scripts/') && !file.startsWith('.ci/')) continue;
    for (const match of text.matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g)) {
      assert.ok(manifest.scripts?.[match[1]] !== undefined, `${file} says ${match[0]}, which package.json does not have`);
    }
  }
});

test('links between documents lead somewhere', { skip }, () => {
  for (const [file, text] of writtenFiles()) {
    if (!file.endsWith('.md')) continue;
    for (const match of text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)/g)) {
      assert.ok(existsSync(path.resolve(ROOT, path.dirname(file), match[1])), `${file} links to ${match[1]}`);
    }
  }
});
