/** Whom the gateway believes to be its service: what must pass, and what must not get one byte of a request. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { openssl } from '../../src/listen/tls/testdata/authority.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type CertificateFiles, type TlsFiles, tlsFiles } from '../support/tls.ts';

/** A service over TLS that counts what it is sent, and answers everything with who the client is. */
class TlsService {
  received = 0;
  readonly #server: tls.Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: tls.TlsOptions) {
    this.#server = tls.createServer({ ALPNProtocols: ['http/1.1'], ...options }, (socket) => this.#serve(socket));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(files: CertificateFiles, more: tls.TlsOptions = {}): Promise<TlsService> {
    const service = new TlsService({ cert: readFileSync(files.certificate), key: readFileSync(files.key), ...more });
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: tls.TLSSocket): void {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      this.received += bytes.length;
      const told = `${String(socket.servername)} ${socket.getPeerCertificate().subject?.CN ?? 'nobody'}`;
      if (bytes.includes('\r\n\r\n')) socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${told.length}\r\n\r\n${told}`);
    });
  }
}

/** The pin of a certificate: SHA-256 of its public key. */
function pinOf(file: string): string {
  const key = new X509Certificate(readFileSync(file)).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/** A certificate that was good once: `openssl req` knows only days to come. */
async function expired(files: TlsFiles, name: string): Promise<CertificateFiles> {
  const file = (end: string) => `${files.dir}/expired.${end}`;
  const config = `[req]\ndistinguished_name = n\n[n]\n[ca]\ndefault_ca = c\n[c]\ndatabase = ${file('index')}\nserial = ${file('serial')}
new_certs_dir = ${files.dir}\ndefault_md = sha256\npolicy = p\nx509_extensions = e\nunique_subject = no\n[p]\ncommonName = supplied
[e]\nsubjectAltName = IP:${name}\n`;
  await Promise.all([writeFile(file('cnf'), config), writeFile(file('index'), ''), writeFile(file('serial'), '1000\n')]);
  const request = ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', file('cnf')];
  const made = await openssl([...request, '-subj', '/CN=expired', '-keyout', file('key'), '-out', file('csr')]);
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'];
  const signer = ['-cert', files.ca, '-keyfile', files.ca.replace(/\.pem$/, '.key')];
  const sign = ['ca', '-batch', '-notext', '-config', file('cnf'), ...signer, ...dates, '-in', file('csr'), '-out', file('pem')];
  const signed = await openssl(sign);
  assert.deepEqual([made.code, signed.code], [0, 0], made.output + signed.output);
  return { certificate: file('pem'), key: file('key') };
}

/** Words that stand for what exists only when the test runs: files, and pins of keys. */
type Words = Record<string, string>;

interface Case {
  readonly name: string;
  readonly service: 'plain' | 'other' | 'expired' | 'mutual' | 'old';
  /** Host of the target; its address is 127.0.0.1. */
  readonly host?: string;
  /** The key `tls` of the service, with words. */
  readonly tls: string;
  /** What the service saw of SNI and client; undefined: refused, with nothing sent. */
  readonly passes?: string;
}

const cases: readonly Case[] = [
  { name: 'its authority is believed', service: 'plain', tls: 'ca: CA', passes: 'false nobody' },
  { name: 'a name as target', service: 'plain', host: 'localhost', tls: 'ca: CA', passes: 'localhost nobody' },
  { name: 'only authorities of the system are believed without ca', service: 'plain', tls: '' },
  { name: 'another authority', service: 'plain', tls: 'ca: OTHER' },
  { name: 'no verification at all, as written', service: 'plain', tls: 'verify: false', passes: 'false nobody' },
  { name: 'a certificate for another name', service: 'other', tls: 'ca: CA' },
  {
    name: 'server-name asks for that other name',
    service: 'other',
    tls: 'ca: CA, server-name: other.test',
    passes: 'other.test nobody',
  },
  { name: 'server-name that the certificate does not bear', service: 'plain', tls: 'ca: CA, server-name: other.test' },
  { name: 'an expired certificate', service: 'expired', tls: 'ca: CA' },
  { name: 'an expired certificate without verification', service: 'expired', tls: 'verify: false', passes: 'false nobody' },
  { name: 'TLS 1.1', service: 'old', tls: 'ca: CA' },
  { name: 'the right pin', service: 'plain', tls: 'ca: CA, pins: [PIN]', passes: 'false nobody' },
  { name: 'one of two pins', service: 'plain', tls: 'ca: CA, pins: [WRONG, PIN]', passes: 'false nobody' },
  { name: 'the pin of the authority', service: 'plain', tls: 'ca: CA, pins: [CA-PIN]', passes: 'false nobody' },
  { name: 'a wrong pin', service: 'plain', tls: 'ca: CA, pins: [WRONG]' },
  { name: 'a wrong pin without verification', service: 'plain', tls: 'verify: false, pins: [WRONG]' },
  { name: 'the right pin, but another authority', service: 'plain', tls: 'ca: OTHER, pins: [PIN]' },
  {
    name: 'client certificate',
    service: 'mutual',
    tls: 'ca: CA, certificate: CLIENT, key: CLIENT-KEY',
    passes: 'false gateway.test',
  },
  { name: 'client certificate demanded, none configured', service: 'mutual', tls: 'ca: CA' },
  { name: 'client certificate of another authority', service: 'mutual', tls: 'ca: CA, certificate: STRANGER, key: STRANGER-KEY' },
];

let files: TlsFiles;
let others: TlsFiles;
let gateway: Gateway;
const services = {} as Record<Case['service'], TlsService>;

before(async () => {
  [files, others] = await Promise.all([
    tlsFiles(['127.0.0.1,localhost', 'other.test', 'gateway.test']),
    tlsFiles(['gateway.test']),
  ]);
  const own = files.of('127.0.0.1,localhost');
  const mutual = { requestCert: true, rejectUnauthorized: true, ca: await readFile(files.ca) };
  services.plain = await TlsService.start(own);
  services.other = await TlsService.start(files.of('other.test'));
  services.expired = await TlsService.start(await expired(files, '127.0.0.1'));
  services.mutual = await TlsService.start(own, mutual);
  services.old = await TlsService.start(own, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  const client = files.of('gateway.test');
  const stranger = others.of('gateway.test');
  gateway = await startGateway(
    configuration({
      CA: files.ca,
      OTHER: others.ca,
      PIN: pinOf(own.certificate),
      'CA-PIN': pinOf(files.ca),
      WRONG: pinOf(client.certificate),
      CLIENT: client.certificate,
      'CLIENT-KEY': client.key,
      STRANGER: stranger.certificate,
      'STRANGER-KEY': stranger.key,
    }),
  );
});

after(async () => {
  await gateway?.stop();
  await Promise.all(Object.values(services).map((service) => service.close()));
  await Promise.all([files?.remove(), others?.remove()]);
});

const clients = ['lean', 'undici'] as const;

function configuration(words: Words): string {
  const services_ = clients.flatMap((client) =>
    cases.map(({ service, host = '127.0.0.1', tls: written }, i) => {
      const filled = written.replace(/[A-Z][A-Z-]+(?=[,\]]|$)/g, (word) => `"${words[word]}"`);
      const target = `https://${host}:${services[service].port}`;
      return `  ${client}${i}: { targets: ["${target}"], client: ${client}, tls: { ${filled} }, retries: { tries: 1 } }`;
    }),
  );
  const routes = clients.flatMap((client) =>
    cases.map((_, i) => `  - { path: /${client}/${i}, service: ${client}${i}, authentication: none }`),
  );
  return `listeners: { plain: { address: 127.0.0.1:0 } }\nservices:\n${services_.join('\n')}\nroutes:\n${routes.join('\n')}\n`;
}

