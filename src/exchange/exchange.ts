import type { ParsedBody } from './body/parsed.ts';
import type { BodySource } from './body-source.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { Refusal } from './decision.ts';
import type { HeaderList } from './headers.ts';
import type { QueryReading } from './query.ts';
import type { UpstreamTrace } from './service.ts';

/** What the connection says about itself; one object for all requests of a connection. */
export interface ConnectionInfo {
  /** Name of the listener in the configuration. */
  readonly listener: string;
  /** True when the connection is encrypted. */
  readonly secure: boolean;
  /** The address of the socket's other end, or what a trusted PROXY header says. IPv4 is never written as `::ffff:`. */
  readonly peerAddress: string;
  readonly peerPort: number;
  /** The name that the client asked for in its TLS handshake (SNI), lower case. */
  readonly serverName: string | undefined;
  /** The client's certificate, verified by the listener; undefined: the client showed none, or was not asked. */
  readonly certificate?: ClientCertificate;
  /** What the handshake agreed on, for the record: `1.3`, and the suite by its IANA name. */
  readonly tls?: { readonly version: string; readonly cipher: string };
  /** The listener's `hsts` as the value of the header field; false = off, absent = the default of one year. */
  readonly hsts?: string | false;
}

/** The head of a request after the one strict reading. Every room sees this and nothing else. */
export interface RequestHead {
  readonly method: string;
  /** As it came, for the WAF and the record only. */
  readonly rawTarget: string;
  readonly version: '1.0' | '1.1' | '2';
  /** Lower case, without port, brackets kept for IPv6; empty only for HTTP/1.0 without Host. */
  readonly host: string;
  /** Host with port as the client wrote it, lower case. */
  readonly authority: string;
  /** Canonical path: begins with `/`, decoded and normalised once, re-encoded in one form. `*` for `OPTIONS *`. */
  readonly path: string;
  /** The query byte for byte, without `?`; undefined when there is none. */
  readonly query: string | undefined;
  readonly headers: HeaderList;
}

/** The response while the corridor holds it: rooms may change `headers`, and `body` where they hold the whole. */
export interface ResponseHead {
  status: number;
  headers: HeaderList;
  /** Declared length in bytes, undefined when unknown. */
  length: number | undefined;
  /** The whole body, only where a room asked for it. */
  body: Buffer | undefined;
}

/** Who is calling, as `authenticate` found out. One object for each verified credential: never changed, shared by requests. */
export interface Caller {
  /** The kind of method: `jwt`, `introspection`, `api-key`, `mtls`. */
  readonly by: string;
  /** The method's name in the configuration. */
  readonly name: string;
  readonly subject: string | undefined;
  readonly scopes: readonly string[];
  /** What is known of the caller besides, by name; without a prototype. Read it by `claimOf`. */
  readonly claims: Claims;
  /** Identifier of the API key. */
  readonly key?: string;
  /** Which of the plans in `limits` counts for this caller. */
  readonly plan?: string;
  /** Milliseconds since the epoch when the credential ends. */
  readonly expires?: number;
  /** The field that carried the credential, lower case: it goes to the service only where the service asks for it. */
  readonly header?: string;
}

/** Members of a token, of an introspection answer, or what a certificate or key says, as JSON values. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * One request on its walk through the corridor, and all that was found out about it. Made by `listen`, ended by
 * `observe`; nothing of it is shared with another request.
 */
export class Exchange {
  readonly id: string;
  readonly connection: ConnectionInfo;
  readonly head: RequestHead;
  /** Milliseconds since the epoch when the head was complete. */
  readonly time: number;
  /** `performance.now()` at the same moment, for durations. */
  readonly began: number;
  /** The client as the trusted proxies tell it; otherwise the peer of the connection. */
  clientAddress: string;
  /** The protocol that the client used towards the first trusted proxy. */
  clientScheme: 'http' | 'https';
  /** Host and port that the client asked the first trusted proxy for; undefined: the one in the head. */
  clientHost: string | undefined;
  /** W3C trace context: 32 hex digits, continued from the client's `traceparent` when it is valid. */
  traceId: string;
  /** The `traceparent` flags of the client, `00` or `01`. */
  traceFlags: string;

  /** Path pattern of the matched route, for the record and metrics. */
  route: string | undefined;
  service: string | undefined;
  /** Decoded values of `{name}` in the route's path. */
  params: Record<string, string> | undefined;
  /** The one reading of the query, once a room has asked for it: by `queryOf`. */
  queryReading: QueryReading | undefined;
  caller: Caller | undefined;

  /** The request body as a stream, until a room has it read whole. undefined: the request has none. */
  source: BodySource | undefined;
  /** True for a WebSocket handshake (RFC 6455): it counts as unsafe for every check of origin. */
  readonly upgrade: boolean;
  /** The whole request body, where a room asked for it (empty when the request has none). */
  body: Buffer | undefined;

  /** What the body says; read it by `bodyOf`. */
  parsedBody: ParsedBody | undefined = undefined;

  response: ResponseHead | undefined;
  /** Why the request ended early; absent when it passed. */
  decision: Refusal | undefined;
  /** The thing that broke, when we broke: for the error log, never for the client. */
  fault: unknown;
  readonly upstream: UpstreamTrace = { target: undefined, status: undefined, ms: undefined, tries: 0 };

  /** Status that went to the client; 0 when none did. */
  status = 0;
  /** Body bytes received from the client and sent to it. */
  requestBytes = 0;
  responseBytes = 0;
  /** Values that rooms keep for their later hooks, and fields that they add to the access record. */
  notes: Map<string, unknown> | undefined = undefined;

  constructor(id: string, connection: ConnectionInfo, head: RequestHead, source: BodySource | undefined, upgrade = false) {
    this.id = id;
    this.connection = connection;
    this.head = head;
    this.time = Date.now();
    this.began = performance.now();
    this.clientAddress = connection.peerAddress;
    this.clientScheme = connection.secure ? 'https' : 'http';
    this.clientHost = undefined;
    this.traceId = '';
    this.traceFlags = '00';
    this.route = undefined;
    this.service = undefined;
    this.params = undefined;
    this.queryReading = undefined;
    this.caller = undefined;
    this.source = source;
    this.upgrade = upgrade;
    this.body = undefined;
    this.response = undefined;
    this.decision = undefined;
    this.fault = undefined;
  }
}
