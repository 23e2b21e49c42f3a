import { isIPv4, isIPv6, type Socket, SocketAddress } from 'node:net';

/**
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): what a proxy in front writes before the first byte
 * of TLS or HTTP to tell whose connection this is. Read only from connections whose other end the configuration trusts;
 * there the header is a must, because a proxy that sometimes leaves it out would let its clients write their own.
 */

/** One end of the proxied connection. IPv6 in the form in which the system writes it, IPv4 never as `::ffff:`. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface ProxyHeader {
  readonly done: true;
  /** Length of the header; what follows belongs to TLS or HTTP. */
  readonly bytes: number;
  /** The client, where the header names one. */
  readonly source?: Endpoint;
  readonly destination?: Endpoint;
  /** True when no client is named (LOCAL, UNKNOWN, a Unix socket): the socket's own addresses count. */
  readonly local: boolean;
}

export interface ProxyIncomplete {
  readonly done: false;
  /** How many bytes there must be at least before another look makes sense. */
  readonly need: number;
}

export interface ProxyError {
  readonly error: string;
}

export type ProxyReading = ProxyHeader | ProxyIncomplete | ProxyError;

const V1_START = Buffer.from('PROXY ', 'latin1');
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Reads the header at the beginning of `buffer`. Everything that the specification does not allow is an error. */
export function readProxyHeader(buffer: Buffer): ProxyReading {
  if (buffer.length === 0) return { done: false, need: V1_START.length };
  const version2 = buffer[0] === V2_START[0];
  const start = version2 ? V2_START : V1_START;
  const got = Math.min(buffer.length, start.length);
  if (buffer.compare(start, 0, got, 0, got) !== 0) return { error: 'no PROXY header' };
  if (version2) return readVersion2(buffer);
  return buffer.length < start.length ? { done: false, need: start.length } : readVersion1(buffer);
}

/** The longest line of version 1 with its CRLF. */
const V1_MAX = 107;
const CR = 0x0d;
const LF = 0x0a;

function readVersion1(buffer: Buffer): ProxyReading {
  const end = buffer.subarray(0, V1_MAX).indexOf(LF);
  if (end < 0)
    return buffer.length < V1_MAX ? { done: false, need: buffer.length + 1 } : { error: 'line of PROXY header too long' };
  if (buffer[end - 1] !== CR) return { error: 'bare LF in PROXY header' };
  return readLine(buffer.toString('latin1', V1_START.length, end - 1), end + 1);
}

function readLine(line: string, bytes: number): ProxyReading {
  const fields = line.split(' ');
  // Receivers must ignore what stands behind UNKNOWN.
  if (fields[0] === 'UNKNOWN') return { done: true, bytes, local: true };
  const valid = fields[0] === 'TCP4' ? isIPv4 : fields[0] === 'TCP6' ? isPlainIPv6 : undefined;
  if (valid === undefined) return { error: 'unknown protocol in PROXY header' };
  if (fields.length !== 5) return { error: 'PROXY header has not five fields' };
  const [, from, to, fromPort, toPort] = fields;
  if (!valid(from) || !valid(to)) return { error: 'bad address in PROXY header' };
  if (!isPort(fromPort) || !isPort(toPort)) return { error: 'bad port in PROXY header' };
  return {
    done: true,
    bytes,
    source: { address: canonicalAddress(from), port: Number(fromPort) },
    destination: { address: canonicalAddress(to), port: Number(toPort) },
    local: false,
  };
}

