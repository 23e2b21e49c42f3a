import type http from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** What a request is looked at for, one question at a time. `server.ts` and `entry.ts` say in which order. */

/**
 * DNS rebinding brings a name of the attacker's; so the name decides, and the port (another one behind a tunnel or a
 * container's mapping) does not. The address that the connection came in on is always right: nobody rebinds a number.
 */
export function hostAllowed(names: ReadonlySet<string>, request: http.IncomingMessage): boolean {
  const fields = request.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  const match = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/.exec((request.headers.host ?? '').toLowerCase());
  if (fields.length !== 1 || match === null) return false;
  return names.has(match[1]) || match[1] === localName(request.socket);
}

function localName(socket: Socket): string {
  const local = socket.localAddress ?? '';
  return bracketed(local.startsWith('::ffff:') ? local.slice(7) : local);
}

export function bracketed(host: string): string {
  return host.includes(':') ? `[${host.toLowerCase()}]` : host;
}

/** Absent for programs; `none` for a person who typed the address. A page of another port is `same-site`: foreign as well. */
export function pageAllowed(site: string | string[] | undefined): boolean {
  return site === undefined || site === 'none' || site === 'same-origin';
}

/**
 * What changes something must come from our own page: browsers say `Origin` with every POST, and no page can make them lie. Before a
 * listener without TLS there may be somebody who has it, so that `https` is right there too.
 */
export function originIsOurs(request: http.IncomingMessage): boolean {
  const { origin } = request.headers;
  const host = (request.headers.host ?? '').toLowerCase();
  if (typeof origin !== 'string') return false;
  return origin.toLowerCase() === `https://${host}` || (!isSecure(request) && origin.toLowerCase() === `http://${host}`);
}

/** TLS on this connection itself. */
export function isSecure(request: http.IncomingMessage): boolean {
  return (request.socket as Partial<TLSSocket>).encrypted === true;
}

/** The token of `Authorization: Bearer …`; undefined: something else stands there. */
export function bearerOf(authorization: string): string | undefined {
  return /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1];
}
