import { execFile } from 'node:child_process';
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate and its key, as paths; `certificate` may hold the authorities above it too. */
export interface Shown {
  readonly certificate: string;
  readonly key: string;
}

export interface IssueOptions {
  /** As `openssl req -subj` takes it. */
  readonly subject?: string;
  /** As `subjectAltName` of OpenSSL's configuration takes it. */
  readonly san?: string;
  /** `extendedKeyUsage`; undefined: clientAuth, '': none. */
  readonly purpose?: string;
  readonly ca?: boolean;
  /** Seconds from now. */
  readonly from?: number;
  readonly to?: number;
  /** Whether the certificates of the authorities above, without the root, are in the file too. */
  readonly chain?: boolean;
}

const CONFIGURATION = `[req]
distinguished_name = name
string_mask = utf8only
utf8 = yes
[name]
[ca]
default_ca = here
[here]
database = DIR/index.txt
serial = DIR/serial
crlnumber = DIR/crlnumber
new_certs_dir = DIR
default_md = sha256
default_crl_days = 7
policy = any
unique_subject = no
preserve = yes
email_in_dn = yes
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
emailAddress = optional
domainComponent = optional
userId = optional
`;

/** A certificate authority of the `openssl` command, in a directory of its own. */
export class TestCa {
  readonly dir: string;
  /** Path of its own certificate. */
  readonly certificate: string;
  readonly key: string;
  /** The authority above; undefined: it is a root. */
  readonly parent: TestCa | undefined;

  private constructor(dir: string, name: string, parent: TestCa | undefined) {
    this.dir = path.join(dir, `ca-${name}`);
    this.certificate = path.join(this.dir, 'ca.pem');
    this.key = path.join(this.dir, 'ca.key');
    this.parent = parent;
  }

  static async root(dir: string, name: string, subject = `/CN=${name}`): Promise<TestCa> {
    const ca = new TestCa(dir, name, undefined);
    await ca.#prepare();
    const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
    const added = extensions.flatMap((one) => ['-addext', one]);
    await run('openssl', [
      ...REQUEST,
      '-x509',
      '-days',
      '30',
      '-config',
      ca.file('openssl.cnf'),
      '-subj',
      subject,
      ...added,
      ...outTo(ca),
    ]);
    return ca;
  }

  /** An authority below this one; `constraints` replaces that it is one. */
  async below(name: string, constraints = 'critical,CA:TRUE', more: readonly string[] = []): Promise<TestCa> {
    const ca = new TestCa(path.dirname(this.dir), name, this);
    await ca.#prepare();
    const usage = constraints.includes('CA:TRUE') ? 'keyUsage=critical,keyCertSign,cRLSign' : 'keyUsage=digitalSignature';
    await this.#issue(ca.certificate, ca.key, `/CN=${name}`, [`basicConstraints=${constraints}`, usage, ...more], {});
    return ca;
  }

  file(name: string): string {
    return path.join(this.dir, name);
  }

  async issue(name: string, options: IssueOptions = {}): Promise<Shown> {
    const { subject = `/CN=${name}`, san, purpose = 'clientAuth', ca = false } = options;
    const shown = { certificate: this.file(`${name}.pem`), key: this.file(`${name}.key`) };
    const extensions = [`basicConstraints=critical,CA:${ca ? 'TRUE' : 'FALSE'}`];
    if (purpose !== '') extensions.push(`extendedKeyUsage=${purpose}`);
    if (san !== undefined) extensions.push(`subjectAltName=${san}`);
    await this.#issue(shown.certificate, shown.key, subject, extensions, options);
    if (options.chain === true) await appendFile(shown.certificate, await this.chain());
    return shown;
  }

  /** PEM of this authority and those above it, without the root. */
  async chain(): Promise<string> {
    if (this.parent === undefined) return '';
    return (await readFile(this.certificate, 'utf8')) + (await this.parent.chain());
  }

  async revoke(shown: { readonly certificate: string }): Promise<void> {
    await this.#ca('-revoke', shown.certificate);
  }

