import type { HeaderList } from '../../exchange/headers.ts';

/** How an answer's body ends (RFC 9112 section 6.3). */
export const NO_BODY = 0;
export const BY_LENGTH = 1;
export const BY_CHUNKS = 2;
export const BY_CLOSE = 3;
export type BodyKind = typeof NO_BODY | typeof BY_LENGTH | typeof BY_CHUNKS | typeof BY_CLOSE;

/** Never a numeric parser for framing: `+3`, `0x3`, `3, 3` and ` 3` are refused (CVE-2021-32715). */
const LENGTH = /^\d{1,15}$/;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,;\s])timeout=(\d{1,9})(?:$|[,;\s])/i;

/** The head of an answer, as far as its framing is concerned: a HeadReader is one. */
export interface AnswerHead {
  readonly status: number;
  readonly version: '1.0' | '1.1';
  /** Framing fields are taken out, in place. */
  readonly headers: HeaderList;
}

/**
 * What the head of an answer says about its body and its connection. The strict half of the client: an answer whose
 * length has two readings is refused, and with it the connection. One instance serves a connection.
 */
export class AnswerFraming {
  kind: BodyKind = NO_BODY;
  /** The declared length, also where no body follows (HEAD, 304). */
  length: number | undefined;
  /** The connection may serve another call. */
  keep = false;
  /** Milliseconds for which the service said it keeps an idle connection; Infinity when it did not say. */
  keepAlive = Infinity;
  /** Tokens of `Upgrade`, as written. */
  upgrade = '';
  /** Why the answer was refused. */
  reason = '';

  #length: string | undefined;
  #coding: string | undefined;
  #connection = '';
  #doubled = false;

  /** Reads the framing and takes its fields out of `head.headers`. False: refused, see `reason`. */
  read(head: AnswerHead, toHead: boolean): boolean {
    this.#length = undefined;
    this.#coding = undefined;
    this.#connection = '';
    this.#doubled = false;
    this.keepAlive = Infinity;
    this.upgrade = '';
    this.#takeOut(head.headers);
    this.keep = head.version === '1.1';
    if (this.#connection !== '') this.#connectionOptions(head.headers);
    return this.#decide(head, toHead);
  }

  /** One pass, in place: framing fields leave the list. Length first, so that most names cost one comparison of numbers. */
  #takeOut(headers: HeaderList): void {
    let kept = 0;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      if (mayFrame(name.length) && this.#take(name, headers[i + 1])) continue;
      if (kept !== i) {
        headers[kept] = name;
        headers[kept + 1] = headers[i + 1];
      }
      kept += 2;
    }
    if (kept !== headers.length) headers.length = kept;
  }

  #take(name: string, value: string): boolean {
    switch (name) {
      case 'content-length':
        if (this.#length !== undefined) this.#doubled = true;
        this.#length = value;
        return true;
      case 'transfer-encoding':
        if (this.#coding !== undefined) this.#doubled = true;
        this.#coding = value;
        return true;
      case 'connection':
        this.#connection = this.#connection === '' ? value : `${this.#connection},${value}`;
        return true;
      case 'keep-alive':
        this.#keepAliveField(value);
        return true;
      case 'upgrade':
        this.upgrade = this.upgrade === '' ? value : `${this.upgrade},${value}`;
        return true;
      case 'te':
      case 'trailer':
      case 'proxy-connection':
        return true;
      default:
        return false;
    }
  }

  #keepAliveField(value: string): void {
    const timeout = KEEP_ALIVE_TIMEOUT.exec(value);
    if (timeout !== null) this.keepAlive = Number(timeout[1]) * 1000;
  }

  #connectionOptions(headers: HeaderList): void {
    const whole = this.#connection.toLowerCase();
    if (whole === 'keep-alive') this.keep = true;
    else if (whole === 'close') this.keep = false;
    else this.#connectionList(whole, headers);
  }

  /** Fields that `Connection` names belong to this hop only (RFC 9110 section 7.6.1). */
  #connectionList(whole: string, headers: HeaderList): void {
    const options = new Set(whole.split(',').map((option) => option.trim()));
    if (options.has('keep-alive')) this.keep = true;
    if (options.has('close')) this.keep = false;
    let kept = 0;
    for (let i = 0; i < headers.length; i += 2) {
      if (options.has(headers[i])) continue;
      headers[kept++] = headers[i];
      headers[kept++] = headers[i + 1];
    }
    headers.length = kept;
  }

  #decide(head: AnswerHead, toHead: boolean): boolean {
    this.length = undefined;
    if (this.#doubled) return this.#refuse('Content-Length or Transfer-Encoding is there twice');
    if (this.#coding !== undefined && !this.#codingIsChunked(head)) return false;
    if (this.#length !== undefined) {
      if (!LENGTH.test(this.#length)) return this.#refuse('Content-Length is not a plain number');
      this.length = Number(this.#length);
    }
    if (toHead || head.status === 204 || head.status === 304) return this.#withoutBody(toHead, head.status);
    if (this.#coding !== undefined) this.kind = BY_CHUNKS;
    else if (this.length !== undefined) this.kind = this.length === 0 ? NO_BODY : BY_LENGTH;
    else {
      this.kind = BY_CLOSE;
      this.keep = false;
    }
    return true;
  }

  #codingIsChunked(head: AnswerHead): boolean {
    if (this.#length !== undefined) return this.#refuse('Content-Length and Transfer-Encoding are both there');
    if (head.version === '1.0') return this.#refuse('Transfer-Encoding in HTTP/1.0');
    return this.#coding?.toLowerCase() === 'chunked' || this.#refuse('Transfer-Encoding is not chunked');
  }

  /** A 204 that declares content has two readings: nothing is read, and the connection is not used again. */
  #withoutBody(toHead: boolean, status: number): boolean {
    this.kind = NO_BODY;
    if (!toHead && status === 204) {
      if (this.#coding !== undefined || (this.length ?? 0) > 0) this.keep = false;
      this.length = undefined;
    }
    return true;
  }

  #refuse(reason: string): false {
    this.reason = reason;
    return false;
  }
}

function mayFrame(length: number): boolean {
  return length === 14 || length === 17 || length === 10 || length === 7 || length === 2 || length === 16;
}
