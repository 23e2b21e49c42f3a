import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../pipeline/stage.ts';
import { makeFolder } from './make-folder.ts';
import { type Rotation, rotateFile } from './rotate.ts';
import { endTornLine } from './torn-line.ts';

/**
 * Lines appended to a file or a standard stream, in the background.
 *
 * The request path calls `write`, which only puts text into memory. Everything that touches the disk is asynchronous, so
 * that a full disk, a slow or vanished one, or a pipe that nobody reads costs records at worst, never a request. Each
 * write to a file is a whole number of lines: with O_APPEND, lines of several processes then never mix.
 *
 * Why not sonic-boom 5: it opens without O_NONBLOCK (a FIFO without reader takes a thread of the pool for good), cuts
 * lines where its buffer ends, does not rotate, and stops at ENOSPC.
 */
export interface LineWriterOptions {
  /** A path, or the descriptor of a standard stream. */
  readonly target: string | 1 | 2;
  readonly rotate?: Rotation;
  /** Bytes that may wait while the target does not take them; beyond, lines are dropped and counted. */
  readonly bufferLimit?: number;
  /** Longest time that a line waits in memory while all is well. */
  readonly flushMs?: number;
  /** Wait before the next try after an error. */
  readonly retryMs?: number;
  /** Several processes write to the same pipe: write at most PIPE_BUF bytes at once, which the kernel keeps together. */
  readonly shared?: boolean;
}

/** So much does not wait for the timer. A write costs a trip to the thread pool and a look at the file, so there are few. */
const CHUNK = 256 * 1024;
/** A character of a string is at most so many bytes of UTF-8. */
const BYTES_PER_CHARACTER = 3;
const LINE_FEED = 0x0a;
const PIPE_BUF = 4096;
const WARN_EVERY = 60_000;
const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = fs.constants;

export class LineWriter {
  /** Lines that were dropped since the start. */
  lost = 0;

  readonly #options: Required<Omit<LineWriterOptions, 'rotate'>> & { rotate: Rotation | undefined };
  readonly #log: Log;
  /**
   * Lines that are not yet in a chunk, and chunks of whole lines on their way; `#waiting` counts both. Lines become bytes at once: as
   * strings they would live until the next write, long enough to be moved among the old objects, and leave hundreds of megabytes of them.
   */
  #page: Buffer | undefined;
  #used = 0;
  #spare: Buffer | undefined;
  #chunks: Buffer[] = [];
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #draining = false;
  /** True while the first chunk is in the hands of the thread pool. */
  #writing = false;
  #closed = false;
  #abandoned = false;

  #fd: number | undefined;
  #inode = 0;
  #isFile = false;
  #first = true;
  #reopenWanted = false;
  #rotateAfter = 0;

  #eagainMs = 1;
  #failing = false;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #reportedLost = 0;
  #idle: (() => void)[] = [];

  constructor(options: LineWriterOptions, log: Log) {
    this.#options = { bufferLimit: 16 * 1024 * 1024, flushMs: 50, retryMs: 1000, shared: false, rotate: undefined, ...options };
    this.#log = log;
    // Opening at once shows a wrong path when the gateway starts, not with its first request.
    void this.#drain();
  }

