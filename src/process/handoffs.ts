import type { Worker } from 'node:cluster';

interface Handle {
  close(): void;
}

/** What Node's cluster says to a worker when it hands it a connection. */
interface Handoff {
  readonly cmd?: unknown;
  readonly act?: unknown;
  readonly seq?: unknown;
}

/**
 * The primary accepts a connection, hands it to a worker, and keeps it open until the worker says that it has it. When a worker dies
 * before that, Node forgets the connection without closing it: its client would wait for ever, and the descriptor stay. So what a dead
 * worker has not taken is closed here. (It is not handed to another one: nobody knows whether the dead one has read from it.)
 */
export function closeLostConnections({ process: child }: Pick<Worker, 'process'>): void {
  const given = new Map<unknown, Handle>();
  const send = child.send.bind(child) as (...parts: unknown[]) => boolean;
  const sendAndNote = (message: Handoff, handle?: Handle, ...rest: unknown[]): boolean => {
    if (handle !== undefined && message.cmd === 'NODE_CLUSTER' && message.act === 'newconn') given.set(message.seq, handle);
    return send(message, handle, ...rest);
  };
  child.send = sendAndNote as typeof child.send;
  child.on('internalMessage', (message: { ack?: unknown }) => given.delete(message.ack));
  child.once('exit', () => {
    for (const handle of given.values()) handle.close();
  });
}
