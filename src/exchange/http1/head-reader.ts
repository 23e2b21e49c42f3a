import type { CatalogueCode } from '../decision.ts';
import type { HeaderList } from '../headers.ts';
import { COLON, CR, hexValue, isFieldByte, isTargetByte, isToken, LF, SPACE, TAB } from './bytes.ts';
import { lowerCaseName } from './field-names.ts';

/** Requests and answers have a first line of their own; trailers are field lines only. */
export type HeadKind = 'request' | 'answer' | 'trailers';

/** Bounds on a head. All in bytes but `fields`. */
export interface HeadBounds {
  readonly target: number;
  /** Field lines together, without the first line. */
  readonly head: number;
  readonly fields: number;
}

/** What `read` gives back where it is not the position behind the head. */
export const INCOMPLETE = -1;
export const MALFORMED = -2;

const LONGEST_METHOD = 32;
const VERSION_LENGTH = 'HTTP/1.1'.length;
/** The first byte of a TLS record that begins a handshake. */
const TLS_HANDSHAKE = 0x16;

/**
 * The strict reader of HTTP/1 heads (RFC 9112), the same code for requests from clients and for answers of services.
 *
 * It accepts a subset of what llhttp accepts and reads that the same way (a differential test holds this): CRLF only, single spaces in
 * the first line, no folding, no white space around names, no control characters. Whatever is not plainly well-formed is refused.
 * One instance serves a connection; its fields hold the last head that was read.
 */
export class HeadReader {
  /** Requests: the method as written. */
  method = '';
  /** Requests: the target as written. */
  target = '';
  version: '1.0' | '1.1' = '1.1';
  /** Answers: the status code. */
  status = 0;
  headers: HeaderList = [];
  /** Why the head was refused, after MALFORMED. */
  code: CatalogueCode = 'request-line';
  reason = '';

  readonly #kind: HeadKind;
  readonly #bounds: HeadBounds;

  constructor(kind: HeadKind, bounds: HeadBounds) {
    this.#kind = kind;
    this.#bounds = bounds;
  }

  /**
   * Reads one head from `bytes` between `from` and `to`.
   * @returns the position behind the head's empty line, INCOMPLETE, or MALFORMED (see `code` and `reason`)
   */
  read(bytes: Buffer, from: number, to: number): number {
    this.method = '';
    this.target = '';
    this.version = '1.1';
    const longest = this.#bounds.target + this.#bounds.head + LONGEST_METHOD + VERSION_LENGTH + 8;
    const limit = Math.min(to, from + longest);
    const text = bytes.toString('latin1', from, limit);
    const fields = this.#firstLine(bytes, text, from, limit);
    return fields < 0 ? fields : this.#fields(bytes, text, from, fields, limit);
  }

  #firstLine(bytes: Buffer, text: string, from: number, to: number): number {
    if (this.#kind === 'request') return this.#requestLine(bytes, text, from, to);
    return this.#kind === 'answer' ? this.#statusLine(bytes, text, from, to) : from;
  }

  /** request-line = method SP request-target SP HTTP-version CRLF (RFC 9112 section 3) */
  #requestLine(bytes: Buffer, text: string, from: number, to: number): number {
    let at = from;
    while (at < to && isToken[bytes[at]] === 1) at++;
    if (at - from > LONGEST_METHOD) return this.#refuse('method-unknown', 'the method is longer than any known one');
    if (at === to) return INCOMPLETE;
    if (at === from && bytes[at] === TLS_HANDSHAKE) return this.#refuse('protocol-error', 'TLS on a plain port');
    if (at === from || bytes[at] !== SPACE) return this.#refuse('request-line', 'no method and single space at the beginning');
    this.method = text.slice(0, at - from);
    const targetAt = ++at;
    while (at < to && isTargetByte[bytes[at]] === 1) at++;
    if (at - targetAt > this.#bounds.target) return this.#refuse('target-too-long', 'the target is longer than target-bytes');
    this.target = text.slice(targetAt - from, at - from);
    if (at === to) return INCOMPLETE;
    if (at > targetAt && (bytes[at] === CR || bytes[at] === LF))
      return this.#refuseVersion('the request line has no HTTP version');
    if (bytes[at] !== SPACE || at === targetAt) return this.#refuse(...odd(at === targetAt));
    return this.#version(bytes, text, from, at + 1, to);
  }

