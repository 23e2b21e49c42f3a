import { randomFillSync } from 'node:crypto';
import type { HeaderList } from './headers.ts';

/** What is continued of the client's trace, or begun. */
export interface Trace {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** `01` when the client sampled its trace, else `00`. */
  readonly flags: string;
  /** True when `traceId` is the client's: then its `tracestate` goes on too. */
  readonly continued: boolean;
}

// W3C Trace Context, version 00, and nothing behind it: a later version may mean something else by the same bytes.
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);

/** The trace of a request: the client's when it sent exactly one valid `traceparent`, else a new one that nobody samples. */
export function traceOf(headers: HeaderList): Trace {
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'traceparent') continue;
    if (value !== undefined) return newTrace();
    value = headers[i + 1];
  }
  return (value === undefined ? undefined : readTraceparent(value)) ?? newTrace();
}

/** Reads a `traceparent`; undefined when it is not a valid one of version 00. */
export function readTraceparent(value: string): Trace | undefined {
  const match = TRACEPARENT.exec(value);
  if (match === null || match[1] === ZERO_TRACE || match[2] === ZERO_SPAN) return undefined;
  return { traceId: match[1], flags: (Number.parseInt(match[3], 16) & 1) === 1 ? '01' : '00', continued: true };
}

function newTrace(): Trace {
  return { traceId: newTraceId(), flags: '00', continued: false };
}

// Visible ASCII and blanks, at most 512 characters: more need not be passed on (W3C Trace Context section 3.3.1.1).
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** The client's `tracestate` as one value, or undefined when there is none that may go on. */
export function tracestateOf(headers: HeaderList): string | undefined {
  let joined: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'tracestate') joined = joined === undefined ? headers[i + 1] : `${joined},${headers[i + 1]}`;
  }
  return joined !== undefined && TRACESTATE.test(joined) ? joined : undefined;
}

const POOL_BYTES = 2048;

/**
 * Random digits fetched many at a time: one call into the system per hundred identifiers instead of one for each. The pool is
 * small, because an identifier that lives long keeps the text it was cut from.
 */
class RandomPool {
  readonly #bytes = Buffer.allocUnsafeSlow(POOL_BYTES);
  #digits = '';
  #used = 0;

  /** `count` unguessable lower-case hexadecimal digits. No digit is ever used twice. */
  hex(count: number): string {
    if (this.#used + count > this.#digits.length) {
      this.#digits = randomFillSync(this.#bytes).toString('hex');
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += count;
    return this.#digits.slice(from, this.#used);
  }
}

const pool = new RandomPool();

/** An unguessable identifier of 32 hexadecimal digits, for the record, the service and the problem body. */
export function newRequestId(): string {
  return pool.hex(32);
}

/** 32 hexadecimal digits, never all zero. */
export function newTraceId(): string {
  const id = pool.hex(32);
  return id === ZERO_TRACE ? newTraceId() : id;
}

/** 16 hexadecimal digits, never all zero: names the gateway's own call to the service. */
export function newSpanId(): string {
  const id = pool.hex(16);
  return id === ZERO_SPAN ? newSpanId() : id;
}
