import { STATUS_CODES } from 'node:http';
import type { HeaderList } from '../headers.ts';
import { httpDate } from '../http-date.ts';

const statusLines = new Map<number, string>();

/** `HTTP/1.1 200 OK` and CRLF. We always speak 1.1, also to a 1.0 client (RFC 9110 section 6.2). */
function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

/** How the body of an answer is delimited (RFC 9112 section 6). */
export type AnswerFraming = number | 'chunked' | 'close' | 'none';

const BREAKS_A_HEAD = /[\r\n\0]/;

/**
 * The head of an HTTP/1.1 answer as text, one character per byte, with its empty line.
 * @throws when a value could break the head: that is a defect of a room, and never reaches the wire
 */
export function answerHead(status: number, headers: HeaderList, framing: AnswerFraming, connection: string): string {
  let text = statusLine(status);
  let dated = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    const value = headers[i + 1];
    if (BREAKS_A_HEAD.test(value)) throw new Error(`the value of the response field ${name} holds CR, LF or NUL`);
    if (name === 'date') dated = true;
    text += `${name}: ${value}\r\n`;
  }
  if (!dated) text += `date: ${httpDate()}\r\n`;
  if (typeof framing === 'number') text += `content-length: ${framing}\r\n`;
  else if (framing === 'chunked') text += 'transfer-encoding: chunked\r\n';
  return `${text}${connection}\r\n`;
}
