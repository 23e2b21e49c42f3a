import { createHash, X509Certificate } from 'node:crypto';
import { isIP, type OnReadOpts } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { UpstreamTls, WireClientOptions } from './client.ts';

/** Makes the TLS connections of one pool, and keeps at most one session, only from a connection that passed every check. */
export class TlsConnector {
  readonly #options: WireClientOptions;
  readonly #tls: UpstreamTls;
  readonly #context: SecureContext;
  readonly #authorities: readonly X509Certificate[];
  readonly #accepted = new WeakSet<TLSSocket>();
  #session: Buffer | undefined;

  constructor(options: WireClientOptions, tls: UpstreamTls) {
    this.#options = options;
    this.#tls = tls;
    this.#context = createSecureContext({ ca: tls.ca, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' });
    this.#authorities = tls.pins.length > 0 && tls.ca !== undefined ? certificates(tls.ca) : [];
  }

  /** Begins a connection. `secureConnect` tells that chain and name were verified; then `accept` has to be asked. */
  open(protocols: readonly string[], onread?: OnReadOpts): TLSSocket {
    const socket = connect(this.#connectOptions(protocols, onread));
    socket.setNoDelay(true).setKeepAlive(true, 30_000);
    socket.on('session', (session) => {
      if (this.#accepted.has(socket)) this.#session = session;
    });
    return socket;
  }

  /** The last check: true when one certificate of the chain has a pinned key, or there are no pins. */
  accept(socket: TLSSocket): boolean {
    if (!this.#isPinned(socket)) return false;
    this.#accepted.add(socket);
    if (socket.getProtocol() === 'TLSv1.2') this.#session = socket.getSession();
    return true;
  }

  #isPinned(socket: TLSSocket): boolean {
    // A resumed session carries no chain; it was kept only after its own chain had passed.
    if (this.#tls.pins.length === 0 || socket.isSessionReused()) return true;
    const leaf = socket.getPeerX509Certificate();
    return leaf !== undefined && this.#chainHasPin(leaf);
  }

  /** Follows signatures upwards: a server can send any certificate along, but only issue nothing in another's name. */
  #chainHasPin(leaf: X509Certificate): boolean {
    let certificate = leaf;
    for (let depth = 0; depth < 10; depth++) {
      if (this.#tls.pins.includes(keyHash(certificate))) return true;
      const issuer = this.#issuerOf(certificate);
      if (issuer === undefined) return false;
      certificate = issuer;
    }
    return false;
  }

  #issuerOf(certificate: X509Certificate): X509Certificate | undefined {
    const sent = certificate.issuerCertificate;
    if (sent !== undefined && issued(certificate, sent)) return sent;
    return this.#authorities.find((authority) => issued(certificate, authority));
  }

  #connectOptions(protocols: readonly string[], onread: OnReadOpts | undefined): ConnectionOptions {
    const { address, port, host } = this.#options;
    const { verify, serverName } = this.#tls;
    const name = serverName ?? host.replace(/^\[|\]$/g, '');
    return {
      host: address,
      port,
      servername: isIP(name) === 0 ? name : '',
      ALPNProtocols: [...protocols],
      rejectUnauthorized: verify,
      checkServerIdentity: (_, peer) => checkServerIdentity(name, peer),
      secureContext: this.#context,
      session: this.#session,
      ...(onread === undefined ? {} : { onread }),
    } as ConnectionOptions;
  }
}

/** base64 SHA-256 of the SubjectPublicKeyInfo, as in RFC 7469. */
export function keyHash(certificate: X509Certificate): string {
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

function issued(certificate: X509Certificate, by: X509Certificate): boolean {
  if (!by.ca || by.fingerprint256 === certificate.fingerprint256) return false;
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
}

function certificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
