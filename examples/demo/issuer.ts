import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type Client, DEFAULT_RESOURCE, makeProvider, makeSigningKey, type TokenKind } from './identity-provider.ts';

/** The demo's identity provider: who may call, and with which tokens. */

const PORT = 7105;
const ISSUER = `http://127.0.0.1:${PORT}`;
const HOUR = 3600;
const OPAQUE = 'urn:opaque';

/** Tokens by the names of the files they go to. */
export type Tokens = Readonly<Record<'alice' | 'bob' | 'visitor' | 'revoked', string>>;

export interface Issuer {
  readonly clients: { readonly alice: Client; readonly bob: Client; readonly gateway: Client };
  /** Makes a first set of tokens, so that there is something to paste. */
  tokens(): Promise<Tokens>;
  stop(): void;
}

const KIND = { audience: 'orders', lifetime: HOUR, algorithm: 'ES256' } as const;
const kindOf = (resource: string): TokenKind => ({ ...KIND, format: resource === OPAQUE ? 'opaque' : 'jwt' });

function client(id: string, scope?: string): Client {
  return { id, secret: randomBytes(24).toString('hex'), scope };
}

/** Starts it on its port. */
export async function startIssuer(): Promise<Issuer> {
  const clients = {
    alice: client('alice', 'orders:read orders:write'),
    bob: client('bob', 'orders:read'),
    gateway: client('gateway'),
  };
  const provider = makeProvider({
    issuer: ISSUER,
    clients: Object.values(clients),
    scopes: ['orders:read', 'orders:write'],
    keys: [await makeSigningKey('ES256', 'demo')],
    storage: new Map(),
    kindOf,
  });
  const server = createServer(await provider);
  await listening(server);
  return {
    clients,
    tokens: () => makeTokens(clients),
    stop: () => server.close().closeAllConnections(),
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(PORT, '127.0.0.1', resolve);
  });
}

async function makeTokens({ alice, bob }: Issuer['clients']): Promise<Tokens> {
  const tokens = {
    alice: await grant(alice, 'orders:read orders:write'),
    bob: await grant(bob, 'orders:read'),
    visitor: await grant(bob, 'orders:read', OPAQUE),
    revoked: await grant(bob, 'orders:read', OPAQUE),
  };
  await ask(bob, '/token/revocation', { token: tokens.revoked });
  return tokens;
}

async function grant(from: Client, scope: string, resource = DEFAULT_RESOURCE): Promise<string> {
  const answer = await ask(from, '/token', { grant_type: 'client_credentials', scope, resource });
  return ((await answer.json()) as { access_token: string }).access_token;
}

async function ask({ id, secret }: Client, path: string, fields: Record<string, string>): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const answer = await fetch(`${ISSUER}${path}`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(fields),
  });
  if (!answer.ok) throw new Error(`the identity provider answers ${answer.status}: ${await answer.text()}`);
  return answer;
}
