import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Tokens } from './issuer.ts';

/** What the demo writes: made anew at each start, never part of the repository. */

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, '.demo');
const main = path.join(ROOT, 'src/main.ts');

const file = (name: string) => path.join(FOLDER, name);

/** What was known before stays behind: old keys and tokens count nowhere any more. */
export function emptyFolder(): void {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { mode: 0o700 });
}

/** Header fields to be sent by `curl -H @.demo/NAME`. */
export function writeFields(tokens: Tokens): void {
  for (const [name, token] of Object.entries(tokens)) write(name, `Authorization: Bearer ${token}\n`);
}

/** What `curl -K .demo/NAME` reads: who asks for a token. */
export function writeClient(id: string, secret: string): void {
  write(`${id}.client`, `user = "${id}:${secret}"\n`);
}

/** An API key as a partner would be given it: `portcullis keys` keeps nothing but a hash. */
export async function makeApiKey(): Promise<void> {
  const options = ['--id', 'acme', '--scopes', 'orders:read', '--plan', 'free', '--expires', '1d'];
  const key = await portcullis(['keys', 'create', '--keys', file('keys.yaml'), ...options]);
  write('acme', `x-api-key: ${key.trim()}\n`);
}

/** The secret with which the gateway asks about opaque tokens, encrypted. */
export async function keepSecret(value: string): Promise<void> {
  await portcullis(['secrets', 'set', 'INTROSPECTION_SECRET', '--store', file('secrets.yaml')], value);
}

function write(name: string, text: string): void {
  writeFileSync(file(name), text, { mode: 0o600 });
}

function portcullis(argv: readonly string[], input = ''): Promise<string> {
  const child = spawn(process.execPath, [main, ...argv], { stdio: 'pipe', env: withoutKey() });
  let out = '';
  let error = '';
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (error += piece.toString()));
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(out) : reject(new Error(error.trim()))));
  });
}

/** The demo's store has a key of its own, whatever this variable says for others. */
export function withoutKey(): NodeJS.ProcessEnv {
  return { ...process.env, PORTCULLIS_SECRETS_KEY: undefined };
}
