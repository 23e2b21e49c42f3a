import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isJson } from '../../src/exchange/body/body.ts';
import { readContentType } from '../../src/exchange/body/content-type.ts';
import { DEFAULT_BOUNDS } from '../../src/exchange/body/parsed.ts';
import { type ConnectionInfo, Exchange } from '../../src/exchange/exchange.ts';
import { headerValue } from '../../src/exchange/headers.ts';
import { RequestBody } from '../../src/waf/body-facts.ts';
import { requestFacts } from '../../src/waf/request-facts.ts';
import { CRS } from '../conformance/crs.ts';
import type { Told } from './waf-twin.ts';

/** Requests as the gateway reads them, without a socket. Byte strings. */

const CONNECTION: ConnectionInfo = {
  listener: 'plain',
  secure: false,
  peerAddress: '192.0.2.1',
  peerPort: 40_000,
  serverName: undefined,
};

export interface Sent {
  readonly method?: string;
  readonly target?: string;
  /** Name, value, name, value; names in lower case. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
}

/** What the engine is told of a request that came so. */
export function toldOf({ method = 'GET', target = '/', headers = [], body = '' }: Sent): Told {
  const question = target.indexOf('?');
  const head = {
    method,
    rawTarget: target,
    version: '1.1' as const,
    host: 'localhost',
    authority: 'localhost',
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? undefined : target.slice(question + 1),
    headers: [...headers],
  };
  const x = new Exchange('an-id', CONNECTION, head, undefined);
  x.clientAddress = CONNECTION.peerAddress;
  x.body = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  const type = readContentType(headerValue(head.headers, 'content-type') ?? '')?.type;
  return { facts: requestFacts(x), processor: processorOf(type), body: new RequestBody(x, { ...DEFAULT_BOUNDS, depth: 512 }) };
}

function processorOf(type: string | undefined): Told['processor'] {
  if (type === 'application/x-www-form-urlencoded') return 'URLENCODED';
  if (type === 'multipart/form-data') return 'MULTIPART';
  return type !== undefined && isJson(type) ? 'JSON' : undefined;
}

interface CrsInput {
  readonly method?: string;
  readonly uri?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: string;
}

/** The requests of the regression tests of CRS. */
export function crsRequests(): Sent[] {
  const files = readdirSync(path.join(CRS, 'tests'), { recursive: true, withFileTypes: true });
  const sent: Sent[] = [];
  for (const file of files.filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))) {
    // JSON is YAML.
    const { tests } = JSON.parse(readFileSync(path.join(file.parentPath, file.name), 'utf8')) as {
      tests: { stages: { input: CrsInput }[] }[];
    };
    for (const { stages } of tests) for (const { input } of stages) sent.push(sentOf(input));
  }
  return sent;
}

function sentOf({ method = 'GET', uri = '/', headers = {}, data = '' }: CrsInput): Sent {
  const list = Object.entries(headers).flatMap(([name, value]) => [name.toLowerCase(), utf8(value)]);
  if (data !== '' && !list.includes('content-type')) list.push('content-type', 'application/x-www-form-urlencoded');
  return { method, target: utf8(uri), headers: list, body: utf8(data) };
}

const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** The labelled samples of injections and of what is none. */
export function injectionLines(): string[] {
  const folder = path.join(CRS, '../injection');
  return ['sqli', 'xss', 'benign'].flatMap((name) => readFileSync(path.join(folder, `${name}.txt`), 'latin1').split('\n'));
}

/** A value in one of the places where requests carry values. */
export function withValue(value: string, place: number): Sent {
  const headers = ['host', 'localhost', 'user-agent', 'Mozilla/5.0', 'accept', '*/*'];
  const escaped = value.replace(/[^A-Za-z0-9_.~-]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const field = value.replace(/[\r\n\0]/g, ' ').trim();
  const form = ['content-type', 'application/x-www-form-urlencoded'];
  const places: (() => Sent)[] = [
    () => ({ target: `/search?q=${escaped}&page=2`, headers }),
    () => ({ target: `/a/${escaped}.html`, headers }),
    () => ({ target: `/?${escaped}=1`, headers }),
    () => ({ headers: [...headers, 'cookie', `session=${field.replaceAll(';', ',')}`] }),
    () => ({ headers: [...headers, 'referer', field] }),
    () => ({ headers: ['host', 'localhost', 'user-agent', field] }),
    () => ({ method: 'POST', headers: [...headers, ...form], body: `a=1&b=${escaped}` }),
    () => ({
      method: 'POST',
      headers: [...headers, 'content-type', 'application/json'],
      body: JSON.stringify({ a: [1, value] }),
    }),
    () => ({ method: 'POST', headers: [...headers, 'content-type', 'text/xml'], body: `<a b="c">${xml(value)}</a>` }),
    () => ({ method: 'POST', headers: [...headers, 'content-type', 'multipart/form-data; boundary=x'], body: part(value) }),
    () => ({ method: 'POST', headers: [...headers, 'content-type', 'text/plain'], body: value }),
  ];
  return places[place % places.length]();
}

export const PLACES = 11;

const xml = (value: string) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const part = (value: string) => `--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n${value}\r\n--x--\r\n`;
