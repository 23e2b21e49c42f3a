import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import tls from 'node:tls';
import type { Shown } from './client-certificates.ts';

export interface Visit {
  readonly port: number;
  /** The name in the handshake; undefined: none. */
  readonly servername?: string;
  /** The name in the request; without it that of the handshake. */
  readonly host?: string;
  readonly shown?: Shown;
  readonly version?: 'TLSv1.2' | 'TLSv1.3';
  readonly session?: Buffer;
  /** Where it comes from. */
  readonly from?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
}

export interface Visited {
  /** 0: the connection ended without an answer. */
  readonly status: number;
  /** `code` of the problem body. */
  readonly code: string | undefined;
  readonly body: string;
  /** Why there was no answer. */
  readonly error: string | undefined;
}

/** Options of Node's TLS for a visit. */
export function connectOptions({ port, servername, shown, version, session, from }: Visit): tls.ConnectionOptions {
  return {
    host: '127.0.0.1',
    port,
    ...(from === undefined ? {} : { localAddress: from }),
    // An empty name sends none; without the option https would take the Host.
    servername: servername ?? '',
    rejectUnauthorized: false,
    session,
    ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
    ...(shown === undefined ? {} : { cert: readFileSync(shown.certificate), key: readFileSync(shown.key) }),
  };
}

/** One request on a connection of its own, HTTP/1.1. */
export function visit(options: Visit): Promise<Visited> {
  const { host = options.servername ?? '127.0.0.1', path = '/', headers } = options;
  return new Promise((resolve) => {
    const request = https.request({ ...connectOptions(options), path, headers: { host, ...headers }, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => (body += text));
      answer.on('error', (error) => resolve(failed(error)));
      answer.on('end', () => resolve(visited(answer.statusCode ?? 0, body)));
    });
    request.on('error', (error) => resolve(failed(error)));
    request.end();
  });
}

/** An HTTP/2 connection on which several names can be asked for. */
export class Http2Visitor {
  readonly session: http2.ClientHttp2Session;
  readonly closed: Promise<void>;

  constructor(options: Visit) {
    const { servername = '', ...rest } = connectOptions(options);
    this.session = http2.connect(`https://127.0.0.1:${options.port}`, { ...rest, servername, ALPNProtocols: ['h2'] });
    this.session.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.session.once('close', resolve));
  }

  ask(authority: string, path = '/'): Promise<Visited> {
    return new Promise((resolve) => {
      if (this.session.closed || this.session.destroyed) {
        resolve(failed(new Error('closed')));
        return;
      }
      const stream = this.session.request({ ':authority': authority, ':path': path });
      let status = 0;
      let body = '';
      stream.setEncoding('utf8');
      stream.on('response', (fields) => (status = Number(fields[':status'])));
      stream.on('data', (text: string) => (body += text));
      stream.on('error', () => undefined);
      stream.on('close', () => resolve(visited(status, body)));
    });
  }

  close(): void {
    this.session.destroy();
  }
}

/** A connection whose bytes the test writes; resolves with all that came when it is closed, or after `until` of these. */
export function rawVisit(
  options: Visit & { readonly text: string; readonly alpn?: string[] },
): Promise<{ text: string; reused: boolean; session?: Buffer }> {
  return new Promise((resolve) => {
    let text = '';
    let session: Buffer | undefined;
    let reused = false;
    const socket = tls.connect({ ...connectOptions(options), ALPNProtocols: options.alpn });
    socket.on('session', (ticket) => (session = ticket));
    socket.on('error', () => undefined);
    socket.on('secureConnect', () => {
      reused = socket.isSessionReused();
      socket.write(options.text);
    });
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('close', () => resolve({ text, reused, session }));
  });
}

function visited(status: number, body: string): Visited {
  let code: string | undefined;
  try {
    code = (JSON.parse(body) as { code?: string }).code;
  } catch {
    code = undefined;
  }
  return { status, code, body, error: undefined };
}

function failed(error: NodeJS.ErrnoException): Visited {
  return { status: 0, code: undefined, body: '', error: error.code ?? error.message };
}
