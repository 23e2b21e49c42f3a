import { isUtf8 } from 'node:buffer';
import { SecretsError } from '../secrets/secrets-error.ts';
import type { Output } from './output.ts';

const LARGEST = 64 * 1024;
const [ENTER, NEWLINE, CTRL_C, CTRL_D, BACKSPACE, DELETE, CTRL_U] = [0x0d, 0x0a, 0x03, 0x04, 0x08, 0x7f, 0x15];

/** The value of a secret: all of standard input without the line end behind it, or what is typed without an echo. */
export async function readSecret(name: string, input: NodeJS.ReadStream, output: Output): Promise<Buffer> {
  const value = input.isTTY ? await ask(`Value of ${name} (not shown): `, input, output) : await readAll(input);
  const problem = problemOf(value);
  if (problem === undefined) return value;
  value.fill(0);
  throw new SecretsError(problem);
}

function problemOf(value: Buffer): string | undefined {
  if (value.length === 0) return 'the value is empty: give it on standard input';
  if (value.length > LARGEST) return `the value is larger than ${LARGEST / 1024} KiB`;
  return isUtf8(value) ? undefined : 'the value is not valid UTF-8: write what is binary in Base64';
}

async function readAll(input: NodeJS.ReadStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of input as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > LARGEST + 2) break;
  }
  const whole = Buffer.concat(pieces);
  for (const piece of pieces) piece.fill(0);
  return withoutLineEnd(whole);
}

function withoutLineEnd(value: Buffer): Buffer {
  if (value.at(-1) !== NEWLINE) return value;
  return value.subarray(0, value.at(-2) === ENTER ? -2 : -1);
}

/** Reads one line from a terminal that shows nothing of it. */
async function ask(prompt: string, input: NodeJS.ReadStream, output: Output): Promise<Buffer> {
  output.err.write(prompt);
  input.setRawMode(true);
  try {
    return await readLine(input);
  } finally {
    input.setRawMode(false);
    input.pause();
    output.err.write('\n');
  }
}

async function readLine(input: NodeJS.ReadStream): Promise<Buffer> {
  const line: number[] = [];
  for await (const piece of input as AsyncIterable<Buffer>) {
    for (const byte of piece) {
      if (byte === CTRL_C) throw new SecretsError('nothing was written');
      if (byte === ENTER || byte === NEWLINE || byte === CTRL_D) return bytesOf(line);
      if (byte === BACKSPACE || byte === DELETE) dropCharacter(line);
      else if (byte === CTRL_U) line.length = 0;
      else line.push(byte);
    }
  }
  return bytesOf(line);
}

function bytesOf(line: number[]): Buffer {
  const value = Buffer.from(line);
  line.fill(0);
  return value;
}

/** A character of UTF-8 may be several bytes. */
function dropCharacter(line: number[]): void {
  while (line.length > 0 && ((line.pop() ?? 0) & 0xc0) === 0x80);
}
