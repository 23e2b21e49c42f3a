import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import querystring from 'node:querystring';
import { MIMEType } from 'node:util';
import { Busboy } from '@fastify/busboy';

const SCRIPT = path.join(import.meta.dirname, 'standard-reader.py');

/** A field by name and value, or a part: name, name of the file, content in base64. */
export type Pair = readonly (string | null)[];

/** What a service says that it read; each reading is that of one parser, null where it refused. */
export interface ReaderReport {
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly query: readonly Pair[];
  /** Names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly kind: string;
  readonly readings: Readonly<Record<string, unknown>>;
}

export interface StandardReader {
  readonly url: string;
  /** How many requests came so far. */
  count(): Promise<number>;
  stop(): Promise<void>;
}

/** The standard parsers of Node: node:http, URL, URLSearchParams, querystring, JSON.parse, and the form data of fetch. */
export async function startNodeReader(): Promise<StandardReader> {
  let count = 0;
  const server = http.createServer((request, answer) => {
    count += 1;
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      void readRequest(request, Buffer.concat(pieces)).then((report) =>
        answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(report)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: async () => count,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function readRequest(request: http.IncomingMessage, body: Buffer): Promise<ReaderReport> {
  const target = request.url ?? '';
  const url = new URL(target === '*' ? 'http://h' : `http://h${target}`);
  const headers: [string, string][] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2)
    headers.push([request.rawHeaders[i].toLowerCase(), request.rawHeaders[i + 1]]);
  const [kind, readings] = await readWithNode(request.headers['content-type'], body);
  return {
    method: request.method ?? '',
    target,
    path: target === '*' ? '*' : querystring.unescape(url.pathname),
    query: [...url.searchParams],
    headers,
    kind,
    readings,
  };
}

/** What kind of body the type says it is, and the readings of it by parser; null: refused. */
export async function readWithNode(type: string | undefined, body: Buffer): Promise<[string, Record<string, unknown>]> {
  if (body.length === 0) return ['none', { none: '' }];
  if (type === undefined) return ['bytes', { bytes: body.toString('base64') }];
  const mime = new MIMEType(type);
  const text = () => new TextDecoder(mime.params.get('charset') ?? 'utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  if (/^(?:application\/json|text\/json|.*\+json)$/.test(mime.essence)) {
    return ['json', { json: await tried(() => ({ value: JSON.parse(body.toString('utf8')) as unknown })) }];
  }
  if (mime.essence === 'application/x-www-form-urlencoded') {
    const params = await tried(() => [...new URLSearchParams(text())]);
    return ['form', { URLSearchParams: params, querystring: await tried(() => flat(querystring.parse(text()))) }];
  }
  if (mime.essence === 'multipart/form-data')
    return ['multipart', { formData: await tried(() => formData(type, body)), busboy: await tried(() => byBusboy(type, body)) }];
  if (mime.type === 'text') return ['text', { text: await tried(text) }];
  return ['bytes', { bytes: body.toString('base64') }];
}

function flat(values: querystring.ParsedUrlQuery): Pair[] {
  return Object.entries(values).flatMap(([name, all]) => [all ?? []].flat().map((value) => [name, value]));
}

async function formData(type: string, body: Buffer): Promise<Pair[]> {
  const response = new Response(new Uint8Array(body), { headers: { 'content-type': type } });
  // oxlint-disable-next-line typescript/no-deprecated -- services use it all the same
  const fields = [...(await response.formData())];
  return await Promise.all(
    fields.map(async ([name, value]) =>
      typeof value === 'string'
        ? [name, null, Buffer.from(value).toString('base64')]
        : [name, value.name, Buffer.from(await value.arrayBuffer()).toString('base64')],
    ),
  );
}

/** No part of Node, but what most of its services read uploads with. */
function byBusboy(type: string, body: Buffer): Promise<Pair[]> {
  return new Promise((resolve, reject) => {
    const pairs: [string, string | null, string][] = [];
    const reader = new Busboy({
      headers: { 'content-type': type },
      preservePath: true,
      isPartAFile: (_field, _type, filename) => filename !== undefined,
    });
    reader.on('field', (name, value) => pairs.push([name, null, Buffer.from(value).toString('base64')]));
    reader.on('file', (name, stream, filename) => {
      const pieces: Buffer[] = [];
      const pair: [string, string | null, string] = [name, filename, ''];
      pairs.push(pair);
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => (pair[2] = Buffer.concat(pieces).toString('base64')));
    });
    reader.on('error', reject);
    reader.on('finish', () => resolve(pairs));
    reader.end(body);
  });
}

async function tried<T>(read: () => T | Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch {
    return null;
  }
}

/** {@link readWithNode} by the parsers of Python, many at once. */
export function readWithPython(bodies: readonly (readonly [type: string, body: Buffer])[]): [string, Record<string, unknown>][] {
  const input = bodies.map(([type, body]) => JSON.stringify([type, body.toString('base64')])).join('\n');
  const { stdout, stderr } = spawnSync('python3', [SCRIPT, '--bodies'], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  const lines = stdout.trimEnd().split('\n');
  if (lines.length !== bodies.length) throw new Error(`${lines.length} readings of ${bodies.length} bodies: ${stderr}`);
  return lines.map((line) => JSON.parse(line) as [string, Record<string, unknown>]);
}

/** The standard parsers of Python; see `standard-reader.py`. */
export async function startPythonReader(): Promise<StandardReader> {
  const child = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = `http://127.0.0.1:${line.toString().trim()}`;
  return {
    url,
    count: async () => ((await (await fetch(url, { headers: { 'x-count': '1' } })).json()) as { count: number }).count,
    stop: async () => {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    },
  };
}
