import type { Duplex } from 'node:stream';
import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { RoutePlan } from './plan.ts';

/** One end of an upgraded connection, with the bytes that were read behind its head. */
export interface TunnelEnd {
  readonly socket: Duplex;
  readonly rest: Buffer;
}

/** Called once, when both ends are closed. */
export type TunnelClosed = (refusal: Refusal | undefined) => void;

/** An upgraded connection under way. */
export interface Tunnel {
  /** Both ends are told why it ends: its messages are read, so that one of ours can stand between two of theirs. */
  readonly polite: boolean;
  end(refusal: Refusal): void;
}

/**
 * Joins the two ends of an upgraded connection. Byte for byte where no room looks at messages, otherwise message by message.
 */
export function openTunnel(x: Exchange, plan: RoutePlan, client: TunnelEnd, service: TunnelEnd, closed: TunnelClosed): Tunnel {
  const once = closeTogether(client.socket, service.socket, closed);
  count(x, client, service);
  if (plan.messages === undefined) {
    if (service.rest.length > 0) client.socket.write(service.rest);
    if (client.rest.length > 0) service.socket.write(client.rest);
    client.socket.pipe(service.socket);
    service.socket.pipe(client.socket);
    return { polite: false, end: once };
  }
  return { polite: true, end: plan.messages.inspect(x, plan.message, plan.messages.limit, client, service, once) };
}

/** An end that is to close gets this long to do so. */
const CLOSING_MS = 1000;

/** When one end goes, the other goes, when it has taken what is on its way; an error of either is nothing but its end. */
function closeTogether(client: Duplex, service: Duplex, closed: TunnelClosed): TunnelClosed {
  let open = 2;
  let reason: Refusal | undefined;
  const gone = (other: Duplex) => {
    open--;
    if (open === 0) closed(reason);
    else {
      endSoon(other);
      // What it still says has nobody to go to; unread, it would hold up the end.
      other.resume();
    }
  };
  client.on('error', () => client.destroy());
  service.on('error', () => service.destroy());
  client.once('close', () => gone(service));
  service.once('close', () => gone(client));
  return (refusal) => {
    reason ??= refusal;
    endSoon(client);
    endSoon(service);
  };
}

/** A side that does not close its half, or does not take what is on its way, must not hold the exchange for ever. */
function endSoon(end: Duplex): void {
  end.end();
  setTimeout(() => end.destroy(), CLOSING_MS).unref();
}

function count(x: Exchange, client: TunnelEnd, service: TunnelEnd): void {
  x.requestBytes += client.rest.length;
  x.responseBytes += service.rest.length;
  client.socket.on('data', (chunk: Buffer) => {
    x.requestBytes += chunk.length;
  });
  service.socket.on('data', (chunk: Buffer) => {
    x.responseBytes += chunk.length;
  });
  client.socket.pause();
  service.socket.pause();
}
