/** Every example is a configuration that `portcullis check` accepts as it stands, with the certificates that it names. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { checkRules } from '../src/config/check-rules.ts';
import { checkText, checkWithSource } from '../src/config/load.ts';
import { problemLine } from '../src/config/problem.ts';
import { type TlsFiles, tlsFiles } from './support/tls.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const EXAMPLES = path.join(ROOT, 'examples');
const NAMES = ['api.example.com', 'shop.example.com'];
const ENVIRONMENT = {
  ADMIN_TOKEN: '0123456789abcdef',
  INTROSPECTION_SECRET: 'a secret of the tests',
  STORE_PASSWORD: 'a password of the tests',
};
const MAIN = path.join(ROOT, 'src/main.ts');

let certificates: TlsFiles;
let folder = '';

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-examples-'));
  certificates = await tlsFiles(NAMES);
  for (const name of ['examples/tls', 'examples/demo', '.demo']) await mkdir(path.join(folder, name), { recursive: true });
  const tls = (name: string) => path.join(folder, 'examples/tls', name);
  await cp(certificates.ca, tls('ca.pem'));
  for (const name of [...NAMES, 'api']) {
    const { certificate, key } = certificates.of(name === 'api' ? NAMES[0] : name);
    await cp(certificate, tls(`${name}.pem`));
    await cp(key, tls(`${name}.key`));
  }
  for (const name of ['examples/keys.yaml', '.demo/keys.yaml']) portcullis('', 'keys', 'create', '--keys', name, '--id', 'acme');
  portcullis('a secret of the tests', 'secrets', 'set', 'INTROSPECTION_SECRET', '--store', '.demo/secrets.yaml');
});
after(async () => {
  await certificates?.remove();
  await rm(folder, { recursive: true, force: true });
});

function portcullis(input: string, ...argv: string[]): void {
  const env = { ...process.env, PORTCULLIS_SECRETS_KEY: undefined };
  execFileSync(process.execPath, [MAIN, ...argv], { cwd: folder, input, env, stdio: ['pipe', 'pipe', 'ignore'] });
}

const examples = (await readdir(EXAMPLES, { recursive: true })).filter(
  (name) => name.endsWith('.yaml') && !name.includes('openapi'),
);

test('there are examples, and the document tells of each', async () => {
  assert.ok(examples.length >= 8, examples.join(' '));
  const document = await readFile(path.join(ROOT, 'examples/README.md'), 'utf8');
  for (const name of examples) assert.ok(document.includes(`(${name})`), `examples/README.md does not tell of ${name}`);
});

test('the configuration of the README', async () => {
  const text = await readFile(path.join(ROOT, 'README.md'), 'utf8');
  const configuration = /^```yaml\n(listeners:[^`]+)```/m.exec(text)?.[1] ?? assert.fail('there is none');
  const result = checkText(path.join(folder, 'examples/portcullis.yaml'), configuration, {});
  assert.deepEqual(result.ok ? [] : result.problems.map(problemLine), []);
});

/** Everything that rules of the file are told, what only means nothing too. */
function ruleProblems(file: string, text: string): string[] {
  const { result, source } = checkWithSource(file, text, ENVIRONMENT);
  if (!result.ok || source === undefined) return ['it does not load'];
  const { errors, warnings } = checkRules(result.options, source);
  return [...errors, ...warnings].map(problemLine);
}

for (const name of examples) {
  test(name, async () => {
    const text = await readFile(path.join(EXAMPLES, name), 'utf8');
    const problems = (environment: Record<string, string>, root = folder) => {
      const result = checkText(path.join(root, 'examples', name), text, environment);
      return result.ok ? [] : result.problems.map(problemLine);
    };
    assert.deepEqual(problems(ENVIRONMENT), []);
    assert.deepEqual(ruleProblems(path.join(folder, 'examples', name), text), []);
    // What an example names is really looked at: without it, it does not pass.
    if (/tls\/|keys\.yaml/.test(text)) assert.match(problems(ENVIRONMENT, tmpdir()).join('\n'), /does not exist|no such file/);
    if (text.includes('${')) assert.match(problems({}).join('\n'), /ADMIN_TOKEN is not set/);
    for (const [, secret] of text.matchAll(/secret:(\w+)/g)) {
      const found = problems({}, tmpdir()).join('\n');
      assert.ok(found.includes(`there is no secret ${secret}`) || found.includes('secrets.yaml` makes it'), found);
    }
    assert.match(text, /^# .+/, 'it begins by saying what it is for');
  });
}
