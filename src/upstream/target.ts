import { isIP } from 'node:net';
import type { Candidate } from './balance/balancer.ts';
import type { MakeClient, UpstreamTls, WireClient, WireClientOptions } from './client/client.ts';
import type { ServiceOptions } from './options.ts';

/** One target as the user wrote it. A name may stand for several addresses: each is an `Endpoint`. */
export interface Target {
  readonly url: string;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly weight: number;
  /** `Host` of this target: the port is left out where it is the scheme's own. */
  readonly authority: string;
  /** True when `host` is an IP address, which is never resolved. */
  readonly literal: boolean;
}

export function makeTarget(written: ServiceOptions['targets'][number]): Target {
  const url = new URL(written.url);
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const secure = url.protocol === 'https:';
  return {
    url: url.origin,
    host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    secure,
    weight: written.weight,
    authority: url.host,
    literal: isIP(host) !== 0,
  };
}

/** `127.0.0.1:80`, `[::1]:80`: as the record and the snapshot name it. */
function label(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What all wire clients of one service have in common. */
export interface ClientSettings {
  readonly make: MakeClient;
  readonly options: ServiceOptions;
  readonly tls: UpstreamTls;
}

function clientOptions(target: Target, address: string, settings: ClientSettings): WireClientOptions {
  const { options } = settings;
  return {
    kind: options.client,
    protocol: options.protocol,
    host: target.host,
    address,
    port: target.port,
    tls: target.secure ? settings.tls : undefined,
    connectTimeout: options['connect-timeout'],
    idleTimeout: options['idle-time'],
    // The service holds the cap over all addresses; a health check may come on top of it.
    maxConnections: options.connections + (options.health === undefined ? 0 : 1),
    maxHeadBytes: options['head-bytes'],
  };
}

/**
 * One address of a target with its pool and all that is known of its health. Plain fields: the request path reads and
 * counts here, `UpstreamService` decides what follows.
 */
export class Endpoint implements Candidate {
  readonly target: Target;
  readonly address: string;
  readonly weight: number;
  readonly label: string;
  client: WireClient;
  /** Calls under way, upgraded connections included. */
  active = 0;
  /** Tries and failed tries since the endpoint is there. */
  requests = 0;
  failures = 0;
  /** Failed tries in a row. */
  streak = 0;
  /** What active checks say; true without checks, and until the first one. */
  up = true;
  /** How often it was taken out in short succession, and until when it is out (0: it is in). */
  ejections = 0;
  ejectedUntil = 0;
  /** When it came back last. */
  returned = 0;
  readonly #settings: ClientSettings;
  #closed = false;

  constructor(target: Target, address: string, settings: ClientSettings) {
    this.target = target;
    this.address = address;
    this.weight = target.weight;
    this.label = label(address, target.port);
    this.#settings = settings;
    this.client = settings.make(clientOptions(target, address, settings));
  }

  /** Graceful: running calls end, nothing new is sent. */
  close(): void {
    this.#closed = true;
    this.client.close();
  }

  /** A request that still walks on a configuration that has left gets a pool for itself. */
  reopen(): void {
    if (!this.#closed) return;
    this.#closed = false;
    this.client = this.#settings.make(clientOptions(this.target, this.address, this.#settings));
  }
}
