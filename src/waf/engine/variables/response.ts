import { NO_VALUES } from '../transaction/facts.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { namesOf, optional, pairs } from './values.ts';
import type { Variable } from './variable.ts';

const scalar = (name: string, read: (t: Transaction) => string | undefined, phase: 3 | 4 = 3): Variable => ({
  name,
  collection: false,
  stable: true,
  phase,
  read: (t) => optional(read(t)),
});

function fieldOf(t: Transaction, name: string): string | undefined {
  const headers = t.response?.headers ?? [];
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

const headersOf = (t: Transaction) => (t.response === undefined ? NO_VALUES : pairs(t.response.headers));

export const RESPONSE_VARIABLES: readonly Variable[] = [
  scalar('RESPONSE_STATUS', (t) => t.response && String(t.response.status)),
  scalar('STATUS_LINE', (t) => t.response && `${t.response.protocol} ${t.response.status}`),
  scalar('RESPONSE_PROTOCOL', (t) => t.response?.protocol),
  scalar('RESPONSE_CONTENT_TYPE', (t) => fieldOf(t, 'content-type')),
  scalar('RESPONSE_CONTENT_LENGTH', (t) => fieldOf(t, 'content-length') ?? (t.responseBody && String(t.responseBody.length))),
  { name: 'RESPONSE_HEADERS', collection: true, stable: true, phase: 3, read: headersOf },
  { name: 'RESPONSE_HEADERS_NAMES', collection: true, stable: true, phase: 3, read: (t) => namesOf(headersOf(t)) },
  scalar('RESPONSE_BODY', (t) => t.responseBody, 4),
  scalar('OUTBOUND_DATA_ERROR', (t) => (t.outboundDataError ? '1' : '0'), 4),
];
