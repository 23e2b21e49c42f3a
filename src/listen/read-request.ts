import type { BodySource } from '../exchange/body-source.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import { type ConnectionInfo, Exchange, type RequestHead } from '../exchange/exchange.ts';
import { type HeaderList, headerValue } from '../exchange/headers.ts';
import type { HeadReader } from '../exchange/http1/head-reader.ts';
import { readFraming, readRequestHead } from '../exchange/read-head.ts';
import { newRequestId, traceOf } from '../exchange/trace-context.ts';

/** A request whose head has been read and found to have one meaning. */
export interface ReadRequest {
  readonly kind: 'request';
  readonly head: RequestHead;
  readonly hasBody: boolean;
  /** Content-Length, or undefined for a chunked body. */
  readonly length: number | undefined;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgrade: boolean;
}

/** Gives the last head of `reader` its meaning, or refuses it. */
export function readRequest(reader: HeadReader, info: ConnectionInfo): ReadRequest | Refusal {
  const { method, target, version, headers } = reader;
  const framing = readFraming(headers, version, method);
  if (framing.kind === 'refusal') return framing;
  const expect = headerValue(headers, 'expect');
  // Before the one reading takes the fields of the connection away.
  const keepAlive = staysOpen(version, headers);
  const upgrade = isHandshake(method, version, headers);
  const head = readRequestHead(method, target, version, headers, info.secure);
  if ('kind' in head) return head;
  const hasBody = framing.kind === 'chunked' || (framing.kind === 'length' && framing.length > 0);
  const problem = upgrade ? handshakeProblem(headers, hasBody) : undefined;
  if (problem !== undefined) return problem;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return refuse('expectation-failed', 'an expectation other than 100-continue');
  }
  return {
    kind: 'request',
    head,
    hasBody,
    length: framing.kind === 'length' ? framing.length : undefined,
    keepAlive,
    expectsContinue: expect !== undefined && version === '1.1' && hasBody,
    upgrade,
  };
}

/** Makes the exchange of a request that was read. */
export function toExchange(head: RequestHead, info: ConnectionInfo, body: BodySource | undefined, upgrade: boolean): Exchange {
  const x = new Exchange(newRequestId(), info, head, body, upgrade);
  const trace = traceOf(head.headers);
  x.traceId = trace.traceId;
  x.traceFlags = trace.flags;
  return x;
}

/** The exchange of something that could not be read: it holds what is known, for the answer and the record. */
export function unreadExchange(
  method: string,
  rawTarget: string,
  version: RequestHead['version'],
  info: ConnectionInfo,
): Exchange {
  const path = pathForRecord(rawTarget);
  const head: RequestHead = { method, rawTarget, version, host: '', authority: '', path, query: undefined, headers: [] };
  return toExchange(head, info, undefined, false);
}

/** So much of a target that was not understood stands in the record; without query and credentials. */
const LONGEST_PATH = 1024;

function pathForRecord(target: string): string {
  const end = target.search(/[?#]/);
  const bare = end < 0 ? target : target.slice(0, end);
  const authority = bare.startsWith('/') ? -1 : bare.indexOf('://');
  const from = authority < 0 ? 0 : bare.indexOf('/', authority + 3);
  if (from < 0 || (authority < 0 && bare.includes('@'))) return '';
  const path = from === 0 ? bare : bare.slice(from);
  return path.length <= LONGEST_PATH ? path : `${path.slice(0, LONGEST_PATH)}…`;
}

/** Whether the connection goes on after this request (RFC 9112 section 9.3). */
function staysOpen(version: string, headers: HeaderList): boolean {
  return version === '1.1' ? !hasToken(headers, 'close') : hasToken(headers, 'keep-alive') && !hasToken(headers, 'close');
}

/** True when one of the Connection fields lists `token` (RFC 9110 section 7.6.1). */
function hasToken(headers: HeaderList, token: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'connection') continue;
    for (const word of headers[i + 1].split(',')) {
      if (word.trim().toLowerCase() === token) return true;
    }
  }
  return false;
}

/** 16 bytes in base64, whose last digit before the padding carries two bits only. */
const WEBSOCKET_KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/**
 * Why this is no handshake by RFC 6455 section 4.2.1. A service that declines one answers in HTTP, and a proxy that took it for accepted
 * would join the client with a service that still reads requests: what is not whole and valid never gets there, nor one with a body.
 */
function handshakeProblem(headers: HeaderList, hasBody: boolean): Refusal | undefined {
  if (headerValue(headers, 'sec-websocket-version') !== '13') {
    const speaks = ['sec-websocket-version', '13', 'upgrade', 'websocket', 'connection', 'upgrade'];
    return refuse('upgrade-refused', 'another version of WebSocket than 13', { headers: speaks });
  }
  if (!WEBSOCKET_KEY.test(headerValue(headers, 'sec-websocket-key') ?? ''))
    return refuse('header-invalid', 'no valid sec-websocket-key');
  return hasBody ? refuse('body-framing', 'a WebSocket handshake with a body') : undefined;
}

/** A request to speak WebSocket instead; any other upgrade (h2c, TLS) is ignored, as RFC 9110 section 7.8 allows. */
function isHandshake(method: string, version: string, headers: HeaderList): boolean {
  if (method !== 'GET' || version !== '1.1' || !hasToken(headers, 'upgrade')) return false;
  return headerValue(headers, 'upgrade')?.toLowerCase() === 'websocket';
}
