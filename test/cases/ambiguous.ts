/**
 * Heads and bodies that somebody could read in two ways, and beside each kind what has one reading only. Whatever passes the gateway must
 * be read by the standard parsers of Node and Python as the gateway read it. Strings are bytes (latin1, one character per byte).
 */
export type Reader = 'node' | 'python';

export interface AmbiguousCase {
  readonly name: string;
  /** The whole request. The runner writes one field more behind the first line, by which a service is chosen. */
  readonly bytes: string;
  /** What the gateway answers; undefined: it sends the request on. */
  readonly status?: number;
  /** Parsers that refuse by themselves what the gateway sent on. */
  readonly deaf?: readonly string[];
}

export const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const shown = (text: string): string => JSON.stringify(text.length > 70 ? `${text.slice(0, 67)}…` : text);

/** A request with this first line, `Host: a`, and what else is given. */
export const head = (line: string, fields: readonly string[] = [], body = ''): string =>
  `${[line, 'Host: a', ...fields].join('\r\n')}\r\n\r\n${body}`;

/** A POST whose body has its length. */
export const post = (type: string, body: string, ...fields: string[]): string =>
  head('POST /x HTTP/1.1', [`Content-Type: ${type}`, ...fields, `Content-Length: ${body.length}`], body);

export const row = (name: string, bytes: string, status?: number, deaf?: readonly string[]): AmbiguousCase => ({
  name,
  bytes,
  status,
  deaf,
});

/** Bodies of one type that all end the same way. */
export const bodies = (type: string, status: number | undefined, list: readonly string[]): AmbiguousCase[] =>
  list.map((body) => row(`${type}: ${shown(body)}`, post(type, body), status));
