import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';
import { startServices } from './services.ts';

/**
 * `npm start`: three kinds of services, the gateway in front of them over TLS, and lines to paste that show what it lets through and
 * what it refuses. Ends with Ctrl-C.
 */

const here = import.meta.dirname;
const config = path.join(here, 'portcullis.yaml');
const accessLog = path.join(here, 'access.jsonl');
const main = path.resolve(here, '../../src/main.ts');

const guide = `
${title('What is where')}
  https://127.0.0.1:8443   the gateway (TLS with a certificate made at start, hence curl -k)
  http://127.0.0.1:8080    redirects to it
  http://127.0.0.1:9443    admin: /healthz /readyz /metrics
  http://127.0.0.1:7101…4  the services: orders (twice), stock, chat
  ${path.relative(process.cwd(), config)}   the configuration; change it while this runs
  ${path.relative(process.cwd(), accessLog)}   one line of JSON per request

${title('Paste these')}
${sample('a request passes, over HTTP/2', 'curl -k https://127.0.0.1:8443/orders/1')}
${sample('a body passes', `curl -k https://127.0.0.1:8443/orders -H 'content-type: application/json' -d '{"sku":"ABC-1","quantity":3}'`)}
${sample('forged identity and address never arrive', `curl -k https://127.0.0.1:8443/stock/ABC-1 -H 'X-User-Id: admin' -H 'X_Forwarded_For: 10.0.0.1' -H 'X-Forwarded-For: 10.0.0.1'`)}
${sample('a WebSocket opens (stop with Ctrl-C)', `curl -k --http1.1 -iN --max-time 3 https://127.0.0.1:8443/chat -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='`)}
${sample('refused: the same from a foreign page', `curl -k --http1.1 -i https://127.0.0.1:8443/chat -H 'Origin: https://evil.example' -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='`)}
${sample('refused: a path with two readings', 'curl -k --path-as-is -i https://127.0.0.1:8443/orders/..%2f..%2fetc/passwd')}
${sample('refused: a method that the route does not have', 'curl -k -i -X DELETE https://127.0.0.1:8443/orders/1')}
${sample('refused: two lengths (request smuggling)', `printf 'POST /orders HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n' | openssl s_client -quiet -connect 127.0.0.1:8443 2>/dev/null`)}
${sample('refused: a body beyond the bound', `head -c 70000 /dev/zero | curl -k -i --data-binary @- https://127.0.0.1:8443/orders`)}
${sample('what was decided, and why', `tail -n 5 ${path.relative(process.cwd(), accessLog)}`)}

Ctrl-C stops everything.
`;

function title(text: string): string {
  return process.stdout.isTTY ? styleText('bold', text) : text;
}

function sample(what: string, line: string): string {
  return `  ${process.stdout.isTTY ? styleText('dim', `# ${what}`) : `# ${what}`}\n  ${line}`;
}

if (existsSync(accessLog)) rmSync(accessLog);
const stopServices = await startServices();
const gateway = spawn(process.execPath, [main, 'start', '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] });
gateway.stdout.on('data', (text: Buffer) => {
  process.stdout.write(text);
  if (text.includes('portcullis ready')) process.stdout.write(guide);
});
gateway.on('exit', (code) => {
  stopServices();
  process.exitCode = code ?? 1;
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => gateway.kill('SIGTERM'));
