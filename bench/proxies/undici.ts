/**
 * The yardstick: the least that a proxy on `node:http` and undici can do. Nothing is checked, nothing recorded.
 * `node undici.ts PORT SERVICE-PORT [CERTIFICATE KEY]`
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { type Dispatcher, Pool } from 'undici';

const [port, service, certificate, key] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${service}`, { connections: 64, pipelining: 1 });

class Forward implements Dispatcher.DispatchHandler {
  readonly #response: http.ServerResponse;

  constructor(response: http.ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: http.IncomingHttpHeaders): void {
    delete headers.connection;
    delete headers['keep-alive'];
    this.#response.writeHead(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#response.write(chunk);
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    this.#response.statusCode = 502;
    this.#response.end();
  }
}

function forward(request: http.IncomingMessage, response: http.ServerResponse): void {
  const headers: string[] = [];
  const raw = request.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    if (name !== 'connection' && name !== 'transfer-encoding') headers.push(raw[i], raw[i + 1]);
  }
  const body = request.method === 'GET' ? null : request;
  const method = request.method as Dispatcher.HttpMethod;
  pool.dispatch({ path: request.url ?? '/', method, headers, body }, new Forward(response));
}

const server =
  certificate === undefined
    ? http.createServer(forward)
    : https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, forward);
server.listen(Number(port), '127.0.0.1', 4096);
