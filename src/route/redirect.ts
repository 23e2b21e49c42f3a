import { type Answer, type Refusal, refuse } from '../exchange/decision.ts';
import type { RequestHead } from '../exchange/exchange.ts';

/** Where HTTPS is served; what is undefined is as the client asked, and port 443. */
export interface HttpsTarget {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** Everything that a Location may not hold as it is, should the query have brought it. */
const TO_ENCODE = /[^\x21-\x7e]|["<>\\^`{|}]/g;

/**
 * The answer that sends a request to the same URL under `https:`. 308 keeps the method, so a POST stays a POST; GET
 * gets it too, as every client knows it and one status is easier to understand than two. The Location is built from
 * parts that were read and found canonical, never from the raw target: it always leads to the host that was asked, or
 * the one in the configuration, and cannot hold a line break.
 */
export function redirectToHttps(head: RequestHead, target: HttpsTarget): Answer | Refusal {
  const host = target.host ?? head.host;
  if (host === '') return refuse('host-invalid', 'a request without Host cannot be redirected to HTTPS');
  const port = target.port === undefined || target.port === 443 ? '' : `:${target.port}`;
  const path = head.path.startsWith('/') ? head.path : '/';
  const query = head.query === undefined ? '' : `?${head.query.replace(TO_ENCODE, encodeByte)}`;
  return { kind: 'answer', status: 308, headers: ['location', `https://${host}${port}${path}${query}`] };
}

/** Header characters are bytes. */
function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
