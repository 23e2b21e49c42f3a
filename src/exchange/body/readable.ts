import { type Refusal, refuse } from '../decision.ts';
import { type HeaderList, headerValues } from '../headers.ts';
import { readContentType } from './content-type.ts';

/**
 * Whether a body can be read by a room at all: a room must never judge other bytes than the service will see. A content coding would
 * hide them, and two types, or one that readers take apart differently, would give them two readings.
 * @returns the refusal, or undefined
 */
export function refuseUnreadable(headers: HeaderList): Refusal | undefined {
  // All of them: behind a harmless first one may stand the one that counts.
  if (headerValues(headers, 'content-encoding').some((coding) => coding.toLowerCase() !== 'identity')) {
    return refuse('content-encoding', 'a content coding on a route where a room reads the body');
  }
  const types = headerValues(headers, 'content-type');
  if (types.length > 1) return refuse('content-type', 'two Content-Type fields');
  if (types.length === 1 && readContentType(types[0]) === undefined)
    return refuse('content-type', 'a Content-Type that cannot be read');
  return undefined;
}
