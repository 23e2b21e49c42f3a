import * as oauth from 'oauth4webapi';
import { type Egress, type EgressAnswer, EgressError } from '../../egress/egress.ts';
import type { Claims } from '../../exchange/exchange.ts';
import { readJsonObject } from '../../exchange/strict-json.ts';
import type { Clock } from '../../pipeline/stage.ts';
import { Deadline, discover } from '../outside.ts';
import type { IntrospectionOptions } from './options.ts';
import { importPrivateKey } from './private-key.ts';

/** The authorization server gave no answer that says anything about the token. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Whether it is about the server, and not about this one token. */
  readonly down: boolean;

  constructor(reason: string, down: boolean) {
    super(reason);
    this.down = down;
  }
}

const LIMIT = 256 * 1024;
const REDISCOVER_MS = 3_600_000;

/** Codes of RFC 6749 section 5.2 and RFC 7009 section 2.2.1: what else the server writes is not repeated. */
const CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'access_denied',
  'insufficient_scope',
  'unsupported_token_type',
  'server_error',
  'temporarily_unavailable',
];

/** The authorization server of one method: the protocol is oauth4webapi's, the way out is the gateway's. */
export class Server {
  readonly #options: IntrospectionOptions;
  readonly #egress: Egress;
  readonly #clock: Clock;
  readonly #client: oauth.Client;
  readonly #authenticate: oauth.ClientAuth;
  #found: { readonly endpoint: URL; readonly at: number } | undefined;
  /** However many tokens wait for it, the issuer is asked once. */
  #finding: Promise<URL> | undefined;

  /** Throws when the private key cannot be used. */
  constructor(options: IntrospectionOptions, egress: Egress, clock: Clock) {
    this.#options = options;
    this.#egress = egress;
    this.#clock = clock;
    this.#client = { client_id: options.client.id };
    this.#authenticate = clientAuthentication(options.client);
  }

  /** Where it is asked, as far as that is known. */
  get from(): string {
    const endpoint = this.#options.endpoint ?? this.#found?.endpoint.href;
    // A query may hold a secret.
    return endpoint === undefined ? (this.#options.issuer as string) : endpoint.split('?')[0];
  }

  /** Finds the endpoint, where it has to be found. Rejects with NoAnswer. */
  async find(deadline = new Deadline(this.#options.timeout)): Promise<URL> {
    const { endpoint, issuer } = this.#options;
    if (endpoint !== undefined) return new URL(endpoint);
    if (this.#found !== undefined && Math.abs(this.#clock.now() - this.#found.at) < REDISCOVER_MS) return this.#found.endpoint;
    this.#finding ??= this.#discover(issuer as string, deadline).finally(() => {
      this.#finding = undefined;
    });
    return await this.#finding;
  }

  async #discover(issuer: string, deadline: Deadline): Promise<URL> {
    const endpoint = await discover(this.#egress, issuer, 'introspection_endpoint', deadline).catch(noAnswer);
    this.#found = { endpoint, at: this.#clock.now() };
    return endpoint;
  }

  /** What the server says of the token: an object that has one reading only. Rejects with NoAnswer. */
  async ask(token: string): Promise<Claims> {
    const deadline = new Deadline(this.#options.timeout);
    const endpoint = await this.find(deadline);
    let answer: EgressAnswer | undefined;
    const server = { issuer: this.#options.issuer ?? endpoint.origin, introspection_endpoint: endpoint.href };
    try {
      const response = await oauth.introspectionRequest(server, this.#client, this.#authenticate, token, {
        additionalParameters: { token_type_hint: 'access_token' },
        // Meant as a warning to people. What may go without TLS, the configuration and the way out see to.
        // oxlint-disable-next-line typescript/no-deprecated
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: async (url, { headers, body }) => {
          answer = await this.#post(new URL(url), headers, body.toString(), deadline);
          return responseOf(answer);
        },
      });
      await oauth.processIntrospectionResponse(server, this.#client, response);
    } catch (error) {
      // A server that is down may have moved: its issuer is asked again.
      if (error instanceof EgressError || (error instanceof NoAnswer && error.down)) this.#found = undefined;
      return noAnswer(error);
    }
    const claims = readJsonObject((answer as EgressAnswer).body);
    if (claims === undefined)
      throw new NoAnswer(`${endpoint.host}: the answer is not one JSON object that can be read in one way only`, false);
    return claims;
  }

  async #post(url: URL, headers: Record<string, string>, body: string, deadline: Deadline): Promise<EgressAnswer> {
    const { endpoint, issuer } = this.#options;
    const written = [new URL(endpoint ?? (issuer as string)).host];
    const request = { method: 'POST', headers, body, timeout: deadline.left(), limit: LIMIT, written, repeatable: true } as const;
    const answer = await this.#egress.fetch(url, request);
    if (answer.status !== 200) throw statusError(url, answer);
    return answer;
  }
}

function clientAuthentication(client: IntrospectionOptions['client']): oauth.ClientAuth {
  const { secret, 'private-key': file } = client;
  if (file !== undefined)
    return oauth.PrivateKeyJwt({ key: importPrivateKey(file, client.algorithm), kid: client['private-key-id'] });
  return client['secret-in'] === 'header' ? oauth.ClientSecretBasic(secret as string) : oauth.ClientSecretPost(secret as string);
}

/** oauth4webapi reads what `fetch` gives. */
function responseOf({ status, headers, body }: EgressAnswer): Response {
  // RFC 9701 answers are tokens that would have to be verified: they are not asked for, and not read.
  const type = headers['content-type']?.split(';')[0].trim().toLowerCase();
  if (type !== 'application/json') throw new NoAnswer('the answer is no application/json', false);
  return new Response(new Uint8Array(body), { status, headers: { 'content-type': 'application/json' } });
}

function statusError(url: URL, { status, body }: EgressAnswer): NoAnswer {
  const code = readJsonObject(body)?.error;
  const known = typeof code === 'string' && CODES.includes(code) ? ` (${code})` : '';
  // A server that does not want this one token is not down.
  const error = new NoAnswer(`${url.host}: answered ${status} where 200 was expected${known}`, status !== 400);
  return status === 400 && code === 'unsupported_token_type' ? new NotItsToken(error.message, false) : error;
}

/** RFC 7009 section 2.2.1: the server has nothing to do with tokens of this kind. */
export class NotItsToken extends NoAnswer {}

/** Turns what the way out and the protocol throw into NoAnswer; whatever else is thrown is a defect. */
function noAnswer(error: unknown): never {
  if (error instanceof NoAnswer) throw error;
  if (error instanceof EgressError) throw new NoAnswer(error.message, true);
  if (isProtocolError(error)) throw new NoAnswer('the answer is not one of RFC 7662', false);
  throw error;
}

function isProtocolError(error: unknown): boolean {
  return (
    error instanceof oauth.OperationProcessingError ||
    error instanceof oauth.ResponseBodyError ||
    error instanceof oauth.WWWAuthenticateChallengeError ||
    error instanceof oauth.UnsupportedOperationError
  );
}