  /** Takes one line, without its line feed. Never waits, never throws. */
  write(line: string): void {
    if (this.#closed || this.#waiting + line.length > this.#options.bufferLimit) {
      this.lost++;
      return;
    }
    this.#append(line);
    if (this.#chunks.length === 0) this.#arm();
    else if (!this.#draining && this.#retry === undefined) void this.#drain();
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#onTimer(), this.#options.flushMs).unref();
  }

  #append(line: string): void {
    const most = line.length * BYTES_PER_CHARACTER + 1;
    if (this.#used + most > CHUNK) this.#cutChunk();
    if (most > CHUNK) {
      this.#push(Buffer.from(`${line}\n`));
      return;
    }
    const page = (this.#page ??= this.#spare ?? Buffer.allocUnsafeSlow(CHUNK));
    this.#spare = undefined;
    const end = this.#used + page.write(line, this.#used);
    page[end] = LINE_FEED;
    this.#waiting += end + 1 - this.#used;
    this.#used = end + 1;
  }

  #push(chunk: Buffer): void {
    this.#waiting += chunk.length;
    this.#chunks.push(chunk);
  }

  /** Closes the file and opens what is there under its name: for SIGUSR2, after a rename from outside. */
  reopen(): void {
    this.#reopenWanted = true;
    this.#kick();
  }

  /** Resolves when everything is written, or after `patienceMs` when the target does not take it. */
  async close(patienceMs = 2000): Promise<void> {
    this.#closed = true;
    this.#kick();
    if (this.#draining || this.#waiting > 0) await this.#untilIdle(patienceMs);
    this.#abandoned = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
    this.#cutChunk();
    this.lost += countLines(this.#chunks);
    this.#chunks = [];
    this.#waiting = 0;
    if (!this.#draining) this.#closeFd();
    if (this.lost > this.#reportedLost) this.#warn('closing', true);
  }

  /** Last words of a dying process: writes what it can without waiting. */
  flushSync(): void {
    this.#cutChunk();
    // What the thread pool has may be written already; a line less is better than a line twice.
    const from = this.#writing ? 1 : 0;
    try {
      const fd = this.#fd ?? (typeof this.#options.target === 'number' ? this.#options.target : undefined);
      if (fd === undefined) return;
      for (const chunk of this.#chunks.slice(from)) fs.writeSync(fd, chunk);
      this.#chunks.length = Math.min(from, this.#chunks.length);
    } catch {
      // Nobody is left to be told.
    }
  }

  #onTimer(): void {
    this.#timer = undefined;
    if (!this.#draining && this.#retry === undefined) void this.#drain();
  }

  #kick(): void {
    if (this.#draining) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#drain();
  }

  #cutChunk(): void {
    if (this.#page === undefined || this.#used === 0) return;
    this.#chunks.push(this.#page.subarray(0, this.#used));
    this.#page = undefined;
    this.#used = 0;
  }

  /** The memory of a chunk that is written serves the next one. */
  #recycle(chunk: Buffer): void {
    if (chunk.buffer.byteLength === CHUNK && this.#page === undefined) this.#spare = Buffer.from(chunk.buffer);
  }

  /** The only place that touches the target; runs once at a time. */
  async #drain(): Promise<void> {
    this.#draining = true;
    try {
      await this.#prepareTarget();
      this.#cutChunk();
      while (this.#chunks.length > 0) {
        await this.#writeChunk(this.#chunks[0]);
        if (this.#failing) this.#recovered();
        // What came meanwhile gathers until the timer, so that much of it goes in one write.
        if (this.#chunks.length === 0 && this.#closed) this.#cutChunk();
        await this.#prepareTarget();
      }
    } catch (error) {
      this.#onError(error as NodeJS.ErrnoException);
    }
    this.#draining = false;
    if (this.#used > 0 && !this.#closed) this.#arm();
    if (this.#abandoned) this.#closeFd();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #writeChunk(chunk: Buffer): Promise<void> {
    const end = this.#isFile || !this.#options.shared ? chunk.length : lastLineWithin(chunk, PIPE_BUF);
    this.#writing = true;
    const written = await writeSome(this.#fd as number, chunk, end).finally(() => {
      this.#writing = false;
    });
    this.#eagainMs = 1;
    const rest = this.#isFile ? resumeAtLine(chunk, written) : chunk.subarray(written);
    // `close` may have given up on the chunks meanwhile.
    if (this.#chunks[0] !== chunk) return;
    if (rest.length > 0) this.#chunks[0] = rest;
    else {
      this.#chunks.shift();
      this.#recycle(chunk);
    }
    this.#waiting += rest.length - chunk.length;
  }

  /** Sees to it that `#fd` is the file that has the name now, and that it is not too large. */
  async #prepareTarget(): Promise<void> {
    const { target, rotate } = this.#options;
    if (this.#reopenWanted && typeof target === 'string') this.#closeFd();
    this.#reopenWanted = false;
    if (this.#fd === undefined) return await this.#open();
    if (typeof target === 'number' || !this.#isFile || this.#chunks.length + this.#used === 0) return;
    const found = await stat(target);
    if (found !== undefined && found.ino === this.#inode && (rotate === undefined || found.size < rotate.size)) return;
    // Another process has rotated, someone has moved or deleted the file, or it is our turn.
    if (found !== undefined && found.ino === this.#inode && !(await this.#rotate(target, rotate as Rotation))) return;
    this.#closeFd();
    await this.#open();
  }

  /** A file that cannot be renamed grows; that is no reason to stop writing to it. */
  async #rotate(path: string, rotation: Rotation): Promise<boolean> {
    if (performance.now() < this.#rotateAfter) return false;
    try {
      return await rotateFile(path, this.#inode, rotation);
    } catch (error) {
      this.#rotateAfter = performance.now() + WARN_EVERY;
      this.#log.warn('a log file cannot be rotated', { target: path, error: (error as NodeJS.ErrnoException).code });
      return false;
    }
  }

  async #open(): Promise<void> {
    const { target } = this.#options;
    const fd = typeof target === 'string' ? await openPath(target) : await openStream(target);
    const found = await fstat(fd);
    this.#fd = fd;
    this.#inode = found.ino;
    this.#isFile = found.isFile();
    if (this.#first && typeof target === 'string' && this.#isFile) await endTornLine(target);
    this.#first = false;
  }

  #closeFd(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined && fd > 2) fs.close(fd, () => {});
  }

  #onError(error: NodeJS.ErrnoException): void {
    const busy = error.code === 'EAGAIN' || error.code === 'EBUSY';
    if (!busy) this.#closeFd();
    if (!busy || this.lost > this.#reportedLost) this.#warn(error.code ?? 'unknown error', false);
    this.#eagainMs = Math.min(this.#eagainMs * 2, 50);
    const wait = busy ? this.#eagainMs : this.#options.retryMs;
    if (this.#abandoned) return;
    this.#retry = setTimeout(() => this.#kick(), wait).unref();
  }

  #warn(code: string, always: boolean): void {
    const now = performance.now();
    if (!always && now - this.#warnedAt < WARN_EVERY) return;
    this.#failing = true;
    this.#warnedAt = now;
    this.#reportedLost = this.lost;
    this.#log.warn('lines cannot be written', {
      target: this.#name(),
      error: code,
      waiting_bytes: this.#waiting,
      lost: this.lost,
    });
  }

  #recovered(): void {
    this.#failing = false;
    this.#reportedLost = this.lost;
    this.#log.info('lines are written again', { target: this.#name(), lost: this.lost });
  }

  #name(): string {
    const { target } = this.#options;
    return typeof target === 'string' ? target : target === 1 ? 'stdout' : 'stderr';
  }

  async #untilIdle(patienceMs: number): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (this.#draining || this.#waiting > 0) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 20));
        this.#idle.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

/** O_NONBLOCK: a FIFO without reader is ENXIO, a full one EAGAIN, and no thread of the pool is taken. */
async function openPath(path: string): Promise<number> {
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY;
  try {
    return await open(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await makeFolder(dirname(path), 0o750);
    return await open(path, flags);
  }
}

/**
 * The descriptor itself may block, and making it non-blocking would change it for every process that shares it. A pipe or
 * terminal is therefore opened anew, non-blocking, for us alone. A redirected file is not: its offset is shared.
 */
async function openStream(fd: 1 | 2): Promise<number> {
  const found = await fstat(fd);
  if (!found.isFIFO() && !found.isCharacterDevice()) return fd;
  try {
    return await open(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return fd;
  }
}

function open(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, 0o640, (error, fd) => (error === null ? resolve(fd) : reject(error)));
  });
}

function fstat(fd: number): Promise<fs.Stats> {
  return new Promise((resolve, reject) => fs.fstat(fd, (error, found) => (error === null ? resolve(found) : reject(error))));
}

/** undefined when there is no such file (any more). */
function stat(path: string): Promise<fs.Stats | undefined> {
  return new Promise((resolve, reject) =>
    fs.stat(path, (error, found) => {
      if (error === null || error.code === 'ENOENT') resolve(error === null ? found : undefined);
      else reject(error);
    }),
  );
}

function writeSome(fd: number, chunk: Buffer, end: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, chunk, 0, end, null, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}

/** End of the last line that ends within `limit` bytes, or of the first line when that one is longer. */
function lastLineWithin(chunk: Buffer, limit: number): number {
  if (chunk.length <= limit) return chunk.length;
  const end = chunk.lastIndexOf(0x0a, limit - 1) + 1;
  return end > 0 ? end : chunk.indexOf(0x0a) + 1;
}

/**
 * What is still to be written after a short write, which on a file means that the disk is full: the torn line is ended and
 * written again as a whole, because another process may have written behind it.
 */
function resumeAtLine(chunk: Buffer, written: number): Buffer {
  if (written === 0 || written === chunk.length || chunk[written - 1] === 0x0a) return chunk.subarray(written);
  const lineStart = chunk.lastIndexOf(0x0a, written - 1) + 1;
  return Buffer.concat([Buffer.from('\n'), chunk.subarray(lineStart)]);
}

function countLines(chunks: Buffer[]): number {
  let lines = 0;
  for (const chunk of chunks) {
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) lines++;
  }
  return lines;
}
