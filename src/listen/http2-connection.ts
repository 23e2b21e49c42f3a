import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream, type ServerSessionOptions } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { ConnectionInfo, Exchange, RequestHead } from '../exchange/exchange.ts';
import { type HeaderList, headerValue } from '../exchange/headers.ts';
import { readFraming, readRequestHead } from '../exchange/read-head.ts';
import type { Bounds, ConnectionOwner } from './corridor.ts';
import { Http2Body } from './http2-body.ts';
import { Http2Stream, type StreamOwner } from './http2-stream.ts';
import { toExchange, unreadExchange } from './read-request.ts';

/** Cookie crumbs and pseudo fields come on top of the fields that we count ourselves and answer with 431. */
const SPARE_PAIRS = 64;

/** nghttp2 answers each of these itself; a client that sends more of them than it reads answers to is flooding. */
const MOST_OUTSTANDING_PINGS = 10;
const MOST_INVALID_FRAMES = 100;

/** Streams that ended well make up for this many resets each, so that a long-lived connection may cancel now and then. */
const FORGIVEN_PER_STREAM = 0.25;

/** Requests whose answer takes long do not hold up a leaving gateway longer than its drain does. */
const WINDOW = 256 * 1024;

/** One HTTP/2 connection of a client. */
export class Http2Connection implements StreamOwner {
  readonly info: ConnectionInfo;
  readonly session: ServerHttp2Session;
  readonly #owner: ConnectionOwner<Http2Connection>;
  readonly #bounds: Bounds;
  readonly #streams = new Set<Http2Stream>();
  #requests = 0;
  #resets = 0;
  #idleSince = performance.now();
  #closing = false;

