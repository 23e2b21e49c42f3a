import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Protocol, Work } from './args.ts';
import { ANSWER, bodyOf, orderBody, ordersTarget } from './workload.ts';

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** What the checking service says it saw. */
interface Seen {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  readonly field: string | undefined;
}

/** Behind the service's `/bench-check`: answers with what arrived, so that the bench sees what gateways really sent. */
export async function startCheckService(): Promise<{ port: number; close(): void }> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const field = request.headers['x-bench']?.toString();
      const seen = { method: request.method, target: request.url, body: Buffer.concat(chunks).toString(), field };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(seen));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** Calls through the gateway and compares what both ends saw; undefined when all is right. */
export async function findWrongAnswer(
  protocol: Protocol,
  port: number,
  token?: string,
  work: Work = 'post',
): Promise<string | undefined> {
  const call = (method: string, target: string, body: string | undefined) =>
    callOnce({ protocol, port, method, target, body, token });
  const plain = await call('GET', ordersTarget(), undefined);
  if (plain.status !== 200 || plain.body !== ANSWER) return `GET answered ${plain.status} ${plain.body.slice(0, 60)}`;
  for (const method of ['GET', 'POST']) {
    const body = method === 'POST' ? (bodyOf(work) ?? orderBody()) : undefined;
    // The contract of the guarded work declares no query of a POST.
    const path = method === 'POST' && token !== undefined ? '/api/v1/orders' : ordersTarget();
    const target = `/bench-check${path}`;
    const reply = await call(method, target, body);
    if (reply.status !== 200) return `${method} answered ${reply.status} ${reply.body.slice(0, 60)}`;
    const seen = JSON.parse(reply.body) as Seen;
    const right = seen.method === method && seen.target === target && seen.body === (body ?? '') && seen.field === 'yes';
    if (!right) return `the service saw ${reply.body.slice(0, 200)}`;
  }
  return undefined;
}

/** True as soon as the gateway answers anything at all. */
export async function isUp(protocol: Protocol, port: number): Promise<boolean> {
  const reply = await callOnce({ protocol, port, method: 'GET', target: '/', body: undefined });
  return reply.status === 200;
}

export interface Call {
  readonly protocol: Protocol;
  readonly port: number;
  readonly method: string;
  readonly target: string;
  readonly body: string | undefined;
  readonly token?: string | undefined;
}

/** One request on a connection of its own. A failure is an answer with status 0. */
export function callOnce({ protocol, port, method, target, body, token }: Call): Promise<Reply> {
  const fields: Record<string, string> = { 'user-agent': 'bench', accept: '*/*', 'x-bench': 'yes' };
  if (token !== undefined) fields.authorization = `Bearer ${token}`;
  if (body !== undefined) {
    fields['content-type'] = 'application/json';
    fields['content-length'] = String(Buffer.byteLength(body));
  }
  return protocol === 'h2'
    ? callHttp2(port, method, target, fields, body)
    : callHttp1(protocol, port, method, target, fields, body);
}

type Fields = Record<string, string>;

function callHttp1(
  protocol: Protocol,
  port: number,
  method: string,
  target: string,
  fields: Fields,
  body?: string,
): Promise<Reply> {
  const headers = { ...fields, host: 'api.example.com' };
  const options = {
    host: '127.0.0.1',
    port,
    method,
    path: target,
    headers,
    agent: false,
    timeout: 5000,
    rejectUnauthorized: false,
  };
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, body: error.message });
    const request = (protocol === 'https' ? https : http).request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on('error', failed);
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
    request.on('error', failed);
    request.end(body);
  });
}

function callHttp2(port: number, method: string, target: string, fields: Fields, body?: string): Promise<Reply> {
  return new Promise((resolve) => {
    const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    const done = (reply: Reply): void => {
      session.destroy();
      resolve(reply);
    };
    session.on('error', (error: Error) => done({ status: 0, body: error.message }));
    const stream = session.request({ ':method': method, ':path': target, ':authority': 'api.example.com', ...fields });
    let status = 0;
    let text = '';
    stream.setTimeout(5000, () => done({ status: 0, body: 'no answer within 5 s' }));
    stream.on('response', (head) => (status = head[':status'] ?? 0));
    stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    stream.on('error', (error: Error) => done({ status: 0, body: error.message }));
    stream.on('end', () => done({ status, body: text }));
    stream.end(body);
  });
}
