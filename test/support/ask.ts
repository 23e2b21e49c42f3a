import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Readable } from 'node:stream';

/** One request of a test. */
export interface Question {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  /** A Buffer or text goes out with its length; a stream without. */
  readonly body?: Buffer | string | Readable;
  /** Called with each piece of the answer as it arrives. */
  readonly onData?: (piece: Buffer) => void;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders & Record<string, string | string[] | undefined>;
  readonly body: Buffer;
  readonly trailers: Record<string, string | string[] | undefined>;
  /** Statuses of the 1xx answers before. */
  readonly interim: readonly number[];
}

/** A client of the gateway, the same for both versions of HTTP. Rejects when the answer is cut off. */
export interface Asker {
  readonly name: 'HTTP/1.1' | 'HTTP/2';
  ask(question: Question): Promise<Reply>;
  close(): void;
}

export interface AskerOptions {
  readonly tls?: boolean;
  readonly host?: string;
  /** A new connection for each request (HTTP/1.1 only). */
  readonly fresh?: boolean;
}

export function http1Asker(port: number, { tls = false, fresh = false }: AskerOptions = {}): Asker {
  const agent = tls ? new https.Agent({ keepAlive: !fresh, rejectUnauthorized: false }) : new http.Agent({ keepAlive: !fresh });
  const send = tls ? https.request : http.request;
  return {
    name: 'HTTP/1.1',
    ask: ({ path, method = 'GET', headers, body, onData }) =>
      new Promise((resolve, reject) => {
        const interim: number[] = [];
        const request = send({ host: '127.0.0.1', port, path, method, headers: withLength(headers, body), agent });
        request.on('information', ({ statusCode }) => interim.push(statusCode));
        request.on('error', reject);
        request.on('response', (answer) => {
          const pieces: Buffer[] = [];
          answer.on('data', (piece: Buffer) => {
            pieces.push(piece);
            onData?.(piece);
          });
          answer.on('error', reject);
          answer.on('end', () => {
            if (!answer.complete) reject(new Error('the answer was cut off'));
            const { statusCode: status = 0, trailers } = answer;
            resolve({ status, headers: answer.headers, body: Buffer.concat(pieces), trailers, interim });
          });
        });
        sendBody(request, body, headers);
      }),
    close: () => agent.destroy(),
  };
}

/** One HTTP/2 connection, made with the first question. */
export function http2Asker(port: number): Asker {
  let session: http2.ClientHttp2Session | undefined;
  const connected = (): http2.ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    // Node's client counts what it could not send of an upload that was answered early as memory of its session for ever.
    const options = { rejectUnauthorized: false, maxSessionMemory: 1000, maxHeaderListPairs: 1000 };
    session = http2.connect(`https://127.0.0.1:${port}`, options);
    session.on('error', () => undefined);
    return session;
  };
  return {
    name: 'HTTP/2',
    ask: ({ path, method = 'GET', headers, body, onData }) =>
      new Promise((resolve, reject) => {
        const { host: authority, ...others } = withLength(headers, body);
        const head = {
          ...others,
          ...(authority === undefined ? {} : { ':authority': authority }),
          ':path': path,
          ':method': method,
        };
        const stream = connected().request(head, { endStream: body === undefined });
        const interim: number[] = [];
        const pieces: Buffer[] = [];
        let answer: http2.IncomingHttpHeaders = {};
        let trailers: Reply['trailers'] = {};
        stream.on('headers', (fields) => interim.push(Number(fields[':status'])));
        stream.on('response', (fields) => (answer = fields));
        stream.on('trailers', (fields) => (trailers = fields));
        stream.on('data', (piece: Buffer) => {
          pieces.push(piece);
          onData?.(piece);
        });
        let ended = false;
        const finish = (): void => {
          const status = Number(answer[':status'] ?? 0);
          if (status === 0 || !ended || stream.rstCode !== 0) reject(new Error(`the stream was reset with ${stream.rstCode}`));
          else resolve({ status, headers: answer, body: Buffer.concat(pieces), trailers, interim });
        };
        stream.on('error', reject);
        stream.on('close', finish);
        stream.on('end', () => {
          ended = true;
          // Node does not close a stream whose upload was stopped in one packet with the end of the answer.
          setImmediate(finish);
        });
        sendBody(stream, body, headers);
      }),
    close: () => session?.destroy(),
  };
}

function withLength(headers: Question['headers'], body: Question['body']): Record<string, string | string[]> {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return { ...headers };
  return { ...headers, 'content-length': String(Buffer.byteLength(body)) };
}

type Sending = http.ClientRequest | http2.ClientHttp2Stream;

/** Who says `expect: 100-continue` waits for it: without it the body never comes. */
function sendBody(request: Sending, body: Question['body'], headers: Question['headers']): void {
  if (headers?.expect === undefined) write(request, body);
  else request.once('continue', () => write(request, body));
}

function write(request: Sending, body: Question['body']): void {
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body);
  else body.pipe(request);
}
