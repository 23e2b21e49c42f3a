import type { Refusal } from '../exchange/decision.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { type CatalogueEntry, catalogue } from './catalogue.ts';

/** Where the codes are explained; `type` of a problem is a URI reference that tells them apart (RFC 9457 section 3.1.1). */
const TYPE_BASE = 'urn:portcullis:problem:';

/**
 * The body of a refusal: `application/problem+json` (RFC 9457). It says what happened in words that are the same for everyone and
 * never the reason, which is for the record only.
 */
export function problemBody(refusal: Refusal, requestId: string): string {
  const entry: CatalogueEntry = catalogue[refusal.code];
  const code = entry.told ?? refusal.code;
  return JSON.stringify({
    type: TYPE_BASE + code,
    title: entry.title,
    status: refusal.status,
    code,
    request_id: requestId,
    ...refusal.members,
  });
}

/** The response fields of a refusal, without framing and date. */
export function problemHeaders(refusal: Refusal, requestId: string): HeaderList {
  const headers: HeaderList = [
    'content-type',
    'application/problem+json',
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
    'x-request-id',
    requestId,
  ];
  return refusal.headers === undefined ? headers : headers.concat(refusal.headers);
}
