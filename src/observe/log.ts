import { isatty } from 'node:tty';
import type { Log } from '../pipeline/stage.ts';
import type { EventSink } from './events.ts';
import { LineWriter } from './line-writer.ts';
import { guardLog } from './redact.ts';

/**
 * The gateway's own log: what happens to it, not to requests. One line per event on standard error, for people when that
 * is a terminal, JSON otherwise.
 */
export interface LogOptions {
  /** Standard error when left out. */
  readonly fd?: 1 | 2;
  /** Text for people instead of JSON; when left out, this depends on the terminal. */
  readonly human?: boolean;
  /** Gets the lines that are security events too. */
  readonly events?: EventSink;
}

export interface ClosableLog extends Log {
  /** Waits until all is written, two seconds at most. */
  close(): Promise<void>;
  /** For a process that is about to die. */
  flushSync(): void;
}

type Level = 'info' | 'warn' | 'error';

/** Makes the log. A process that ends with `process.exit` or an exception still writes its last lines. */
export function createLog(options: LogOptions = {}): ClosableLog {
  const fd = options.fd ?? 2;
  const human = options.human ?? isatty(fd);
  const writer = new LineWriter({ target: fd, bufferLimit: 1024 * 1024, flushMs: 1 }, nowhere);
  const flush = () => writer.flushSync();
  process.once('exit', flush);
  const say = (level: Level, message: string, fields?: Record<string, unknown>) => {
    writer.write(human ? humanLine(level, message, fields) : jsonLine(level, message, fields));
    options.events?.tell(message, fields);
  };
  const open: Log = {
    info: (message, fields) => say('info', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    error: (message, fields) => say('error', message, fields),
  };
  return {
    ...guardLog(open),
    close: async () => {
      process.off('exit', flush);
      await writer.close();
    },
    flushSync: flush,
  };
}

/** Where a log that cannot be written would complain. */
const nowhere: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** Exported for the test. */
export function jsonLine(level: Level, message: string, fields: Record<string, unknown> = {}): string {
  const own = { time: new Date().toISOString(), level, message };
  try {
    return JSON.stringify({ ...own, ...plain(fields), ...own });
  } catch {
    return JSON.stringify({ ...own, fields: 'not serialisable' });
  }
}

/** Exported for the test. */
export function humanLine(level: Level, message: string, fields: Record<string, unknown> = {}): string {
  const time = new Date().toISOString().slice(11, 23);
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${humanValue(value)}`);
  return printable(`${time} ${level.padEnd(5)} ${message}${rest.join('')}`);
}

function humanValue(value: unknown): string {
  if (value instanceof Error) return value.stack ?? String(value);
  // A list of texts is a list of things to do: one behind the other, as they are.
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(' | ');
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  try {
    return JSON.stringify(value) ?? 'undefined';
  } catch {
    return '[not serialisable]';
  }
}

function plain(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? plainError(value) : value]),
  );
}

function plainError(error: Error, depth = 0): Record<string, unknown> {
  const code = (error as NodeJS.ErrnoException).code;
  const cause = error.cause instanceof Error && depth < 3 ? plainError(error.cause, depth + 1) : undefined;
  return { name: error.name, message: error.message, code, stack: error.stack, cause };
}

/** One line, and nothing that steers a terminal: part of a message may come from a service or a file. */
function printable(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' | ').replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\uFFFD');
}
