/** A call of the gateway's own to somebody outside: keys of an issuer, introspection, webhooks. */
export interface EgressRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds for the whole call, from the look-up of the name to the last byte. */
  readonly timeout: number;
  /** The most bytes of the answer's body; a larger one is an error. */
  readonly limit: number;
  /**
   * Hosts that stand in the configuration, as `URL.host` writes them: an address, or `localhost`, among them is its own permission. Never
   * a host that somebody else named, such as the `jwks_uri` of a discovery document.
   */
  readonly written?: readonly string[];
  /** The call does no harm when it arrives twice: it is made again when a kept connection turns out to be closed. GET always is. */
  readonly repeatable?: boolean;
}

export interface EgressAnswer {
  readonly status: number;
  /** Names in lower case; fields that came several times are joined by `, `. Without a prototype. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Our own calls out. A name is resolved once and the connection goes to that very address; private, loopback, link-local and
 * metadata addresses are reached only where the configuration permits it (an address written in the configuration is its own
 * permission: `allow`). Redirects are not followed. Rejects with an `EgressError` that names the reason and no secret.
 */
export interface Egress {
  /** Tells apart what may call where: part of the key under which anything that holds an egress is carried over a reload. */
  readonly key: string;
  fetch(url: URL, request: EgressRequest): Promise<EgressAnswer>;
}

export class EgressError extends Error {
  override readonly name = 'EgressError';
}
