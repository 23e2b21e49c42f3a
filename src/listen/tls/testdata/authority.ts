import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CertificateFiles } from '../../../config/units.ts';
import type { Log } from '../../../pipeline/stage.ts';

/** How a key is made: arguments of `openssl req`. */
const keys = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-newkey', 'rsa:2048'],
  short: ['-newkey', 'rsa:1024'],
};

export interface Issue {
  /** Common name, where it is not the first name. */
  readonly commonName?: string;
  readonly kind?: keyof typeof keys;
  readonly days?: number;
  /** By the intermediate authority, whose certificate then stands behind it in the file. */
  readonly chain?: boolean;
}

/** A certificate authority with an intermediate one, made by the `openssl` command in a directory of its own. */
export interface Authority {
  readonly dir: string;
  /** Path of the root's certificate. */
  readonly ca: string;
  /** PEM of the root's certificate. */
  readonly root: string;
  file(name: string): string;
  issue(file: string, names: readonly string[], issue?: Issue): Promise<CertificateFiles>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function makeAuthority(): Promise<Authority> {
  const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-authority-'));
  const file = (name: string): string => path.join(dir, name);
  await writeFile(file('openssl.cnf'), '[req]\ndistinguished_name = name\n[name]\n');
  const make = async (name: string, subject: string, extensions: string[], { kind = 'ec', days = 30 }: Issue, by?: string) => {
    const request = ['req', '-x509', '-nodes', '-config', file('openssl.cnf'), '-days', String(days), ...keys[kind]];
    const signer = by === undefined ? [] : ['-CA', file(`${by}.pem`), '-CAkey', file(`${by}.key`)];
    const out = ['-subj', subject, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
    const { code, output } = await openssl([...request, ...signer, ...out, ...extensions.flatMap((one) => ['-addext', one])]);
    if (code !== 0) throw new Error(output);
  };
  const authority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
  await make('root', '/CN=Test root', authority, {});
  await make('intermediate', '/CN=Test intermediate', authority, {}, 'root');

  const issue = async (name: string, names: readonly string[], how: Issue = {}): Promise<CertificateFiles> => {
    const alternatives = names.map((one) => `${isIP(one) === 0 ? 'DNS' : 'IP'}:${one}`).join();
    const extensions = ['basicConstraints=critical,CA:FALSE', ...(alternatives === '' ? [] : [`subjectAltName=${alternatives}`])];
    const subject = `/CN=${how.commonName ?? names[0]?.slice(0, 60) ?? 'nobody'}`;
    await make(name, subject, extensions, how, how.chain ? 'intermediate' : 'root');
    if (how.chain) {
      const parts = await Promise.all([file(`${name}.pem`), file('intermediate.pem')].map((one) => readFile(one, 'latin1')));
      await writeFile(file(`${name}.pem`), parts.join(''));
    }
    return { certificate: file(`${name}.pem`), key: file(`${name}.key`) };
  };
  return {
    dir,
    ca: file('root.pem'),
    root: await readFile(file('root.pem'), 'latin1'),
    file,
    issue,
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}

/** Runs the `openssl` command of the system, which is another OpenSSL than Node's. */
export function openssl(args: readonly string[], input = ''): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

export interface Entry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Record<string, unknown> | undefined;
}

/** A log that keeps what it is told, and can be waited for. */
export class TestLog implements Log {
  readonly entries: Entry[] = [];
  readonly #waiting: (() => void)[] = [];

  info(message: string, fields?: Record<string, unknown>): void {
    this.#add({ level: 'info', message, fields });
  }

  warn(message: string, fields?: Record<string, unknown>): void {
    this.#add({ level: 'warn', message, fields });
  }

  error(message: string, fields?: Record<string, unknown>): void {
    this.#add({ level: 'error', message, fields });
  }

  /** The first entry that matches, as soon as there is one; the test's own time limit is the limit. */
  async until(matches: (entry: Entry) => boolean): Promise<Entry> {
    for (;;) {
      const found = this.entries.find(matches);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #add(entry: Entry): void {
    this.entries.push(entry);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