  /**
   * Writes the list; `next`: seconds until it is stale; `more`: words for `openssl ca`. The file is replaced at once, as a careful
   * operator does it.
   */
  async crl(file = this.file('crl.pem'), next?: number, more: readonly string[] = []): Promise<string> {
    const times = next === undefined ? [] : ['-crl_lastupdate', when(Math.min(0, next) - 3600), '-crl_nextupdate', when(next)];
    await this.#ca('-gencrl', '-out', `${file}.new`, ...times, ...more);
    await rename(`${file}.new`, file);
    return file;
  }

  /**
   * The same certificate with some of its bytes replaced, signed anew: what OpenSSL's command refuses to make, such as names with NUL bytes.
   */
  async forge(shown: Shown, name: string, from: string, to: string): Promise<Shown> {
    const der = Buffer.from(new X509Certificate(await readFile(shown.certificate)).raw);
    const at = der.indexOf(from, 0, 'latin1');
    if (at < 0 || from.length !== to.length) throw new Error(`${from} cannot be replaced by ${to}`);
    der.write(to, at, 'latin1');
    const tbs = elementAt(der, elementAt(der, 0).from);
    const algorithm = elementAt(der, tbs.to);
    const signature = sign('sha256', der.subarray(tbs.at, tbs.to), createPrivateKey(await readFile(this.key)));
    const parts = [
      der.subarray(tbs.at, tbs.to),
      der.subarray(algorithm.at, algorithm.to),
      tlv(3, Buffer.concat([Buffer.of(0), signature])),
    ];
    const whole = tlv(0x30, Buffer.concat(parts))
      .toString('base64')
      .replace(/.{1,64}/g, '$&\n');
    const forged = { certificate: this.file(`${name}.pem`), key: shown.key };
    await writeFile(forged.certificate, `-----BEGIN CERTIFICATE-----\n${whole}-----END CERTIFICATE-----\n`);
    return forged;
  }

  async #prepare(): Promise<void> {
    await mkdir(this.dir, { recursive: true });
    await writeFile(this.file('openssl.cnf'), CONFIGURATION.replaceAll('DIR', this.dir));
    await writeFile(this.file('index.txt'), '');
    await writeFile(this.file('serial'), '1000\n');
    await writeFile(this.file('crlnumber'), '01\n');
  }

  async #issue(
    certificate: string,
    key: string,
    subject: string,
    extensions: string[],
    { from = -3600, to = 86400 * 7 }: IssueOptions,
  ): Promise<void> {
    const request = `${certificate}.csr`;
    await run('openssl', [...REQUEST, '-config', this.file('openssl.cnf'), '-subj', subject, '-keyout', key, '-out', request]);
    await writeFile(`${certificate}.ext`, `${extensions.join('\n')}\n`);
    const dates = ['-startdate', when(from), '-enddate', when(to)];
    await this.#ca('-in', request, '-out', certificate, '-extfile', `${certificate}.ext`, '-notext', ...dates);
  }

  async #ca(...words: string[]): Promise<void> {
    const own = ['-config', this.file('openssl.cnf'), '-batch', '-cert', this.certificate, '-keyfile', this.key];
    await run('openssl', ['ca', ...own, ...words]);
  }
}

const REQUEST = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-utf8'];

const outTo = ({ certificate, key }: Shown): string[] => ['-keyout', key, '-out', certificate];

/** A directory for authorities, removed at the end of the block. */
export async function certificateFolder(): Promise<{
  dir: string;
  file(name: string): string;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-clients-'));
  return { dir, file: (name) => path.join(dir, name), [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

/** Replaces a file at once. */
export async function replaceFile(from: string, to: string): Promise<void> {
  await copyFile(from, `${to}.new`);
  await rename(`${to}.new`, to);
}

/** `YYYYMMDDHHMMSSZ`, so many seconds from now. */
function when(seconds: number): string {
  return `${new Date(Date.now() + seconds * 1000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

function elementAt(der: Buffer, at: number): { at: number; from: number; to: number } {
  const count = der[at + 1] < 0x80 ? 0 : der[at + 1] & 0x7f;
  const from = at + 2 + count;
  return { at, from, to: from + (count === 0 ? der[at + 1] : der.readUIntBE(at + 2, count)) };
}

function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}
