import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { type Algorithm, makeProvider, makeSigningKey, type TokenKind } from '../../examples/demo/identity-provider.ts';

/** What a token is asked for. */
export interface TokenSettings {
  /** Default `orders`. */
  readonly audience?: string;
  /** Default `orders:read`. Space-separated; must be among the provider's. */
  readonly scope?: string;
  /** Seconds; default 300. */
  readonly lifetime?: number;
  readonly algorithm?: Algorithm;
  /** Members that are added to the token. */
  readonly claims?: Record<string, unknown>;
}

/** How the provider answers from now on; a function may take single requests for itself by returning true. */
export type Behaviour =
  | 'normal'
  | 'hang'
  | 'fail'
  | { readonly delay: number }
  | ((request: IncomingMessage, response: ServerResponse) => boolean);

export interface IdentityProviderOptions {
  /** Default: the system chooses. */
  readonly port?: number;
  readonly scopes?: readonly string[];
  /** `Cache-Control` of the JWKS; default: none. */
  readonly cacheControl?: string;
  readonly secret?: string;
}

/** A real authorization server (`oidc-provider`) on 127.0.0.1 that can be rotated, slowed down and killed. */
export interface IdentityProvider {
  /** Without a slash at the end, as tokens have it in `iss`. */
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** An access token of the kind `at+jwt`, by the grant `client_credentials`. */
  token(settings?: TokenSettings): Promise<string>;
  /** An opaque access token, which only introspection can tell something about. */
  opaqueToken(settings?: TokenSettings): Promise<string>;
  /** Has the provider forget an opaque token. */
  revoke(token: string): Promise<void>;
  /** A token with just these claims and header, signed by the key that the provider uses now. Times are not added. */
  sign(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** The keys as they are published now. */
  readonly jwks: { readonly keys: readonly JWK[] };
  /** New keys at once; `keep`: the old ones stay published. */
  rotate(settings?: { keep?: boolean }): Promise<void>;
  behave(behaviour: Behaviour): void;
  /** How many requests came so far, in all or for one path, such as `/jwks`. */
  requests(path?: string): number;
  /** Nobody listens any more; every connection is cut. */
  die(): Promise<void>;
  /** On the same port again. */
  revive(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const SCOPES = ['orders:read', 'orders:write', 'admin:read'];
const MEMBERS_OF_PRIVATE_KEYS = ['d', 'p', 'q', 'dp', 'dq', 'qi'];

/** `await using provider = await startIdentityProvider()` ends it with the block. */
export async function startIdentityProvider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  const provider = new TestProvider(options);
  await provider.begin();
  return provider;
}

class TestProvider implements IdentityProvider {
  issuer = '';
  readonly client: { readonly id: string; readonly secret: string };
  readonly #options: IdentityProviderOptions;
  readonly #storage = new Map<string, unknown>();
  /** What the next tokens are to be, by the resource that they are asked for. */
  readonly #kinds = new Map<string, TokenKind>();
  readonly #requests: string[] = [];
  #keys: JWK[] = [];
  #number = 0;
  #server: Server | undefined;
  #port: number;
  #answer: RequestListener = () => {};
  #behaviour: Behaviour = 'normal';

  constructor(options: IdentityProviderOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.client = { id: 'gateway', secret: options.secret ?? 'a secret: with +signs & 100 % of odd characters' };
  }

  async begin(): Promise<void> {
    await this.revive();
    await this.rotate();
  }

  async revive(): Promise<void> {
    const server = createServer((request, response) => this.#handle(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.issuer = `http://127.0.0.1:${this.#port}`;
  }

  async die(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.die();
  }

  async rotate(settings: { keep?: boolean } = {}): Promise<void> {
    const made = await Promise.all((['RS256', 'ES256'] as const).map((alg) => makeSigningKey(alg, `${alg}-${++this.#number}`)));
    this.#keys = settings.keep === true ? [...made, ...this.#keys] : made;
    this.#answer = await makeProvider({
      issuer: this.issuer,
      clients: [this.client],
      scopes: this.#options.scopes ?? SCOPES,
      keys: this.#keys,
      storage: this.#storage,
      kindOf: (resource) => this.#kinds.get(resource) ?? kindOf({}, 'jwt'),
    });
  }

  get jwks(): { readonly keys: readonly JWK[] } {
    const isPublic = ([name]: [string, unknown]) => !MEMBERS_OF_PRIVATE_KEYS.includes(name);
    return { keys: this.#keys.map((key) => Object.fromEntries(Object.entries(key).filter(isPublic))) };
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
  }

  requests(path?: string): number {
    return this.#requests.filter((one) => path === undefined || one === path).length;
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').split('?')[0];
    this.#requests.push(path);
    if (path === '/jwks' && this.#options.cacheControl !== undefined)
      response.setHeader('cache-control', this.#options.cacheControl);
    const behaviour = this.#behaviour;
    if (behaviour === 'hang') return;
    if (behaviour === 'fail') response.writeHead(500).end('{"error":"server_error"}');
    else if (typeof behaviour === 'function') {
      if (!behaviour(request, response)) this.#answer(request, response);
    } else if (typeof behaviour === 'object') setTimeout(() => this.#answer(request, response), behaviour.delay);
    else this.#answer(request, response);
  }

  token(settings: TokenSettings = {}): Promise<string> {
    return this.#grant(settings, 'jwt');
  }

  opaqueToken(settings: TokenSettings = {}): Promise<string> {
    return this.#grant(settings, 'opaque');
  }

  async #grant(settings: TokenSettings, format: TokenKind['format']): Promise<string> {
    const resource = `urn:token:${++this.#number}`;
    this.#kinds.set(resource, kindOf(settings, format));
    const answer = await this.#post('/token', {
      grant_type: 'client_credentials',
      resource,
      scope: settings.scope ?? 'orders:read',
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    return ((await answer.json()) as { access_token: string }).access_token;
  }

  async revoke(token: string): Promise<void> {
    const answer = await this.#post('/token/revocation', { token });
    assert.equal(answer.status, 200);
  }

  #post(path: string, fields: Record<string, string>): Promise<Response> {
    const { id, secret } = this.client;
    // RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
    const half = (text: string) => new URLSearchParams({ x: text }).toString().slice(2);
    const authorization = `Basic ${Buffer.from(`${half(id)}:${half(secret)}`).toString('base64')}`;
    return fetch(`${this.issuer}${path}`, { method: 'POST', headers: { authorization }, body: new URLSearchParams(fields) });
  }

  async sign(claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
    const alg = header.alg ?? 'ES256';
    const key = this.#keys.find((one) => one.alg === alg);
    assert.ok(key !== undefined, `no key for ${alg}`);
    return await new SignJWT(claims).setProtectedHeader({ typ: 'at+jwt', kid: key.kid, ...header, alg }).sign(key);
  }
}

function kindOf(settings: TokenSettings, format: TokenKind['format']): TokenKind {
  const { audience = 'orders', lifetime = 300, algorithm = 'ES256', claims } = settings;
  return { format, audience, lifetime, algorithm, claims };
}
