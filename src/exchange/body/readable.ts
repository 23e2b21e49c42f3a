import { type Refusal, refuse } from '../decision.ts';
import { type HeaderList, headerValue, headerValues } from '../headers.ts';

/**
 * Whether a body can be read by a room at all: a room must never judge other bytes than the service will see. A content coding would
 * hide them, and two types would give them two readings.
 * @returns the refusal, or undefined
 */
export function refuseUnreadable(headers: HeaderList): Refusal | undefined {
  const coding = headerValue(headers, 'content-encoding');
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    return refuse('content-encoding', 'a content coding on a route where a room reads the body');
  }
  if (headerValues(headers, 'content-type').length > 1) return refuse('content-type', 'two Content-Type fields');
  return undefined;
}
