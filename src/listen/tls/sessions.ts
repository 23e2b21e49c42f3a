import { createHash, hkdfSync } from 'node:crypto';

/** How long one key seals tickets. Resumption across a change costs a full handshake, nothing more. */
export const TICKET_PERIOD = 12 * 3600_000;

/**
 * The key under which tickets of sessions of this name are sealed now. All workers come to the same keys without a word between them,
 * also when the period changes.
 */
export function ticketKeys(secret: Buffer, name: string, now: number): Buffer {
  const info = `portcullis session tickets ${Math.floor(now / TICKET_PERIOD)}`;
  return Buffer.from(hkdfSync('sha256', secret, name, info, 48));
}

/** OpenSSL takes at most 32 bytes. */
export function sessionIdContext(name: string): string {
  return createHash('sha256').update(`portcullis ${name}`).digest('hex').slice(0, 32);
}
