import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Asks for one request: its path and what the answer must hold. `n` counts from 0. */
  readonly request: (n: number) => { path: string; expect: string; method?: string; body?: string };
  readonly tls?: { readonly ca?: string; readonly servername?: string };
  /** A new connection for every request. */
  readonly fresh?: boolean;
}

export interface Failure {
  readonly path: string;
  readonly what: string;
  /** `performance.now()` at which it was noticed. */
  readonly at: number;
}

export interface Load {
  /** Requests that got their own right answer so far. */
  right(): number;
  readonly failures: Failure[];
  /** Lets what runs end, and no more. */
  stop(): Promise<void>;
}

const lookup: LookupFunction = (_host, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

/** A constant load of requests, each connection one after the other; every answer is compared with what it must be. */
export function startLoad(options: LoadOptions): Load {
  const agentOptions = { keepAlive: options.fresh !== true, maxSockets: options.connections };
  const agent =
    options.tls === undefined ? new http.Agent(agentOptions) : new https.Agent({ ...agentOptions, maxCachedSessions: 0 });
  const failures: Failure[] = [];
  let stopped = false;
  let right = 0;
  let n = 0;
  const one = async (): Promise<void> => {
    const { path, expect, method, body } = options.request(n++);
    const what = await ask(options, agent, path, method ?? 'GET', body).then(
      ({ status, text }) => (status === 200 && text.includes(expect) ? undefined : `status ${status}: ${text.slice(0, 200)}`),
      (error: NodeJS.ErrnoException) => `${error.code ?? ''} ${error.message}`,
    );
    if (what === undefined) right++;
    else failures.push({ path, what, at: performance.now() });
  };
  const worker = async (): Promise<void> => {
    while (!stopped) await one();
  };
  const workers = Array.from({ length: options.connections }, worker);
  return {
    right: () => right,
    failures,
    async stop() {
      stopped = true;
      await Promise.all(workers);
      agent.destroy();
    },
  };
}

function ask(
  options: LoadOptions,
  agent: http.Agent,
  path: string,
  method: string,
  body?: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { port, tls } = options;
    const send = tls === undefined ? http.request : https.request;
    const request = send(
      { ...tls, host: tls?.servername ?? '127.0.0.1', lookup, port, path, method, agent, timeout: 20_000 },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.on('error', reject);
        answer.on('aborted', () => reject(new Error('the answer was cut off')));
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 20 s')));
    request.on('error', reject);
    request.end(body);
  });
}
