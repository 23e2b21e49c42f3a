import { type Address, formatAddress } from './values.ts';

/**
 * Why an address could not be opened, in words that say what to do; the code of the system stays at hand.
 *
 * @param who - who has the address, where that is known
 */
export function openError(what: string, address: Address, error: unknown, who = ''): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = REASONS[code ?? '']?.(address, who === '' ? 'by another program' : who) ?? message;
  return Object.assign(new Error(`${what} cannot be opened: ${reason}`, { cause: error }), { code });
}

const REASONS: Record<string, (address: Address, who: string) => string> = {
  EADDRINUSE: (address, who) => `${formatAddress(address)} is taken ${who} (EADDRINUSE)`,
  EADDRNOTAVAIL: ({ host }) => `${host} is no address of this machine (EADDRNOTAVAIL)`,
  EACCES: (address) =>
    `${formatAddress(address)} may not be opened (EACCES): ports below 1024 are for root, or for who has CAP_NET_BIND_SERVICE`,
};