  #version(bytes: Buffer, text: string, from: number, at: number, to: number): number {
    const end = at + VERSION_LENGTH;
    if (end + 2 > to) {
      const part = text.slice(at - from);
      return couldBeVersion(part) ? INCOMPLETE : this.#refuseVersion('no HTTP version and CRLF behind the target');
    }
    if (bytes[end] !== CR || bytes[end + 1] !== LF) return this.#refuseVersion('no HTTP version and CRLF behind the target');
    return this.#takeVersion(text.slice(at - from, end - from)) ? end + 2 : MALFORMED;
  }

  #takeVersion(word: string): boolean {
    if (word === 'HTTP/1.1' || word === 'HTTP/1.0') {
      this.version = word === 'HTTP/1.1' ? '1.1' : '1.0';
      return true;
    }
    if (this.method === 'PRI') this.#refuse('protocol-error', 'an HTTP/2 preface without TLS');
    else if (/^HTTP\/\d\.\d$/.test(word)) this.#refuse('http-version', 'the HTTP version is not 1.0 or 1.1');
    else this.#refuseVersion('the third word is not an HTTP version');
    return false;
  }

  #refuseVersion(reason: string): number {
    if (this.method === 'PROXY') return this.#refuse('protocol-error', 'a PROXY header that is not expected');
    return this.#refuse('request-line', reason);
  }

  /** status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF (RFC 9112 section 4); the second SP may be missing. */
  #statusLine(bytes: Buffer, text: string, from: number, to: number): number {
    const digits = from + VERSION_LENGTH + 1;
    const start = text.slice(0, VERSION_LENGTH + 1);
    if (to < digits + 4) {
      // What is no answer (a TLS alert, another protocol) is refused at once, not when enough of it has come.
      if ('HTTP/1.1 '.startsWith(start) || 'HTTP/1.0 '.startsWith(start)) return INCOMPLETE;
      return this.#refuse('upstream-malformed', 'the status line is malformed');
    }
    if (start !== 'HTTP/1.1 ' && start !== 'HTTP/1.0 ') return this.#refuse('upstream-malformed', 'the status line is malformed');
    this.version = start === 'HTTP/1.1 ' ? '1.1' : '1.0';
    this.status = threeDigits(bytes, digits);
    let at = digits + 3;
    if (this.status < 100 || (bytes[at] !== SPACE && bytes[at] !== CR))
      return this.#refuse('upstream-malformed', 'the status code is malformed');
    while (at < to && isFieldByte[bytes[at]] === 1) at++;
    return this.#lineEnd(bytes, at, to, 'the status line');
  }

  /** *( field-line CRLF ) CRLF (RFC 9112 section 5) */
  #fields(bytes: Buffer, text: string, from: number, start: number, to: number): number {
    const headers: HeaderList = [];
    this.headers = headers;
    const most = Math.min(to, start + this.#bounds.head + 2);
    let at = start;
    while (at < most && bytes[at] !== CR) {
      const nameAt = at;
      while (at < most && isToken[bytes[at]] === 1) at++;
      if (at === most) return this.#unfinished(start, to);
      if (at === nameAt || bytes[at] !== COLON)
        return this.#refuse('header-invalid', 'a field line does not begin with a name and a colon');
      const nameEnd = at++;
      while (at < most && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
      const valueAt = at;
      while (at < most && isFieldByte[bytes[at]] === 1) at++;
      let valueEnd = at;
      while (valueEnd > valueAt && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--;
      const name = lowerCaseName(text.slice(nameAt - from, nameEnd - from));
      // Anything but one space before the value and none behind it is rare enough to look at again.
      const blanks = valueAt - nameEnd > 2 || valueEnd < at || bytes[valueAt - 1] === TAB;
      if (blanks && this.#kind === 'request' && isFraming(name) && hasTab(bytes, nameEnd, valueAt, valueEnd, at)) {
        return this.#refuse('body-framing', 'a tab around the value of a framing field');
      }
      at = this.#lineEnd(bytes, at, most, 'a field line');
      if (at < 0) return at === MALFORMED ? MALFORMED : this.#unfinished(start, to);
      if (headers.length === this.#bounds.fields * 2) return this.#refuse('headers-too-large', 'more fields than head-count');
      headers.push(name, text.slice(valueAt - from, valueEnd - from));
    }
    const end = this.#lineEnd(bytes, at, most, 'the head');
    return end === INCOMPLETE ? this.#unfinished(start, to) : end;
  }

  /** The field lines do not end within what is there: more has to come, unless the bound is reached already. */
  #unfinished(start: number, to: number): number {
    if (to - start < this.#bounds.head + 2) return INCOMPLETE;
    return this.#refuse('headers-too-large', 'the head is larger than head-bytes');
  }

  #lineEnd(bytes: Buffer, at: number, to: number, what: string): number {
    if (at >= to) return INCOMPLETE;
    if (bytes[at] !== CR) return this.#refuse('header-invalid', `a bare LF or a control character in ${what}`);
    if (at + 1 >= to) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return this.#refuse('header-invalid', `a bare CR in ${what}`);
    return at + 2;
  }

  #refuse(code: CatalogueCode, reason: string): number {
    this.code = this.#kind === 'answer' ? 'upstream-malformed' : code;
    this.reason = reason;
    return MALFORMED;
  }
}

/** True when one of the blanks around a value is a tab. */
function hasTab(bytes: Buffer, nameEnd: number, valueAt: number, valueEnd: number, end: number): boolean {
  for (let at = nameEnd; at < valueAt; at++) if (bytes[at] === TAB) return true;
  for (let at = valueEnd; at < end; at++) if (bytes[at] === TAB) return true;
  return false;
}

/** Tabs may stand around any value, but not every reader takes them away, and then `chunked` is not `chunked`. */
function isFraming(name: string): boolean {
  return name === 'transfer-encoding' || name === 'content-length';
}

/** What stands where the target should end: nothing, or a byte that no target has. */
function odd(empty: boolean): [CatalogueCode, string] {
  if (empty) return ['request-line', 'no target behind the method and a single space'];
  return ['target-invalid', 'a byte in the target that is not visible ASCII'];
}

/** True while more bytes can still make `part` a version and CRLF, so that nonsense is refused before its line ends. */
function couldBeVersion(part: string): boolean {
  return /^(?:H(?:T(?:T(?:P(?:\/(?:\d(?:\.(?:\d\r?)?)?)?)?)?)?)?)?$/.test(part);
}

function threeDigits(bytes: Buffer, at: number): number {
  const [a, b, c] = [hexValue[bytes[at]], hexValue[bytes[at + 1]], hexValue[bytes[at + 2]]];
  return a > 9 || b > 9 || c > 9 ? 0 : a * 100 + b * 10 + c;
}
