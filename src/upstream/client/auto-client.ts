import type { TLSSocket } from 'node:tls';
import type { AnswerSink, Call, CallHandle } from '../../exchange/service.ts';
import type { UpstreamTls, WireClient, WireClientOptions } from './client.ts';
import { H2Pool } from './h2-pool.ts';
import { TlsConnector } from './tls-connect.ts';

/** A call that waits for the protocol to be known, and then passes its handle on. */
class WaitingCall implements CallHandle {
  readonly call: Call;
  readonly answer: AnswerSink;
  readonly fresh: boolean;
  over = false;
  handle: CallHandle | undefined;

  constructor(call: Call, answer: AnswerSink, fresh: boolean) {
    this.call = call;
    this.answer = answer;
    this.fresh = fresh;
  }

  resume(): void {
    this.handle?.resume();
  }

  cancel(): void {
    this.over = true;
    this.handle?.cancel();
  }
}

/**
 * HTTP/2 or HTTP/1.1, as ALPN says. The first connection finds out; when it speaks HTTP/2 it is used, otherwise the HTTP/1.1
 * client opens its own. Upgrades always go over HTTP/1.1, as with browsers.
 */
export class AutoClient implements WireClient {
  readonly #options: WireClientOptions;
  readonly #tls: TlsConnector;
  readonly #h1: WireClient;
  readonly #h2: H2Pool;
  #chosen: WireClient | undefined;
  #waiting: WaitingCall[] = [];
  #probe: TLSSocket | undefined;
  #closed = false;

  constructor(options: WireClientOptions, tls: UpstreamTls, h1: WireClient) {
    this.#options = options;
    this.#tls = new TlsConnector(options, tls);
    this.#h1 = h1;
    this.#h2 = new H2Pool(options);
    this.#h2.onOtherProtocol = () => {
      this.#chosen = undefined;
    };
  }

  get active(): number {
    return this.#waiting.length + this.#h1.active + this.#h2.active;
  }

  get connections(): number {
    return (this.#probe === undefined ? 0 : 1) + this.#h1.connections + this.#h2.connections;
  }

  send(call: Call, answer: AnswerSink, fresh: boolean): CallHandle {
    if (call.upgrade) return this.#h1.send(call, answer, fresh);
    if (this.#chosen !== undefined || this.#closed) return (this.#chosen ?? this.#h1).send(call, answer, fresh);
    const waiting = new WaitingCall(call, answer, fresh);
    this.#waiting.push(waiting);
    if (this.#probe === undefined) this.#ask();
    return waiting;
  }

  dropIdle(): boolean {
    return this.#h2.dropIdle() || (this.#h1.dropIdle?.() ?? false);
  }

  close(): void {
    this.#closed = true;
    this.#h1.close();
    this.#h2.close();
    if (this.#waiting.length === 0) this.#probe?.destroy();
  }

  #ask(): void {
    const socket = this.#tls.open(['h2', 'http/1.1']);
    const timer = setTimeout(
      () => socket.destroy(new Error('no connection within the time to connect')),
      this.#options.connectTimeout,
    );
    let reason = 'the service closed the connection';
    this.#probe = socket;
    const onError = (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message;
    };
    const onClose = () => {
      clearTimeout(timer);
      this.#fail(reason);
    };
    socket.on('error', onError).once('close', onClose);
    socket.once('secureConnect', () => {
      if (!this.#tls.accept(socket)) {
        socket.destroy(new Error('no certificate of the chain is pinned'));
        return;
      }
      clearTimeout(timer);
      socket.off('close', onClose);
      this.#choose(socket);
    });
  }

  #choose(socket: TLSSocket): void {
    this.#probe = undefined;
    const isH2 = socket.alpnProtocol === 'h2';
    if (isH2 && !this.#closed) this.#h2.adopt(socket);
    else socket.destroy();
    this.#chosen = isH2 ? this.#h2 : this.#h1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (!one.over) one.handle = this.#chosen.send(one.call, one.answer, one.fresh);
    }
  }

  #fail(reason: string): void {
    this.#probe = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (one.over) continue;
      one.over = true;
      one.answer.onFault({ code: 'upstream-connect', reason, untouched: true });
    }
  }
}
