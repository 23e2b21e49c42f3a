/**
 * The yardstick over HTTP/2: the least that a proxy on `node:http2` and undici can do. Nothing is checked or recorded.
 * `node undici-http2.ts PORT SERVICE-PORT CERTIFICATE KEY`
 */
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { PassThrough } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';

const [port, service, certificate, key] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${service}`, { connections: 64, pipelining: 1 });

class Forward implements Dispatcher.DispatchHandler {
  readonly #stream: http2.ServerHttp2Stream;

  constructor(stream: http2.ServerHttp2Stream) {
    this.#stream = stream;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: http2.OutgoingHttpHeaders): void {
    delete headers.connection;
    delete headers['keep-alive'];
    delete headers['transfer-encoding'];
    headers[':status'] = status;
    this.#stream.respond(headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#stream.write(chunk);
  }

  onResponseEnd(): void {
    this.#stream.end();
  }

  onResponseError(): void {
    this.#stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  }
}

function forward(stream: http2.ServerHttp2Stream, head: http2.IncomingHttpHeaders): void {
  const headers: string[] = ['host', head[':authority'] ?? ''];
  for (const name in head) {
    const value = head[name];
    if (name.charCodeAt(0) === 0x3a || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.push(name, one);
  }
  // Not the stream itself: undici destroys a body when it has been sent, and the answer would go with it.
  const body = head[':method'] === 'GET' ? null : stream.pipe(new PassThrough());
  const method = head[':method'] as Dispatcher.HttpMethod;
  pool.dispatch({ path: head[':path'] ?? '/', method, headers, body }, new Forward(stream));
}

const server = http2.createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) });
server.on('stream', forward);
server.listen(Number(port), '127.0.0.1', 4096);
