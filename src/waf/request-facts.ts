import type { Exchange } from '../exchange/exchange.ts';
import { queryOf } from '../exchange/query.ts';
import type { FormField } from '../exchange/body/parsed.ts';
import type { RequestFacts, Values } from './engine/transaction/facts.ts';

const PROTOCOLS = { '1.0': 'HTTP/1.0', '1.1': 'HTTP/1.1', '2': 'HTTP/2.0' } as const;

/** What rules are told about the head of a request: the one reading of it, as byte strings. */
export function requestFacts(x: Exchange): RequestFacts {
  const { head, connection } = x;
  const raw = rawPath(head.rawTarget);
  return {
    method: head.method,
    rawTarget: head.rawTarget,
    rawPath: raw,
    path: decodePath(raw),
    query: head.query ?? '',
    protocol: PROTOCOLS[head.version],
    headers: headersWithHost(x),
    queryFields: fieldsOf(queryOf(x).fields),
    clientAddress: x.clientAddress,
    clientPort: connection.peerPort,
    serverName: head.host,
    serverPort: connection.secure ? 443 : 80,
    id: x.id,
    time: x.time,
    user: x.caller?.subject ?? '',
  };
}

/** Undoes percent escapes once, byte by byte; one that is none stays. Rules take REQUEST_FILENAME so. */
function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** The path as the client wrote it. */
function rawPath(target: string): string {
  const question = target.indexOf('?');
  const withoutQuery = question < 0 ? target : target.slice(0, question);
  const scheme = withoutQuery.startsWith('/') ? -1 : withoutQuery.indexOf('://');
  if (scheme < 0) return withoutQuery;
  const slash = withoutQuery.indexOf('/', scheme + 3);
  return slash < 0 ? '/' : withoutQuery.slice(slash);
}

/** HTTP/2 has the host in a pseudo-field: rules find it where HTTP/1 has it. */
function headersWithHost({ head }: Exchange): readonly string[] {
  if (head.version !== '2' || head.authority === '') return head.headers;
  return head.headers.includes('host') ? head.headers : ['host', head.authority, ...head.headers];
}

/** Fields of a query or a form. */
export function fieldsOf(fields: readonly FormField[]): Values {
  const names: string[] = [];
  const values: string[] = [];
  for (const { name, value } of fields) {
    names.push(name);
    values.push(value);
  }
  return { names, values };
}
