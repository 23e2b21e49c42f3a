import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CertificateFiles {
  /** Path of the PEM certificate. */
  readonly certificate: string;
  /** Path of its PEM private key. */
  readonly key: string;
}

export interface TlsFiles {
  readonly dir: string;
  /** Path of the PEM certificate of the authority that signed all others. */
  readonly ca: string;
  /** The certificate for one of the names that were asked for. */
  of(name: string): CertificateFiles;
  /** Makes one more certificate by the same authority, such as a replacement; `file` is its name in `dir`. */
  issue(name: string, file?: string): Promise<CertificateFiles>;
  remove(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a certificate authority and one certificate for each name, with the `openssl` command, in a new temporary
 * directory. A name may be a host, a wildcard or an address, or several of these with commas between.
 */
export async function tlsFiles(names: readonly string[]): Promise<TlsFiles> {
  const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-tls-'));
  const ca = path.join(dir, 'ca.pem');
  // A configuration of our own: the system's would add extensions that the certificates must not have.
  await writeFile(path.join(dir, 'openssl.cnf'), '[req]\ndistinguished_name = name\n[name]\n');
  await makeCertificate(
    dir,
    'ca',
    'Test authority',
    ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'],
    [],
  );
  const made = new Map<string, CertificateFiles>();
  const issue = async (name: string, file = `certificate-${made.size + 1}`): Promise<CertificateFiles> => {
    const extensions = [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=serverAuth,clientAuth',
      `subjectAltName=${name.split(',').map(alternativeName).join(',')}`,
    ];
    const files = await makeCertificate(dir, file, name.split(',')[0], extensions, [
      '-CA',
      ca,
      '-CAkey',
      path.join(dir, 'ca.key'),
    ]);
    made.set(name, files);
    return files;
  };
  for (const name of names) await issue(name);
  const of = (name: string): CertificateFiles => {
    const files = made.get(name);
    if (files === undefined) throw new Error(`no certificate was made for ${name}`);
    return files;
  };
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true });
  return { dir, ca, of, issue, remove, [Symbol.asyncDispose]: remove };
}

const alternativeName = (name: string): string => (net.isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`);

async function makeCertificate(
  dir: string,
  file: string,
  commonName: string,
  extensions: readonly string[],
  signer: readonly string[],
): Promise<CertificateFiles> {
  const certificate = path.join(dir, `${file}.pem`);
  const key = path.join(dir, `${file}.key`);
  const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -config`.split(' ');
  const names = ['-subj', `/CN=${commonName}`, '-keyout', key, '-out', certificate];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  await run('openssl', [...request, path.join(dir, 'openssl.cnf'), ...names, ...signer, ...added]);
  return { certificate, key };
}
