import type { Transformation } from '../transformation.ts';

/**
 * Rewrites `bytes` from `start` to `end` where they stand and says the new end, never beyond the old one. What is before `start` it does
 * not touch. Linear.
 */
export type Rewrite = (bytes: Uint8Array, start: number, end: number) => number;

interface RewriteParts {
  readonly name: string;
  readonly triggers: Uint8Array;
  readonly introduces: Uint8Array | undefined;
  /** Found in every value that changes: for bytes that often stand there and mostly mean nothing, such as single spaces and slashes. */
  readonly changes?: RegExp;
  readonly rewrite: Rewrite;
}

/** Up to this many triggers are looked for one by one: V8 finds one byte at many bytes per nanosecond. */
const FEW = 3;
/** Values up to here are rewritten in a buffer that is kept; a decoder is synchronous, so one is enough for all. */
const KEPT = 1 << 17;
const kept = Buffer.allocUnsafeSlow(KEPT);

/** A buffer of at least `size` bytes that is the caller's until it returns. Its content is anything. */
export function scratch(size: number): Buffer {
  return size <= KEPT ? kept : Buffer.allocUnsafe(size);
}

/** A transformation that never makes a value longer: its bytes are rewritten in place, and only behind a byte that triggers it. */
export class RewriteTransformation implements Transformation {
  readonly name: string;
  readonly triggers: Uint8Array;
  readonly introduces: Uint8Array | undefined;
  readonly rewrite: Rewrite;
  readonly #few: readonly string[] | undefined;
  readonly #changes: RegExp | undefined;

  constructor(parts: RewriteParts) {
    this.name = parts.name;
    this.triggers = parts.triggers;
    this.introduces = parts.introduces;
    this.rewrite = parts.rewrite;
    this.#few = fewBytes(parts.triggers);
    this.#changes = parts.changes;
  }

  apply(value: string): string {
    if (!this.#mayChange(value)) return value;
    const { length } = value;
    const buffer = scratch(length);
    buffer.write(value, 0, length, 'latin1');
    const end = this.rewrite(buffer, 0, length);
    const result = buffer.toString('latin1', 0, end);
    return end === length && result === value ? value : result;
  }

  #mayChange(value: string): boolean {
    const triggered = this.#few === undefined ? holdsAny(value, this.triggers) : holdsOneOf(value, this.#few);
    return triggered && (this.#changes === undefined || this.#changes.test(value));
  }
}

function holdsOneOf(value: string, bytes: readonly string[]): boolean {
  for (const byte of bytes) if (value.includes(byte)) return true;
  return false;
}

function holdsAny(value: string, table: Uint8Array): boolean {
  for (let i = 0; i < value.length; i++) if (table[value.charCodeAt(i)] !== 0) return true;
  return false;
}

function fewBytes(table: Uint8Array): readonly string[] | undefined {
  const bytes: string[] = [];
  for (let byte = 0; byte < 256; byte++) if (table[byte] !== 0) bytes.push(String.fromCharCode(byte));
  return bytes.length <= FEW ? bytes : undefined;
}

/** A transformation that changes each byte by itself. */
export function mapBytes(name: string, map: (byte: number) => number): Transformation {
  const to = Uint8Array.from({ length: 256 }, (_, byte) => map(byte));
  const triggers = new Uint8Array(256);
  const introduces = new Uint8Array(256);
  to.forEach((mapped, byte) => {
    if (mapped === byte) return;
    triggers[byte] = 1;
    introduces[mapped] = 1;
  });
  const rewrite: Rewrite = (bytes, start, end) => {
    for (let i = start; i < end; i++) bytes[i] = to[bytes[i]];
    return end;
  };
  return new RewriteTransformation({ name, triggers, introduces, rewrite });
}

/** A transformation that drops bytes. */
export function dropBytes(name: string, dropped: Uint8Array, introduces: Uint8Array): Transformation {
  const rewrite: Rewrite = (bytes, start, end) => {
    let to = start;
    for (let i = start; i < end; i++) if (dropped[bytes[i]] === 0) bytes[to++] = bytes[i];
    return to;
  };
  return new RewriteTransformation({ name, triggers: dropped, introduces, rewrite });
}
