import path from 'node:path';
import { styleText } from 'node:util';

const GATEWAY = 'https://127.0.0.1:8443';
const ISSUER = 'http://127.0.0.1:7105';
const ADMIN = 'http://127.0.0.1:9443';
const ACCESS = '.demo/access.jsonl';
const EVENTS = '.demo/events.jsonl';

const WEBSOCKET =
  "-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='";

const TWO_LENGTHS =
  'POST /orders HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n';

const JSON_BODY = "-H 'Content-Type: application/json'";

const ORDER = `${JSON_BODY} -d '{"sku":"ABC-1","quantity":3}'`;

/** What is shown when the demo runs: where everything is, and lines to paste. Each line runs in the folder of the repository. */
export function guide(config: string): string {
  const file = path.relative(process.cwd(), config);
  return `
${GATEWAY} is the gateway, with a certificate made at start (hence curl -k). Behind it stand the services orders (ports 7101
and 7102), stock (7103) and chat (7104); beside it the identity provider (7105). ${file} is its configuration.
In .demo is what was made for this start: tokens of Alice and Bob for an hour, a key of Acme for a day.

${title(`Open ${ADMIN}/ in a browser`)}: the status page shows live what is let through, what is refused and by which room.

${title('Paste these into another terminal')}
${samples(
  'authenticate: a token, an opaque one, a key; none: 401; a revoked one: 401; a wrong key: 401; from another site (CSRF): 403',
  [
    `curl -ik ${GATEWAY}/orders/1 -H @.demo/alice`,
    `curl -ik ${GATEWAY}/orders/1 -H @.demo/visitor`,
    `curl -ik ${GATEWAY}/orders/1 -H @.demo/acme`,
    `curl -ik ${GATEWAY}/orders/1`,
    `curl -ik ${GATEWAY}/orders/1 -H @.demo/revoked`,
    `curl -ik ${GATEWAY}/orders/1 -H 'X-Api-Key: pcl_000000000000000000000000000000000000'`,
    `curl -ik ${GATEWAY}/basket -H 'Cookie: session=1' -H 'Origin: https://evil.example' -d item=1`,
  ],
)}
${samples("authorize: Alice orders, Bob may only read: 403; Alice's orders for her, not for Bob: 403", [
  `curl -ik ${GATEWAY}/orders -H @.demo/alice ${ORDER}`,
  `curl -ik ${GATEWAY}/orders -H @.demo/bob ${ORDER}`,
  `curl -ik ${GATEWAY}/customers/alice/orders -H @.demo/alice`,
  `curl -ik ${GATEWAY}/customers/alice/orders -H @.demo/bob`,
])}
${samples('limit: ten at once, then one every two seconds: 429', [
  `curl -sk -o /dev/null -w '%{http_code} ' '${GATEWAY}/stock/ABC-1?[1-20]'`,
])}
${samples(
  'validate: what the contract (openapi/orders.yaml) does not allow, with its place: 422, 400; no JSON: 415; too large: 413',
  [
    `curl -ik ${GATEWAY}/orders -H @.demo/alice ${JSON_BODY} -d '{"sku":"ABC-1","quantity":1000}'`,
    `curl -ik ${GATEWAY}/orders -H @.demo/alice ${JSON_BODY} -d '{"sku":"ABC-1","quantity":3,"status":"shipped"}'`,
    `curl -ik '${GATEWAY}/orders?status=lost' -H @.demo/alice`,
    `curl -ik ${GATEWAY}/orders -H @.demo/alice -d sku=ABC-1`,
    `head -c 70000 /dev/zero | curl -ik ${GATEWAY}/orders -H @.demo/alice ${JSON_BODY} --data-binary @-`,
  ],
)}
${samples('waf: SQL in a query, a script in a note that the contract allows: 403; which rules found the last one, and where', [
  `curl -ik '${GATEWAY}/basket?item=1%27%20UNION%20SELECT%20name,password%20FROM%20users--'`,
  `curl -ik ${GATEWAY}/orders -H @.demo/alice ${JSON_BODY} -d '{"sku":"ABC-1","quantity":3,"note":"<script>alert(1)</script>"}'`,
  `grep '"room":"waf"' ${ACCESS} | tail -n 1`,
])}
${samples('route: a method that the route does not have: 405; a WebSocket, for three seconds; one from another site: 403', [
  `curl -ik -X DELETE ${GATEWAY}/orders/1`,
  `curl -iNk --http1.1 --max-time 3 ${GATEWAY}/chat ${WEBSOCKET}`,
  `curl -ik --http1.1 ${GATEWAY}/chat -H 'Origin: https://evil.example' ${WEBSOCKET}`,
])}
${samples('listen: a path with two readings: 400; two lengths (request smuggling): 400', [
  `curl -ik --path-as-is ${GATEWAY}/orders/..%2f..%2fetc/passwd`,
  `printf '${TWO_LENGTHS}' | openssl s_client -quiet -connect 127.0.0.1:8443 2>/dev/null`,
])}
${samples('upstream: forged identity and addresses do not reach the service, which tells what it got', [
  `curl -k ${GATEWAY}/basket -H 'X-Portcullis-Subject: admin' -H 'X_User_Id: admin' -H 'X-Forwarded-For: 10.0.0.1'`,
])}
${samples('observe: what was decided and why; what somebody should look at; what was counted', [
  `tail -n 5 ${ACCESS}`,
  `tail -n 5 ${EVENTS}`,
  `curl -s ${ADMIN}/metrics | grep requests_total`,
])}
${samples('configuration: what is protected how; what the checklist says of it', [
  `npm run -s portcullis -- routes --config ${file}`,
  `npm run -s portcullis -- audit --config ${file}`,
])}
${samples('identity provider: a new token', [
  `curl -s ${ISSUER}/token -K .demo/alice.client -d grant_type=client_credentials -d scope=orders:read`,
])}

Edit ${file} while it runs: it is taken over when it is saved, or you are told what is wrong with it.
Ctrl-C stops everything.`;
}

function title(text: string): string {
  return process.stdout.isTTY ? styleText('bold', text) : text;
}

function samples(what: string, lines: readonly string[]): string {
  const comment = `# ${what}`;
  return [process.stdout.isTTY ? styleText('dim', comment) : comment, ...lines].map((line) => `  ${line}`).join('\n');
}
