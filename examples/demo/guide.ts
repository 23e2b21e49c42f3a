import path from 'node:path';
import { styleText } from 'node:util';

const GATEWAY = 'https://127.0.0.1:8443';

const WEBSOCKET =
  "-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='";

const TWO_LENGTHS =
  'POST /orders HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n';

/** What is shown when the demo runs: where everything is, and lines to paste. Each line runs in the folder of the repository. */
export function guide(files: { readonly config: string; readonly accessLog: string }): string {
  const config = path.relative(process.cwd(), files.config);
  const accessLog = path.relative(process.cwd(), files.accessLog);
  return `
${title('What is where')}
  ${GATEWAY}   the gateway (its certificate is made at start, hence curl -k)
  http://127.0.0.1:8080    redirects to it
  http://127.0.0.1:9443    admin: /healthz, /readyz, /metrics
  http://127.0.0.1:7101    the services: orders (7101 and 7102), stock (7103), chat (7104)
  ${config}   the configuration
  ${accessLog}      one line of JSON for each request

${title('Paste these into another terminal')}
${sample('passes, over HTTP/2', `curl -k ${GATEWAY}/orders/1`)}
${sample('passes, with a body', `curl -k ${GATEWAY}/orders -H 'content-type: application/json' -d '{"sku":"ABC-1","quantity":3}'`)}
${sample('passes, without the forged identity and address', `curl -k ${GATEWAY}/stock/ABC-1 -H 'X-User-Id: admin' -H 'X_Forwarded_For: 10.0.0.1' -H 'X-Forwarded-For: 10.0.0.1'`)}
${sample('passes: a WebSocket, for three seconds', `curl -k --http1.1 -iN --max-time 3 ${GATEWAY}/chat ${WEBSOCKET}`)}
${sample('refused: the same from a foreign page', `curl -k --http1.1 -i ${GATEWAY}/chat -H 'Origin: https://evil.example' ${WEBSOCKET}`)}
${sample('refused: a path with two readings', `curl -k --path-as-is -i ${GATEWAY}/orders/..%2f..%2fetc/passwd`)}
${sample('refused: a method that the route does not have', `curl -k -i -X DELETE ${GATEWAY}/orders/1`)}
${sample('refused: two lengths (request smuggling)', `printf '${TWO_LENGTHS}' | openssl s_client -quiet -connect 127.0.0.1:8443 2>/dev/null`)}
${sample('refused: a body beyond the bound', `head -c 70000 /dev/zero | curl -k -i --data-binary @- ${GATEWAY}/orders`)}
${sample('what was decided, and why', `tail -n 5 ${accessLog}`)}
${sample('what was counted', 'curl -s http://127.0.0.1:9443/metrics | grep requests_total')}
${sample('what is protected how', `npm run -s portcullis -- routes --config ${config}`)}

${title('Change it while it runs')}
  Edit ${config}, such as \`methods: [GET]\` for /orders/**, and save: this terminal says
  that it has been reloaded. Misspell a key: it says which and where, and what served before serves on.

Ctrl-C stops everything.`;
}

function title(text: string): string {
  return process.stdout.isTTY ? styleText('bold', text) : text;
}

function sample(what: string, line: string): string {
  return `  ${process.stdout.isTTY ? styleText('dim', `# ${what}`) : `# ${what}`}\n  ${line}`;
}
