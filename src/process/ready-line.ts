import type { AddressInfo } from 'node:net';
import type { GatewayOptions } from '../config/schema.ts';

/** The one line on standard output that says that the gateway serves, and where. Programs wait for its first two words. */
export function readyLine(options: GatewayOptions, addresses: Record<string, AddressInfo>, admin: string | undefined): string {
  const listeners = Object.entries(addresses).map(([name, address]) => {
    const scheme = options.listeners[name].tls === 'none' ? 'http' : 'https';
    return `${name}=${scheme}://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  });
  return ['portcullis ready', ...listeners, ...(admin === undefined ? [] : [`admin=${admin}`])].join(' ');
}
