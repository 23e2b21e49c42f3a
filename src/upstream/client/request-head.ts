import type { Call } from '../../exchange/service.ts';

/** Methods whose request always has a length, so that a service never waits for a body (RFC 9110 section 8.6). */
function expectsBody(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

/** The head of a request as one latin1 string, its framing included. */
export function requestHead(call: Call): string {
  const { headers, body } = call;
  let head = `${call.method} ${call.target} HTTP/1.1\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  if (call.upgrade) return `${head}connection: upgrade\r\nupgrade: websocket\r\n\r\n`;
  if (body === undefined) return expectsBody(call.method) ? `${head}content-length: 0\r\n\r\n` : `${head}\r\n`;
  if (body.length === undefined) return `${head}transfer-encoding: chunked\r\n\r\n`;
  return `${head}content-length: ${body.length}\r\n\r\n`;
}

/** What no field value may hold: control characters, and what latin1 would cut down to one. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;

/** The invariant of header lists, checked where a break of it would become a second request on the wire. */
export function isSafe(call: Call): boolean {
  const { headers } = call;
  for (let i = 0; i < headers.length; i++) {
    if (UNSAFE.test(headers[i])) return false;
  }
  return !/[^\x21-\x7e]/.test(call.target) && !/[^A-Z]/.test(call.method);
}
