import net from 'node:net';
import tls from 'node:tls';
import { once } from 'node:events';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';

/** What a service does when it has read a request: bytes in pieces (latin1), and what follows the last piece. */
export interface Script {
  readonly pieces: readonly (string | Buffer)[];
  /** Default `keep`: the connection stays open and further requests on it are read. */
  readonly then?: 'keep' | 'close' | 'reset';
  /** Milliseconds before each piece but the first; 0 is a turn of the loop. Undefined: all in one write. */
  readonly pause?: number;
  /** The pieces are written over and over until the other side leaves. */
  readonly endless?: boolean;
  /** The pieces are written as soon as a connection is there, before any request. */
  readonly early?: boolean;
}

export interface Seen {
  /** Number of the connection, from 1. */
  readonly connection: number;
  /** Request line and fields, as they came. */
  readonly head: string;
  /** The bytes of the body as they came, framing included. */
  readonly body: string;
}

/**
 * A service on raw sockets that sends exactly the bytes it is told. `/right/X` is always answered well with `right X` and the
 * number of the connection in `x-connection`; any other target plays the script.
 */
export class HostileService {
  script: Script = { pieces: [] };
  readonly seen: Seen[] = [];
  /** Connections that were opened, and how many of them are still open. */
  opened = 0;
  open = 0;
  /** Called for each complete head; return true to take over: nothing more is read from the connection then. */
  onRequest: ((head: string, socket: net.Socket, held: Buffer) => boolean) | undefined;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(options: tls.TlsOptions | undefined) {
    const onSocket = (socket: net.Socket) => this.#onConnection(socket);
    this.#server = options === undefined ? net.createServer({ noDelay: true }, onSocket) : tls.createServer(options, onSocket);
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(options?: tls.TlsOptions): Promise<HostileService> {
    const service = new HostileService(options);
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** Closes every connection, as a service does that restarts. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.dropConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  /** Resolves when no connection is open any more; rejects after ten seconds. */
  async empty(): Promise<void> {
    for (let i = 0; this.open > 0; i++) {
      if (i > 2000) throw new Error(`${this.open} connections are still open`);
      await wait(5);
    }
  }

  #onConnection(socket: net.Socket): void {
    const connection = ++this.opened;
    let held = Buffer.alloc(0);
    let busy = false;
    this.open++;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.open--;
      this.#sockets.delete(socket);
    });
    let asked = false;
    const next = (): void => {
      const head = busy || asked ? undefined : readHead(held);
      if (head !== undefined) {
        asked = true;
        busy = this.onRequest?.(head, socket, held.subarray(head.length)) === true;
      }
      const request = busy ? undefined : readRequest(held);
      if (request === undefined) return;
      asked = false;
      held = held.subarray(request.end);
      this.seen.push({ connection, head: request.head, body: request.body });
      busy = true;
      void this.#answer(request.head, connection, socket).then(() => {
        busy = false;
        next();
      });
    };
    socket.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      next();
    });
    if (this.script.early === true) void play(this.script, socket);
  }

  async #answer(head: string, connection: number, socket: net.Socket): Promise<void> {
    const right = /^[A-Z]+ \/(right\/[^ ]*) /.exec(head);
    if (right === null) return play(this.script, socket);
    const body = right[1].replace('/', ' ');
    socket.write(`HTTP/1.1 200 OK\r\nX-Connection: ${connection}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }
}

async function play(script: Script, socket: net.Socket): Promise<void> {
  const pieces = script.pause === undefined ? [Buffer.concat(script.pieces.map(bytesOf))] : script.pieces.map(bytesOf);
  do {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0 || script.endless === true) await pauseFor(script.pause ?? 0);
      if (socket.destroyed || !socket.writable) return;
      socket.write(piece);
    }
  } while (script.endless === true);
  if (script.then === 'close') socket.end();
  if (script.then === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
}

const bytesOf = (piece: string | Buffer): Buffer => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);

const pauseFor = (ms: number): Promise<unknown> => (ms === 0 ? turn() : wait(ms));

function readHead(held: Buffer): string | undefined {
  const headEnd = held.indexOf('\r\n\r\n');
  return headEnd < 0 ? undefined : held.toString('latin1', 0, headEnd + 4);
}

function readRequest(held: Buffer): { head: string; body: string; end: number } | undefined {
  const head = readHead(held);
  const end = head === undefined ? -1 : bodyEnd(head, held, head.length);
  return head === undefined || end < 0 ? undefined : { head, body: held.toString('latin1', head.length, end), end };
}

function bodyEnd(head: string, held: Buffer, from: number): number {
  const length = /^content-length: (\d+)\r$/im.exec(head);
  if (length !== null) return held.length < from + Number(length[1]) ? -1 : from + Number(length[1]);
  if (!/^transfer-encoding: chunked\r$/im.test(head)) return from;
  const last = held.indexOf('0\r\n\r\n', from);
  return last < 0 ? -1 : last + 5;
}
