import { type AddressInfo, createServer, type Server } from 'node:net';
import type { GatewayOptions } from '../config/schema.ts';

type Listeners = GatewayOptions['listeners'];

/**
 * The ports of listeners that leave the choice to the system (port 0). With several processes it is made once, here: a worker that begins
 * later has to find the ports that the others have, and that the ready line has told.
 */
export class PortPins {
  readonly #pins = new Map<string, number>();

  /** The same options with a port wherever there was none. */
  async pin(options: GatewayOptions): Promise<GatewayOptions> {
    const open = Object.entries(options.listeners).filter(([, listener]) => listener.address.port === 0);
    await this.#choose(open.map(([name, listener]) => ({ key: keyOf(name, listener), host: listener.address.host })));
    const listeners: Listeners = { ...options.listeners };
    for (const [name, listener] of open) listeners[name] = this.#withPort(name, listener);
    return { ...options, listeners };
  }

  #withPort(name: string, listener: Listeners[string]): Listeners[string] {
    const port = this.#pins.get(keyOf(name, listener)) as number;
    return { ...listener, address: { ...listener.address, port } };
  }

  /** All are held until the last is chosen, so that no two are the same. */
  async #choose(wanted: readonly { key: string; host: string }[]): Promise<void> {
    const servers: Server[] = [];
    try {
      for (const { key, host } of wanted.filter((one) => !this.#pins.has(one.key))) {
        const server = createServer();
        servers.push(server);
        this.#pins.set(key, await freePort(server, host));
      }
    } finally {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    }
  }
}

function keyOf(name: string, listener: Listeners[string]): string {
  return `${listener.address.host} ${name}`;
}

function freePort(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: 0, exclusive: true }, () => resolve((server.address() as AddressInfo).port));
  });
}