/** Without a zone (`%eth0`), which means nothing on another machine. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

const PORT = /^(?:0|[1-9][0-9]{0,4})$/;

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65535;
}

/** One spelling for one address, the one that `socket.remoteAddress` has, so that limits and lists see it as the same. */
function canonicalAddress(text: string): string {
  if (isIPv4(text)) return text;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

const V2_HEAD = 16;
const UNIX_LENGTH = 216;
const MAX_TLV_BYTES = 2048;

function readVersion2(buffer: Buffer): ProxyReading {
  if (buffer.length < V2_HEAD) return { done: false, need: V2_HEAD };
  const version = buffer[12] >> 4;
  const command = buffer[12] & 0x0f;
  if (version !== 2) return { error: 'unknown version of PROXY header' };
  if (command > 1) return { error: 'unknown command in PROXY header' };
  const length = buffer.readUInt16BE(14);
  if (length > UNIX_LENGTH + MAX_TLV_BYTES) return { error: 'PROXY header too long' };
  const bytes = V2_HEAD + length;
  // The addresses of LOCAL must be skipped whatever they are, but what is too short or of no kind is refused before waiting.
  const family = families[buffer[13]];
  if (command === 1 && family === undefined) return { error: 'PROXY header is for no kind of TCP connection' };
  if (command === 1 && length < family.length) return { error: 'PROXY header too short for its addresses' };
  if (buffer.length < bytes) return { done: false, need: bytes };
  return command === 0 ? { done: true, bytes, local: true } : readProxied(buffer.subarray(0, bytes), family);
}

interface Family {
  /** Bytes of both addresses and ports. */
  readonly length: number;
  readonly width: number;
  readonly read: ((buffer: Buffer, at: number) => string) | undefined;
}

/** By the byte of family and transport. Datagrams cannot come over TCP, so their values are refused. */
const families: Record<number, Family> = {
  0x00: { length: 0, width: 0, read: undefined },
  0x11: { length: 12, width: 4, read: readIPv4 },
  0x21: { length: 36, width: 16, read: readIPv6 },
  0x31: { length: UNIX_LENGTH, width: 108, read: undefined },
};

function readProxied(header: Buffer, { length, width, read }: Family): ProxyReading {
  // Behind an unspecified family nothing is defined: receivers skip it.
  const broken = header[13] === 0 ? undefined : checkTlvs(header, V2_HEAD + length);
  if (broken !== undefined) return { error: broken };
  if (read === undefined) return { done: true, bytes: header.length, local: true };
  const ports = V2_HEAD + 2 * width;
  return {
    done: true,
    bytes: header.length,
    source: { address: read(header, V2_HEAD), port: header.readUInt16BE(ports) },
    destination: { address: read(header, V2_HEAD + width), port: header.readUInt16BE(ports + 2) },
    local: false,
  };
}

function readIPv4(buffer: Buffer, at: number): string {
  return `${buffer[at]}.${buffer[at + 1]}.${buffer[at + 2]}.${buffer[at + 3]}`;
}

function readIPv6(buffer: Buffer, at: number): string {
  const groups: string[] = [];
  for (let i = at; i < at + 16; i += 2) groups.push(buffer.readUInt16BE(i).toString(16));
  return canonicalAddress(groups.join(':'));
}

const TLV_CRC32C = 0x03;

/** Type-length-values must fill the rest exactly; of them only the checksum matters here. Gives what is wrong. */
function checkTlvs(header: Buffer, from: number): string | undefined {
  let at = from;
  let checksum: number | undefined;
  while (at < header.length) {
    const value = at + 3;
    const next = value <= header.length ? value + header.readUInt16BE(at + 1) : Infinity;
    if (next > header.length) return 'TLV of PROXY header is cut off';
    if (header[at] === TLV_CRC32C) {
      if (checksum !== undefined || next - value !== 4) return 'bad checksum TLV in PROXY header';
      checksum = value;
    }
    at = next;
  }
  return checksum === undefined || checksumHolds(header, checksum) ? undefined : 'checksum of PROXY header is wrong';
}

/** The sum is over the whole header with zeros in its own place. */
function checksumHolds(header: Buffer, at: number): boolean {
  const copy = Buffer.from(header);
  copy.fill(0, at, at + 4);
  return crc32c(copy) === header.readUInt32BE(at);
}

/** CRC-32C (Castagnoli). `zlib.crc32` is the other polynomial. Bit by bit: at most 2 KiB, once per connection. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1));
  }
  return (crc ^ 0xffffffff) >>> 0;
}

type RefusedCode = 'protocol-error' | 'head-timeout';
type OnRefused = (reason: string, code: RefusedCode) => void;

/**
 * Reads the header off a fresh socket. What came behind it is put back, so that the socket can go on to a TLS server
 * (`server.emit('connection', socket)`) or be read as HTTP, in `onHeader` at once. Without a valid header in time the
 * socket is destroyed, and `onRefused` is told why. At most one of the two is called; neither when the peer just leaves.
 */
export function acceptProxy(
  socket: Socket,
  timeoutMs: number,
  onHeader: (header: ProxyHeader) => void,
  onRefused?: OnRefused,
): void {
  new Reader(socket, timeoutMs, onHeader, onRefused).start();
}

class Reader {
  readonly #socket: Socket;
  readonly #onHeader: (header: ProxyHeader) => void;
  readonly #onRefused: OnRefused | undefined;
  readonly #timer: NodeJS.Timeout;
  #pending: Buffer = Buffer.alloc(0);
  #need = 1;

  constructor(socket: Socket, timeoutMs: number, onHeader: (header: ProxyHeader) => void, onRefused: OnRefused | undefined) {
    this.#socket = socket;
    this.#onHeader = onHeader;
    this.#onRefused = onRefused;
    this.#timer = setTimeout(() => this.#refuse('PROXY header did not come in time', 'head-timeout'), timeoutMs);
  }

  start(): void {
    this.#socket.on('readable', this.#onReadable);
    this.#socket.on('end', this.#onGone);
    this.#socket.on('error', this.#onGone);
    this.#socket.on('close', this.#onGone);
  }

  /** `readable` and not `data`: it leaves the socket neither flowing nor paused, as TLS and HTTP expect to find it. */
  readonly #onReadable = (): void => {
    const chunk = this.#socket.read() as Buffer | null;
    if (chunk === null) return;
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    if (this.#pending.length < this.#need) return;
    const reading = readProxyHeader(this.#pending);
    if ('error' in reading) this.#refuse(reading.error, 'protocol-error');
    else if (reading.done) this.#handOver(reading);
    else this.#need = reading.need;
  };

  readonly #onGone = (): void => {
    this.#leave();
    this.#socket.destroy();
  };

  #handOver(header: ProxyHeader): void {
    this.#leave();
    if (this.#pending.length > header.bytes) this.#socket.unshift(this.#pending.subarray(header.bytes));
    this.#onHeader(header);
  }

  #refuse(reason: string, code: RefusedCode): void {
    this.#leave();
    this.#socket.on('error', ignore);
    this.#socket.destroy();
    this.#onRefused?.(reason, code);
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.#socket.off('readable', this.#onReadable);
    this.#socket.off('end', this.#onGone);
    this.#socket.off('error', this.#onGone);
    this.#socket.off('close', this.#onGone);
  }
}

function ignore(): void {}
