import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AnswerSink, Call } from '../src/exchange/service.ts';
import type { WireClient } from '../src/upstream/client/client.ts';
import { makeClient } from '../src/upstream/client/make-client.ts';

/**
 * CPU per request of the HTTP/1.1 clients, side by side in one process against a service in another: 64 calls at once on
 * keep-alive connections. `node bench/wire-client.ts [lean|undici] [get|post|large]`; without words: all, several rounds.
 */

const AT_ONCE = 64;
const REQUESTS = 60_000;
const ROUNDS = 5;

const HEADERS = [
  'host',
  'orders.internal',
  'user-agent',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
  'accept',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language',
  'de-CH,de;q=0.9,en;q=0.8',
  'accept-encoding',
  'gzip, deflate, br',
  'referer',
  'https://example.com/shop/orders?page=2',
  'cookie',
  'session=0123456789abcdef; theme=dark; lang=de',
  'sec-fetch-dest',
  'document',
  'sec-fetch-mode',
  'navigate',
  'sec-fetch-site',
  'same-origin',
  'x-request-id',
  '01JD0000000000000000000000',
  'x-forwarded-for',
  '203.0.113.7',
  'x-forwarded-proto',
  'https',
  'x-forwarded-host',
  'api.example.com',
  'traceparent',
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
];

type Kind = 'get' | 'post' | 'large';
const BODY = Buffer.from(JSON.stringify({ items: Array.from({ length: 40 }, (_, i) => ({ id: i, name: `item ${i}` })) }));

function call(kind: Kind, number: number): Call {
  const post = kind === 'post';
  return {
    method: post ? 'POST' : 'GET',
    target: kind === 'large' ? '/large' : `/orders/${number}?a=1&b=${number}&c=3`,
    headers: post ? [...HEADERS, 'content-type', 'application/json'] : [...HEADERS],
    body: post ? BODY : undefined,
    upgrade: false,
    clientAddress: '203.0.113.7',
  };
}

class Load implements AnswerSink {
  static async run(client: WireClient, kind: Kind, requests: number): Promise<void> {
    const load = { client, kind, left: requests, running: 0, done: () => {} };
    await new Promise<void>((resolve) => {
      load.done = resolve;
      for (let i = 0; i < AT_ONCE; i++) new Load(load).next();
    });
  }

  readonly load: { client: WireClient; kind: Kind; left: number; running: number; done: () => void };
  bytes = 0;

  constructor(load: { client: WireClient; kind: Kind; left: number; running: number; done: () => void }) {
    this.load = load;
  }

  next(): void {
    if (this.load.left-- > 0) {
      this.load.running++;
      this.bytes = 0;
      this.load.client.send(call(this.load.kind, this.load.left), this, false);
    } else if (this.load.running === 0) this.load.done();
  }

  onHead(status: number): void {
    if (status !== 200) throw new Error(`status ${status}`);
  }
  onData(chunk: Buffer): boolean {
    this.bytes += chunk.length;
    return true;
  }
  onEnd(): void {
    if (this.bytes < 100) throw new Error(`only ${this.bytes} bytes came`);
    this.load.running--;
    setImmediate(() => this.next());
  }
  onFault(fault: { code: string; reason: string }): void {
    throw new Error(`${fault.code} ${fault.reason}`);
  }
  onUpgrade(): void {}
}

function makeBenchClient(kind: 'lean' | 'undici', port: number): WireClient {
  return makeClient({
    kind,
    protocol: 'http1',
    host: '127.0.0.1',
    address: '127.0.0.1',
    port,
    tls: undefined,
    connectTimeout: 2000,
    idleTimeout: 10_000,
    maxConnections: 1024,
    maxHeadBytes: 64 * 1024,
  });
}

/** A service that costs little, so that the client is what is measured: it counts heads and lengths, no more. */
function serve(): void {
  const small = Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\nETag: W/"abc"\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\nX-Powered-By: bench\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\nContent-Length: 160\r\n\r\n${'x'.repeat(160)}`,
  );
  const large = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n'), Buffer.alloc(262144, 0x78)]);
  const server = createServer({ noDelay: true }, (socket) => {
    let held = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      held += bytes.toString('latin1');
      let end = held.indexOf('\r\n\r\n');
      while (end >= 0) {
        const length = Number(/content-length: (\d+)/.exec(held.slice(0, end))?.[1] ?? 0);
        if (held.length < end + 4 + length) return;
        const isLarge = held.startsWith('GET /large');
        held = held.slice(end + 4 + length);
        socket.write(isLarge ? large : small);
        end = held.indexOf('\r\n\r\n');
      }
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
  process.on('disconnect', () => process.exit());
}

async function measure(client: WireClient, kind: Kind, requests: number): Promise<number> {
  await Load.run(client, kind, requests / 5);
  const before = process.cpuUsage();
  await Load.run(client, kind, requests);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requests;
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function main(): Promise<void> {
  const service = fork(import.meta.filename, ['serve']);
  const [port] = (await once(service, 'message')) as [number];
  const words = process.argv.slice(2);
  const clients = (['lean', 'undici'] as const).filter((name) => words.length === 0 || words.includes(name));
  const kinds = (['get', 'post', 'large'] as const).filter((name) => words.length < 2 || words.includes(name));
  for (const kind of kinds) {
    const figures = new Map<string, number[]>(clients.map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of clients) {
        const client = makeBenchClient(name, port);
        figures.get(name)?.push(await measure(client, kind, kind === 'large' ? REQUESTS / 20 : REQUESTS));
        client.close();
      }
    }
    const row = clients.map((name) => `${name} ${median(figures.get(name) as number[]).toFixed(1)} µs`).join('  ');
    console.log(`${kind.padEnd(6)} CPU per request: ${row}`);
  }
  service.disconnect();
}

if (process.argv[2] === 'serve') serve();
else await main();
