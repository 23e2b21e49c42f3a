import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';

/**
 * The services that the demo's gateway protects. They are as plain as services are: no authentication, no limits, and they believe
 * what they are told. That is what the gateway is for.
 */

interface Order {
  id: number;
  customer: string;
  sku: string;
  quantity: number;
  status: 'open' | 'shipped';
  note?: string;
}

const orders: Order[] = [
  { id: 1, customer: 'alice', sku: 'ABC-1', quantity: 2, status: 'shipped' },
  { id: 2, customer: 'bob', sku: 'XYZ-42', quantity: 1, status: 'open', note: 'please ring twice' },
];
const stock = new Map([
  ['ABC-1', 17],
  ['XYZ-42', 0],
]);

function json(answer: ServerResponse, status: number, value: unknown): void {
  answer.writeHead(status, { 'content-type': 'application/json', 'x-powered-by': 'demo' }).end(`${JSON.stringify(value)}\n`);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += piece;
  return text;
}

/** Orders, a REST service; openapi/orders.yaml describes it. */
async function serveOrders(request: IncomingMessage, answer: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://orders');
  const customer = /^\/customers\/([^/]+)\/orders$/.exec(pathname)?.[1];
  if (pathname === '/healthz') json(answer, 200, { ok: true });
  else if (request.method === 'POST' && pathname === '/orders') await createOrder(request, answer);
  else if (customer !== undefined)
    json(
      answer,
      200,
      orders.filter((order) => order.customer === customer),
    );
  else if (pathname === '/orders') {
    const status = searchParams.get('status');
    json(
      answer,
      200,
      orders.filter((order) => status === null || order.status === status),
    );
  } else {
    const order = orders.find(({ id }) => pathname === `/orders/${id}`);
    json(answer, order === undefined ? 404 : 200, order ?? { error: 'no such order' });
  }
}

async function createOrder(request: IncomingMessage, answer: ServerResponse): Promise<void> {
  try {
    const wanted = JSON.parse(await bodyOf(request)) as Partial<Order>;
    const order: Order = {
      id: orders.length + 1,
      customer: String(request.headers['x-portcullis-subject']),
      sku: String(wanted.sku),
      quantity: Number(wanted.quantity),
      status: 'open',
      note: wanted.note,
    };
    orders.push(order);
    json(answer, 201, order);
  } catch {
    json(answer, 400, { error: 'not JSON' });
  }
}

/** Stock, another REST service, with baskets. It tells what it was sent, so that the demo can show what the gateway passes on. */
function serveStock(request: IncomingMessage, answer: ServerResponse): void {
  const path = (request.url ?? '').split('?')[0];
  const you_sent = request.headers;
  if (path === '/basket') return json(answer, 200, { items: request.method === 'POST' ? 1 : 0, you_sent });
  const sku = decodeURIComponent(path.replace('/stock/', ''));
  const left = stock.get(sku);
  json(answer, left === undefined ? 404 : 200, { sku, left, you_sent });
}

function listen(listener: RequestListener, port: number): Promise<Server> {
  const server = createServer(listener);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** Starts all services; gives a function that stops them. */
export async function startServices(): Promise<() => void> {
  const takeOrders: RequestListener = (request, answer) => void serveOrders(request, answer);
  const chat = await listen((_request, answer) => json(answer, 426, { error: 'this is a WebSocket' }), 7104);
  const servers = [await listen(takeOrders, 7101), await listen(takeOrders, 7102), await listen(serveStock, 7103), chat];
  const sockets = new WebSocketServer({ server: chat });
  sockets.on('connection', (socket) => {
    socket.send('welcome');
    socket.on('message', (text: Buffer) => socket.send(`you said: ${text.toString()}`));
  });
  return () => {
    for (const socket of sockets.clients) socket.terminate();
    for (const server of servers) server.close().closeAllConnections();
  };
}
