import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { SecretsError } from './secrets-error.ts';

/** Larger than any secret, smaller than what would hurt. */
const LARGEST = 64 * 1024;
/** A store may hold many. */
export const LARGEST_STORE = 8 * 1024 * 1024;

/** The bytes of a file, or undefined when there is none. Never waits: what is no regular file (a pipe, a terminal) is refused. */
export function readBytes(file: string, largest = LARGEST, check?: (stats: Stats) => void): Buffer | undefined {
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw new SecretsError(`${file} cannot be read: ${reasonOf(error)}`);
  }
  try {
    const stats = fstatSync(handle);
    if (!stats.isFile()) throw new SecretsError(`${file} is no file`);
    check?.(stats);
    return readAll(handle, file, stats.size, largest);
  } finally {
    closeSync(handle);
  }
}

/** To the end, whatever `stat` said of the size: files of the system say 0. */
function readAll(handle: number, file: string, size: number, largest: number): Buffer {
  let bytes: Buffer = Buffer.alloc(Math.min(size, largest) + 1024);
  let length = 0;
  for (;;) {
    const read = readSync(handle, bytes, length, bytes.length - length, null);
    length += read;
    if (length > largest) throw new SecretsError(`${file} is larger than ${largest / 1024} KiB`);
    if (read === 0) return bytes.subarray(0, length);
    if (length === bytes.length) bytes = grown(bytes);
  }
}

function grown(bytes: Buffer): Buffer {
  const larger = Buffer.alloc(bytes.length * 2);
  bytes.copy(larger);
  bytes.fill(0);
  return larger;
}

/** The text of a secret: valid UTF-8, without the line end behind it that editors write. Zeroes `bytes`. */
export function secretText(bytes: Buffer, where: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '');
    if (text === '') throw new SecretsError(`${where} is empty`);
    return text;
  } catch (error) {
    if (error instanceof TypeError) throw new SecretsError(`${where} is not valid UTF-8`);
    throw error;
  } finally {
    bytes.fill(0);
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM' ? 'permission denied' : String(code ?? 'unknown error');
}
