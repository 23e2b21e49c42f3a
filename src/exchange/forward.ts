import type { Caller, Exchange } from './exchange.ts';
import { isReserved, judgeName, NameVerdicts, NEVER, PASS, type Verdict } from './forged-names.ts';
import type { HeaderList } from './headers.ts';
import { headerValue } from './headers.ts';
import { HOP_BY_HOP, removeNamedByConnection } from './hop-by-hop.ts';
import { newSpanId, tracestateOf } from './trace-context.ts';

export { isReserved };

/** What a route and its service say about the fields that go to the service. */
export interface ForwardOptions {
  /** Host and port of the service, for `host: service`, and for HTTP/1.0 clients that sent no Host. */
  readonly authority: string;
  /** Whose host the service sees: the one that the client asked for (default), or its own. */
  readonly host?: 'client' | 'service';
  /** Names that are dropped too; a `*` at the end stands for any rest. Wins over `keep`. */
  readonly drop?: readonly string[];
  /** Names, written likewise, that may come from the client though they would be dropped. Reserved ones stay dropped. */
  readonly keep?: readonly string[];
  /** Whether the credential of a known caller goes on (default: `drop`). */
  readonly credentials?: 'drop' | 'forward';
}

/** {@link ForwardOptions}, prepared when the configuration loads. */
export class ForwardRules {
  readonly authority: string;
  readonly ownHost: boolean;
  readonly credentials: boolean;
  readonly #drop: Names | undefined;
  readonly #keep: Names | undefined;

  constructor(options: ForwardOptions) {
    this.authority = options.authority;
    this.ownHost = options.host === 'service';
    this.credentials = options.credentials === 'forward';
    this.#drop = Names.from(options.drop);
    this.#keep = Names.from(options.keep);
  }

  /** True when a client's field of this name goes on. */
  passes(name: string): boolean {
    const verdict = requestNames.of(name);
    if (verdict === NEVER || this.#drop?.has(name) === true) return false;
    return verdict === PASS || this.#keep?.has(name) === true;
  }
}

/** Names as a user lists them: whole, or their beginning and a `*`. */
class Names {
  readonly #whole: ReadonlySet<string>;
  readonly #beginnings: readonly string[];

  private constructor(names: readonly string[]) {
    const lower = names.map((name) => name.toLowerCase());
    this.#whole = new Set(lower.filter((name) => !name.endsWith('*')));
    this.#beginnings = lower.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  }

  static from(names: readonly string[] | undefined): Names | undefined {
    return names === undefined || names.length === 0 ? undefined : new Names(names);
  }

  has(name: string): boolean {
    if (this.#whole.has(name)) return true;
    for (const beginning of this.#beginnings) {
      if (name.startsWith(beginning)) return true;
    }
    return false;
  }
}

// Pure functions of the name, remembered for the whole process: one bounded memory however many routes there are.
const requestNames = new NameVerdicts(judgeName);
const responseNames = new NameVerdicts(judgeResponseName);
const bareNames = new NameVerdicts(judgeBareName);

/**
 * The fields that go to the service. What the client may not say goes first, ours are added last, so that nothing of ours can be
 * taken away by the client and nothing of the client's can pass for ours (CVE-2024-45410). Fields named by `Connection` are gone since the head was read.
 */
export function requestHeaders(x: Exchange, rules: ForwardRules): HeaderList {
  const { head } = x;
  const from = head.headers;
  const own = rules.ownHost || head.authority === '' ? rules.authority : head.authority;
  const to: HeaderList = ['host', own];
  const credential = rules.credentials ? undefined : x.caller?.header;
  for (let i = 0; i < from.length; i += 2) {
    if (rules.passes(from[i]) && from[i] !== credential) to.push(from[i], from[i + 1]);
  }
  const peer = x.connection.peerAddress;
  // What lies between client and peer is hearsay: only the address that we believe and the one that we saw are passed on.
  const chain = x.clientAddress === peer ? peer : `${x.clientAddress}, ${peer}`;
  const asked = x.clientHost ?? (head.authority === '' ? own : head.authority);
  to.push('x-request-id', x.id, 'x-forwarded-for', chain, 'x-forwarded-proto', x.clientScheme, 'x-forwarded-host', asked);
  pushTrace(to, x);
  if (x.caller !== undefined) pushCaller(to, x.caller);
  return to;
}

function pushTrace(to: HeaderList, x: Exchange): void {
  if (x.traceId === '') return;
  to.push('traceparent', `00-${x.traceId}-${newSpanId()}-${x.traceFlags}`);
  // A state belongs to its trace: it goes on only where the client's trace does.
  const parent = headerValue(x.head.headers, 'traceparent');
  if (parent === undefined || !parent.startsWith(x.traceId, 3)) return;
  const state = tracestateOf(x.head.headers);
  if (state !== undefined) to.push('tracestate', state);
}

function pushCaller(to: HeaderList, caller: Caller): void {
  to.push('x-portcullis-caller', visible(caller.name));
  if (caller.subject !== undefined) to.push('x-portcullis-subject', visible(caller.subject));
  if (caller.scopes.length > 0) to.push('x-portcullis-scopes', caller.scopes.map(visible).join(' '));
}

const INVISIBLE = /[^\x21-\x24\x26-\x7e]+/g;

/** Visible ASCII stands for itself, everything else (and `%`, so that it can be undone) is percent-encoded UTF-8: no value can break a line. */
export function visible(text: string): string {
  return text.toWellFormed().replace(INVISIBLE, encodeURIComponent);
}

/** What tells an attacker what the service is made of. The room `route` takes these out of answers, unless its options keep them. */
const PRODUCT = new Set(['server', 'x-powered-by', 'x-aspnet-version', 'x-aspnetmvc-version']);

/** What a service must not say to clients. */
const RESPONSE_NEVER = new Set([
  'x-generator',
  // Would lead clients past the gateway, to another host or port, for as long as they remember it.
  'alt-svc',
  // Ours: an answer carries the gateway's identifier only.
  'x-request-id',
  // Orders to the proxy in front of the service: read this file, change that buffer.
  'x-sendfile',
  'x-lighttpd-send-file',
  'x-reproxy-url',
]);
const RESPONSE_PREFIXES = ['x-portcullis', 'x-accel-', 'x-envoy-', 'proxy-'];

function judgeBareName(name: string): Verdict {
  return PRODUCT.has(name) ? NEVER : judgeResponseName(name);
}

function judgeResponseName(name: string): Verdict {
  if (HOP_BY_HOP.has(name) || RESPONSE_NEVER.has(name)) return NEVER;
  return RESPONSE_PREFIXES.some((prefix) => name.startsWith(prefix)) ? NEVER : PASS;
}

/** The fields of a service's answer that go to the client by way of the rooms, in a list of their own; several `set-cookie` stay apart. */
export function responseHeaders(list: HeaderList): HeaderList {
  return passing(list, responseNames);
}

/** The same for what no room looks at: trailers, and the head that opens a tunnel. */
export function bareResponseHeaders(list: HeaderList): HeaderList {
  return passing(list, bareNames);
}

function passing(list: HeaderList, names: NameVerdicts): HeaderList {
  const to: HeaderList = [];
  let named = false;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i];
    if (names.of(name) === PASS) to.push(name, list[i + 1]);
    else if (name === 'connection') named = true;
  }
  if (named) removeNamedByConnection(to, list);
  return to;
}
