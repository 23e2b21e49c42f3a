/**
 * What the processes that serve load before they know what the configuration asks for. The schema of all options, its library and the YAML
 * parser take some 20 MB: they belong to the process that reads the configuration, which ends (`src/config/load-apart.ts`).
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { readSources } from './support/sources.ts';
import { readImports } from './support/walls.ts';

const sources = new Map(readSources('src').map((source) => [source.path, source]));

/** Packages that come in with a file, each with the files through which it does. */
function packagesOf(entry: string): Map<string, string> {
  const ways = new Map([[entry, entry]]);
  const packages = new Map<string, string>();
  for (const [file, way] of ways) {
    const source = sources.get(file);
    assert.ok(source, `${way}: there is no such file`);
    for (const one of readImports(source)) {
      if (one.typeOnly || one.dynamic) continue;
      if (one.file === undefined) packages.set(one.specifier, `${way} > ${one.specifier}`);
      else if (!ways.has(one.file)) ways.set(one.file, `${way} > ${one.file}`);
    }
  }
  return packages;
}

const SERVING = [
  'src/cli/start.ts',
  'src/process/single.ts',
  'src/process/primary.ts',
  'src/process/worker.ts',
  'src/authenticate/jwt/jwt.ts',
];

for (const entry of SERVING) {
  test(`${entry} brings in neither the schema's library nor the YAML parser`, () => {
    const packages = packagesOf(entry);
    assert.deepEqual(
      ['zod', 'yaml'].flatMap((name) => packages.get(name) ?? []),
      [],
    );
  });
}

test('the process that reads a configuration brings both in: the walk finds what is there', () => {
  const packages = packagesOf('src/config/load-child.ts');
  assert.ok(packages.has('zod') && packages.has('yaml'));
});
