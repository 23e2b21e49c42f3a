import { type Refusal, refuse } from '../exchange/decision.ts';
import type { ConnectionInfo, RequestHead } from '../exchange/exchange.ts';
import { type HeaderList, headerValue } from '../exchange/headers.ts';
import { type Framing, readFraming, readRequestHead } from '../exchange/read-head.ts';
import type { Bounds, Corridor } from './corridor.ts';
import { Http2Body } from './http2-body.ts';
import { type Http2Head, judgeSize, splitHead } from './http2-head.ts';
import type { Http2Stream } from './http2-stream.ts';
import { toExchange, unreadExchange } from './read-request.ts';

/** What the request of a stream needs of its connection. */
export interface RequestOwner {
  readonly corridor: Corridor;
  readonly bounds: Bounds;
  locate(x: Parameters<Corridor['refuse']>[0]): Refusal | undefined;
}

/** Refusals of what HTTP/2 calls malformed: the stream is reset behind the answer (RFC 9113 section 8.1.1). */
const MALFORMED = new Set(['header-invalid', 'target-invalid', 'host-invalid', 'body-framing']);

/**
 * Gives the head of a stream its meaning and hands the request to the corridor, or refuses it.
 * @param size - of the head as HTTP/1 would write it
 */
export function serveHead(
  stream: Http2Stream,
  fields: HeaderList,
  size: number,
  info: ConnectionInfo,
  owner: RequestOwner,
): void {
  const http2 = splitHead(fields);
  const problem = http2.problem ?? judgeSize(http2, size, owner.bounds);
  const framing = problem ?? readFraming(http2.headers, '2', http2.method);
  if (framing.kind === 'refusal') {
    refuseHead(stream, http2, framing, info, owner);
    return;
  }
  const expect = headerValue(http2.headers, 'expect');
  const head = readHead(stream, http2, framing, expect, info);
  if ('kind' in head) refuseHead(stream, http2, head, info, owner);
  else {
    stream.expectsContinue = expect !== undefined;
    serve(stream, head, framing.kind === 'length' ? framing.length : undefined, info, owner);
  }
}

function readHead(
  stream: Http2Stream,
  http2: Http2Head,
  framing: Framing,
  expect: string | undefined,
  info: ConnectionInfo,
): RequestHead | Refusal {
  const { method, path, headers, authority, scheme } = http2;
  if (stream.remoteClosed && framing.kind === 'length' && framing.length > 0) {
    return refuse('body-framing', 'the stream ends without the body that content-length tells of');
  }
  const head = readRequestHead(method, path, '2', headers, info.secure, { authority, scheme });
  if ('kind' in head || expect === undefined || expect.toLowerCase() === '100-continue') return head;
  return refuse('expectation-failed', 'an expectation other than 100-continue');
}

function serve(
  stream: Http2Stream,
  head: RequestHead,
  length: number | undefined,
  info: ConnectionInfo,
  owner: RequestOwner,
): void {
  if (!stream.remoteClosed) {
    const now = performance.now();
    stream.body = new Http2Body(stream, length, { body: now + owner.bounds.bodyTime, request: now + owner.bounds.requestTime });
  }
  const x = toExchange(head, info, stream.body, false);
  stream.serve(x, head.method === 'HEAD');
  const refusal = owner.locate(x);
  if (refusal === undefined) owner.corridor.handle(x, stream);
  else owner.corridor.refuse(x, stream, refusal);
}

function refuseHead(stream: Http2Stream, http2: Http2Head, refusal: Refusal, info: ConnectionInfo, owner: RequestOwner): void {
  const x = unreadExchange(http2.method, http2.path, '2', info);
  if (MALFORMED.has(refusal.code)) stream.malformed();
  stream.refused();
  stream.serve(x, http2.method === 'HEAD');
  owner.locate(x);
  owner.corridor.refuse(x, stream, refusal);
}