  constructor(socket: Duplex, info: ConnectionInfo, owner: ConnectionOwner<Http2Connection>) {
    this.info = info;
    this.#owner = owner;
    this.#bounds = owner.bounds;
    this.session = performServerHandshake(socket, sessionOptions(owner.bounds));
    this.session.on('stream', (stream, _headers, flags, raw) => this.#onStream(stream, flags, raw as unknown as HeaderList));
    this.session.on('error', () => this.session.destroy());
    this.session.on('close', () => this.#onClose());
    socket.on('error', () => this.session.destroy());
  }

  get idle(): boolean {
    return this.#streams.size === 0;
  }

  /** Ends what has lasted too long at `now`. */
  sweep(now: number): void {
    for (const stream of this.#streams) stream.sweep(now);
    if (this.#streams.size > 0) return;
    const time = this.#requests === 0 ? this.#bounds.headTime : this.#bounds.idleTime;
    if (now >= this.#idleSince + time) this.session.destroy();
  }

  /** GOAWAY: running streams end, new ones go elsewhere. */
  drain(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.session.close();
  }

  destroy(): void {
    this.session.destroy();
  }

  streamClosed(stream: Http2Stream, reset: boolean): void {
    if (!this.#streams.delete(stream)) return;
    this.#resets = reset ? this.#resets + 1 : Math.max(0, this.#resets - FORGIVEN_PER_STREAM);
    if (this.#resets > this.#bounds.h2Resets) this.session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    if (this.#streams.size > 0) return;
    this.#idleSince = performance.now();
    this.#owner.idle(this);
  }

  #onStream(stream: ServerHttp2Stream, flags: number, raw: HeaderList): void {
    this.#requests++;
    if (this.#streams.size === 0) this.#owner.busy(this);
    const client = new Http2Stream(stream, this, this.#bounds);
    this.#streams.add(client);
    if (this.#requests >= this.#bounds.requestsPerConnection) this.drain();
    const fields = splitPseudo(raw);
    const refusal = fields.problem ?? this.#tooLarge(fields);
    if (refusal !== undefined) this.#refuse(client, fields, refusal);
    else this.#read(stream, client, fields, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
  }

  #read(stream: ServerHttp2Stream, client: Http2Stream, fields: PseudoAndFields, ended: boolean): void {
    const framing = readFraming(fields.headers, '2', fields.method);
    if (framing.kind === 'refusal') {
      this.#refuse(client, fields, framing);
      return;
    }
    const expect = headerValue(fields.headers, 'expect');
    const { method, path, authority, scheme, headers } = fields;
    const head = readRequestHead(method, path, '2', headers, this.info.secure, { authority, scheme });
    if ('kind' in head) this.#refuse(client, fields, head);
    else if (expect !== undefined && expect.toLowerCase() !== '100-continue') this.#refuse(client, fields, refuse('expectation-failed', 'an expectation other than 100-continue'));
    else {
      if (expect !== undefined && !ended) stream.additionalHeaders({ ':status': 100 });
      this.#serve(stream, client, head, framing.kind === 'length' ? framing.length : undefined, ended);
    }
  }

  #serve(stream: ServerHttp2Stream, client: Http2Stream, head: RequestHead, length: number | undefined, ended: boolean): void {
    const deadline = performance.now() + this.#bounds.bodyTime;
    const body = ended ? undefined : new Http2Body(stream, length, deadline);
    client.body = body;
    const x = toExchange(head, this.info, body, false);
    client.serve(x, head.method === 'HEAD');
    const refusal = this.#owner.locate(x);
    if (refusal === undefined) this.#owner.corridor.handle(x, client);
    else this.#owner.corridor.refuse(x, client, refusal);
  }

  #refuse(client: Http2Stream, fields: PseudoAndFields, refusal: Refusal): void {
    const x: Exchange = unreadExchange(fields.method, fields.path, '2', this.info);
    client.serve(x, fields.method === 'HEAD');
    this.#owner.locate(x);
    this.#owner.corridor.refuse(x, client, refusal);
  }

  #tooLarge(fields: PseudoAndFields): Refusal | undefined {
    if (fields.path.length > this.#bounds.targetBytes) return refuse('target-too-long', 'the target is longer than target-bytes');
    if (fields.headers.length > this.#bounds.headCount * 2 && countFields(fields.headers) > this.#bounds.headCount) {
      return refuse('headers-too-large', 'more fields than head-count');
    }
    return fields.bytes > this.#bounds.headBytes ? refuse('headers-too-large', 'the head is larger than head-bytes') : undefined;
  }

  #onClose(): void {
    this.#owner.closed(this);
  }
}

function sessionOptions(bounds: Bounds): ServerSessionOptions {
  return {
    maxHeaderListPairs: bounds.headCount + SPARE_PAIRS,
    maxOutstandingPings: MOST_OUTSTANDING_PINGS,
    maxSessionInvalidFrames: MOST_INVALID_FRAMES,
    maxSessionRejectedStreams: MOST_INVALID_FRAMES,
    streamResetBurst: bounds.h2Resets,
    streamResetRate: 33,
    settings: {
      enablePush: false,
      enableConnectProtocol: false,
      maxConcurrentStreams: bounds.h2Streams,
      initialWindowSize: WINDOW,
      maxHeaderListSize: Math.max(65_535, (bounds.headBytes + bounds.targetBytes) * 2),
    },
  } as ServerSessionOptions;
}

/** A request's head as HTTP/2 writes it: pseudo fields apart from the rest. */
interface PseudoAndFields {
  readonly method: string;
  readonly path: string;
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly headers: HeaderList;
  /** Size as HTTP/1 would write it: name, value, colon, space, CRLF. */
  readonly bytes: number;
  readonly problem: Refusal | undefined;
}

/** Sets the pseudo fields apart. nghttp2 has seen to it that each comes at most once and before the others. */
function splitPseudo(raw: HeaderList): PseudoAndFields {
  const pseudo = new Map<string, string>();
  const headers: HeaderList = [];
  let bytes = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i];
    if (name.startsWith(':')) pseudo.set(name, raw[i + 1]);
    else {
      headers.push(name, raw[i + 1]);
      bytes += name.length + raw[i + 1].length + 4;
    }
  }
  return {
    method: pseudo.get(':method') ?? '',
    path: pseudo.get(':path') ?? '',
    scheme: pseudo.get(':scheme'),
    authority: pseudo.get(':authority'),
    headers,
    bytes,
    problem: pseudo.has(':protocol') ? refuse('method-unknown', 'extended CONNECT is not offered') : undefined,
  };
}

/** Cookie crumbs are one field that was cut for compression (RFC 9113 section 8.2.3). */
function countFields(headers: HeaderList): number {
  let count = 0;
  let cookies = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'cookie') cookies = 1;
    else count++;
  }
  return count + cookies;
}
