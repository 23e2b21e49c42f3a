/** Types of frames (RFC 9113 section 6). */
export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;

/** Flags. */
export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const WITH_PRIORITY = 0x20;

export const HEAD_BYTES = 9;

/** The largest payload that may come, and that we send: the one that everybody must take (RFC 9113 section 4.2). */
export const MOST_PAYLOAD = 16_384;

export const LARGEST_WINDOW = 0x7fff_ffff;

/** A window until settings or updates change it. */
export const DEFAULT_WINDOW = 65_535;

/** What a client says first (RFC 9113 section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** A frame with room for its payload, which begins at {@link HEAD_BYTES}. */
export function newFrame(type: number, flags: number, stream: number, length: number): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + length);
  frame[0] = length >> 16;
  frame[1] = length >> 8;
  frame[2] = length;
  frame[3] = type;
  frame[4] = flags;
  putUint32(frame, 5, stream);
  return frame;
}

/** A frame whose payload is one number, or two. */
export function numberFrame(type: number, stream: number, first: number, second?: number): Buffer {
  const frame = newFrame(type, 0, stream, second === undefined ? 4 : 8);
  putUint32(frame, HEAD_BYTES, first);
  if (second !== undefined) putUint32(frame, HEAD_BYTES + 4, second);
  return frame;
}

export function uint32(bytes: Buffer, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

/** Without the bit that is reserved in identifiers and increments. */
export function uint31(bytes: Buffer, at: number): number {
  return uint32(bytes, at) & LARGEST_WINDOW;
}

export function putUint32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
