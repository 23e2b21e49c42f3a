import http from 'node:http';

export interface Client {
  readonly port: number;
  /** Requests a second, answered or not. */
  readonly rate: number;
  readonly path: string;
  readonly headers?: Record<string, string>;
  /** Connections of its own; requests take the first that is free. */
  readonly connections?: number;
}

export interface Answered {
  readonly client: Client;
  /** `performance.now()`. */
  readonly sent: number;
  readonly ended: number;
  /** 0: the connection failed. */
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
}

export interface Spread {
  readonly answers: readonly Answered[];
  /** `performance.now()` before the first request. */
  readonly begun: number;
  /** Sends no more, and is over when the last answer is there: the time at which sending ended. */
  stop(): Promise<number>;
}

/** Clients that send at their own pace, whatever the answers are: what a limit lets through is then up to the limit. */
export function startSpread(clients: readonly Client[]): Spread {
  const begun = performance.now();
  const answers: Answered[] = [];
  const pending = new Set<Promise<void>>();
  const senders = clients.map((client) => ({
    client,
    agent: new http.Agent({ keepAlive: true, maxSockets: client.connections ?? 32 }),
    sent: 0,
  }));
  const send = ({ client, agent }: (typeof senders)[number]): void => {
    const one = ask(client, agent).then((answer) => {
      answers.push(answer);
      pending.delete(one);
    });
    pending.add(one);
  };
  const timer = setInterval(() => {
    const seconds = (performance.now() - begun) / 1000;
    for (const sender of senders) for (; sender.sent < seconds * sender.client.rate; sender.sent++) send(sender);
  }, 5);
  return {
    answers,
    begun,
    async stop() {
      clearInterval(timer);
      const ended = performance.now();
      await Promise.all(pending);
      for (const { agent } of senders) agent.destroy();
      return ended;
    },
  };
}

function ask(client: Client, agent: http.Agent): Promise<Answered> {
  const sent = performance.now();
  return new Promise((resolve) => {
    const { port, path, headers } = client;
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent }, (answer) => {
      const end = (): void =>
        resolve({ client, sent, ended: performance.now(), status: answer.statusCode ?? 0, headers: answer.headers });
      answer.resume().on('end', end).on('error', end);
    });
    request.on('error', () => resolve({ client, sent, ended: performance.now(), status: 0, headers: {} }));
  });
}
