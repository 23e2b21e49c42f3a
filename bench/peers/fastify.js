/** @fastify/http-proxy as its manual shows it, with as many connections as the bench has. `node fastify.js PORT SERVICE-PORT` */
import proxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, service] = process.argv.slice(2);
const server = fastify();
server.register(proxy, { upstream: `http://127.0.0.1:${service}`, undici: { connections: 64, pipelining: 1 } });
await server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
