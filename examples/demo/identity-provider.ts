import type { RequestListener } from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';

/**
 * An authorization server by `oidc-provider`, set up for what a gateway needs of one: metadata, keys, access tokens by the grant
 * `client_credentials`, introspection and revocation. The demo and the tests start theirs with it.
 */

/** The little of `oidc-provider` that is used here; the package brings no types. */
interface ProviderPackage {
  readonly Provider: new (issuer: string, configuration: Record<string, unknown>) => { callback(): RequestListener };
}
const PACKAGE: string = 'oidc-provider';

export type Algorithm = 'RS256' | 'ES256';

export interface Client {
  readonly id: string;
  readonly secret: string;
  /** Scopes that it may ask for, space-separated; without it all. */
  readonly scope?: string;
}

/** What a token for a resource is. */
export interface TokenKind {
  readonly format: 'jwt' | 'opaque';
  readonly audience: string;
  /** Seconds. */
  readonly lifetime: number;
  readonly algorithm: Algorithm;
  /** Members that are added to the token. */
  readonly claims?: Record<string, unknown>;
}

export interface ProviderSettings {
  readonly issuer: string;
  readonly clients: readonly Client[];
  readonly scopes: readonly string[];
  readonly keys: readonly JWK[];
  /** Where tokens are kept; give the same to the next provider and they outlive this one. */
  readonly storage: Map<string, unknown>;
  /** By the resource that a token is asked for (RFC 8707); `DEFAULT_RESOURCE` when none is named. */
  readonly kindOf: (resource: string) => TokenKind;
}

export const DEFAULT_RESOURCE = 'urn:default';

/** A new private key as JWK. */
export async function makeSigningKey(alg: Algorithm, kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid };
}

/** What answers requests to the provider. */
export async function makeProvider(settings: ProviderSettings): Promise<RequestListener> {
  const { Provider } = (await import(PACKAGE)) as ProviderPackage;
  return new Provider(settings.issuer, configurationOf(settings)).callback();
}

function configurationOf({ clients, scopes, keys, storage, kindOf }: ProviderSettings): Record<string, unknown> {
  const getResourceServerInfo = (_context: unknown, resource: string) => {
    const { audience, lifetime, algorithm, format } = kindOf(resource);
    return {
      scope: scopes.join(' '),
      audience,
      accessTokenFormat: format,
      accessTokenTTL: lifetime,
      jwt: { sign: { alg: algorithm } },
    };
  };
  return {
    adapter: adapterOf(storage),
    clients: clients.map((client) => ({ ...clientOf(client), id_token_signed_response_alg: keys[0].alg })),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    cookies: { keys: ['not used'] },
    scopes,
    jwks: { keys },
    ttl: {
      ClientCredentials: (_context: unknown, token: { resourceServer?: { accessTokenTTL?: number } }) =>
        token.resourceServer?.accessTokenTTL ?? 300,
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: { enabled: true, defaultResource: () => DEFAULT_RESOURCE, getResourceServerInfo },
    },
    extraTokenClaims: (_context: unknown, token: { resourceServer?: { identifier(): string } }) =>
      kindOf(token.resourceServer?.identifier() ?? DEFAULT_RESOURCE).claims,
  };
}

function clientOf({ id, secret, scope }: Client): Record<string, unknown> {
  return {
    client_id: id,
    client_secret: secret,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    ...(scope === undefined ? {} : { scope }),
  };
}

/** Tokens outlive a change of keys, so they are kept outside of the provider. */
function adapterOf(storage: Map<string, unknown>): (model: string) => object {
  return (model) => ({
    upsert: async (id: string, payload: unknown) => void storage.set(`${model} ${id}`, payload),
    find: async (id: string) => storage.get(`${model} ${id}`),
    destroy: async (id: string) => void storage.delete(`${model} ${id}`),
    consume: async () => {},
    revokeByGrantId: async () => {},
  });
}
