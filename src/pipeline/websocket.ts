import type { Duplex, Writable } from 'node:stream';
import { Receiver, Sender } from 'ws';
import { type Outcome, type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { MessageHook } from './plan.ts';
import type { Message } from './stage.ts';
import type { TunnelClosed, TunnelEnd } from './tunnel.ts';

/** The frame reader and writer of `ws`, which its published types leave out. */
declare module 'ws' {
  export class Receiver extends Writable {
    constructor(options: {
      isServer: boolean;
      maxPayload: number;
      maxFragments: number;
      extensions: object;
      binaryType: 'nodebuffer';
    });
  }
  export class Sender {
    constructor(socket: Duplex, extensions: object);
    send(data: Buffer, options: { binary: boolean; compress: false; fin: true; mask: boolean }): void;
    ping(data: Buffer, mask: boolean): void;
    pong(data: Buffer, mask: boolean): void;
    close(code: number | undefined, data: Buffer | undefined, mask: boolean): void;
  }
}

/** A message may come in this many frames; more is no way to write one. */
const MOST_FRAGMENTS = 1024;

/** Messages that wait while a room thinks; beyond this the sender waits too. */
const MOST_WAITING = 16;

const POLICY_VIOLATION = 1008;
const TOO_BIG = 1009;
const PROTOCOL_ERROR = 1002;
const WENT_AWAY = 1001;
const NO_CODE = 1005;

/**
 * Takes an upgraded connection apart into messages, shows each to the rooms that look at them, and writes it again on the other side:
 * what the rooms saw is what the other side gets. Compression is never negotiated on such a route. Gives back the way to end it, which tells both
 * sides that we go away.
 */
export function inspectMessages(
  x: Exchange,
  rooms: readonly MessageHook[],
  limit: number,
  client: TunnelEnd,
  service: TunnelEnd,
  closed: TunnelClosed,
): (refusal: Refusal) => void {
  const toService = new Direction(x, rooms, 'in', client.socket, service.socket, limit);
  const toClient = new Direction(x, rooms, 'out', service.socket, client.socket, limit);
  const stop = (refusal: Refusal, code: number) => {
    toService.close(code);
    toClient.close(code);
    closed(refusal);
  };
  toService.start(client.rest, stop);
  toClient.start(service.rest, stop);
  return (refusal) => stop(refusal, WENT_AWAY);
}

type Stop = (refusal: Refusal, code: number) => void;

/** How a side takes its leave. */
interface Leave {
  readonly code: number;
  readonly reason: Buffer | undefined;
}

/** One direction of the conversation. Messages leave in the order in which they came, however long a room takes. */
class Direction {
  readonly #x: Exchange;
  readonly #rooms: readonly MessageHook[];
  readonly #direction: 'in' | 'out';
  readonly #from: Duplex;
  readonly #to: Duplex;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #masks: boolean;
  readonly #limit: number;
  readonly #waiting: Message[] = [];
  #waitingBytes = 0;
  #busy = false;
  /** The side that sends has said its last, which goes on behind what waits. */
  #leave: Leave | undefined;
  #ended = false;
  #stop: Stop = () => {};

  constructor(x: Exchange, rooms: readonly MessageHook[], direction: 'in' | 'out', from: Duplex, to: Duplex, limit: number) {
    this.#x = x;
    this.#rooms = rooms;
    this.#direction = direction;
    this.#from = from;
    this.#to = to;
    this.#masks = direction === 'in';
    this.#limit = limit;
    const options = { maxPayload: limit, maxFragments: MOST_FRAGMENTS, extensions: {}, binaryType: 'nodebuffer' as const };
    this.#receiver = new Receiver({ ...options, isServer: direction === 'in' });
    this.#sender = new Sender(to, {});
  }

  start(rest: Buffer, stop: Stop): void {
    this.#stop = stop;
    const receiver = this.#receiver;
    receiver.on('message', (data: Buffer, binary: boolean) =>
      this.#take({ kind: 'websocket', direction: this.#direction, binary, data }),
    );
    receiver.on('ping', (data: Buffer) => this.#ended || this.#sender.ping(data, this.#masks));
    receiver.on('pong', (data: Buffer) => this.#ended || this.#sender.pong(data, this.#masks));
    receiver.on('conclude', (code: number, reason: Buffer) => this.#takeLeave({ code, reason }));
    receiver.on('error', (error: Error & { code?: string }) => this.#malformed(error));
    this.#from.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#from.on('end', () => this.#takeLeave({ code: WENT_AWAY, reason: undefined }));
    this.#to.on('drain', () => this.#flow());
    if (rest.length > 0) this.#read(rest);
    else this.#flow();
  }

  /** Tells the receiving side that there will be no more. */
  close(code: number, reason?: Buffer): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting.length = 0;
    // 1005 says that there was no code; it must not be sent (RFC 6455 section 7.4.1).
    if (code === NO_CODE) this.#sender.close(undefined, undefined, this.#masks);
    else this.#sender.close(code, reason, this.#masks);
    this.#to.end();
    this.#from.resume();
  }

  /** The receiver works while it is written to: when that returns, all that the bytes hold has been taken. */
  #read(chunk: Buffer): void {
    if (this.#ended || this.#leave !== undefined) return;
    this.#receiver.write(chunk);
    this.#flow();
  }

  #take(message: Message): void {
    if (this.#ended) return;
    this.#waiting.push(message);
    this.#waitingBytes += message.data.length;
    if (!this.#busy) this.#work();
  }

  #takeLeave(leave: Leave): void {
    this.#leave ??= leave;
    if (!this.#busy) this.#work();
  }

  #work(): void {
    for (let message = this.#waiting[0]; message !== undefined && !this.#ended; message = this.#waiting[0]) {
      const step = this.#judge(message, 0);
      if (step !== undefined && 'then' in step) {
        this.#wait(step, message);
        return;
      }
      if (!this.#done(message, step)) return;
    }
    if (this.#leave !== undefined) this.close(this.#leave.code, this.#leave.reason);
    this.#flow();
  }

  #wait(step: Promise<Outcome>, message: Message): void {
    this.#busy = true;
    step.then(
      (outcome) => {
        this.#busy = false;
        if (this.#done(message, outcome)) this.#work();
      },
      (fault) => {
        this.#busy = false;
        this.#done(message, this.#broken(fault));
      },
    );
  }

  /** Shows the message to the rooms from `from` on. */
  #judge(message: Message, from: number): Outcome | Promise<Outcome> {
    try {
      for (let i = from; i < this.#rooms.length; i++) {
        const step = this.#rooms[i](this.#x, message);
        if (step === undefined) continue;
        if (!('then' in step)) return step;
        return step.then((outcome) => outcome ?? this.#judge(message, i + 1));
      }
      return undefined;
    } catch (fault) {
      return this.#broken(fault);
    }
  }

  /** Sends the message on, or ends the conversation. True when it goes on. */
  #done(message: Message, outcome: Outcome): boolean {
    if (this.#ended) return false;
    this.#waiting.shift();
    this.#waitingBytes -= message.data.length;
    if (outcome !== undefined) {
      this.#stop(outcome.kind === 'refusal' ? outcome : refuse('internal', 'a room answered a message'), POLICY_VIOLATION);
      return false;
    }
    this.#sender.send(message.data, { binary: message.binary, compress: false, fin: true, mask: this.#masks });
    return true;
  }

  #broken(fault: unknown): Refusal {
    this.#x.fault = fault;
    return refuse('internal', 'an exception in a room that looks at messages');
  }

  /** Whoever sends waits while the other side does not read, and while much waits for a room. What nobody wants any more flows off. */
  #flow(): void {
    const full = this.#waiting.length > MOST_WAITING || this.#waitingBytes > this.#limit;
    if (!this.#ended && (full || this.#to.writableNeedDrain)) this.#from.pause();
    else this.#from.resume();
  }

  #malformed(error: Error & { code?: string }): void {
    const tooBig = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    const refusal = tooBig
      ? refuse('message-too-large', 'a message larger than a room reads')
      : refuse('message-malformed', 'a frame that is not WebSocket');
    this.#stop(refusal, tooBig ? TOO_BIG : PROTOCOL_ERROR);
  }
}