for (const client of clients) {
  describe(`TLS to services, ${client} client`, () => {
    for (const [i, { name, service, passes }] of cases.entries()) {
      test(`${name}: ${passes === undefined ? '502, and nothing is sent' : 'passes'}`, async () => {
        const before_ = services[service].received;
        const secret = 'name=very-secret';
        const answer = await fetch(`http://127.0.0.1:${gateway.port('plain')}/${client}/${i}`, { method: 'POST', body: secret });
        const text = await answer.text();
        if (passes !== undefined) {
          assert.deepEqual([answer.status, text], [200, passes]);
          return;
        }
        assert.equal(answer.status, 502);
        // In TLS 1.3 a service refuses the client's certificate after the client's side of the handshake is over.
        const codes = service === 'mutual' ? ['upstream-connect', 'upstream-closed'] : ['upstream-connect'];
        const { code } = JSON.parse(text) as { code: string };
        assert.ok(codes.includes(code), code);
        assert.doesNotMatch(text, /CERT|certificate|tls|ssl/i, 'why it was refused is told to nobody outside');
        assert.equal(services[service].received, before_);
      });
    }
  });
}

test('every refusal is in the record with its reason and its target', async () => {
  const records = await gateway.records(cases.length * clients.length);
  const refused = records.filter((one) => one.decision !== undefined);
  assert.equal(refused.length, cases.filter((one) => one.passes === undefined).length * clients.length);
  for (const { decision, http, upstream } of refused) {
    assert.deepEqual([decision?.room, http.status], ['upstream', 502]);
    assert.ok((decision?.reason ?? '').length > 3, JSON.stringify(decision));
    const { target, status } = upstream as { target: string; status?: number };
    assert.match(target, /^127\.0\.0\.1:\d+$/);
    assert.equal(status, undefined);
  }
});
