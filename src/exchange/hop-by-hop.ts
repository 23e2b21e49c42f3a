import type { HeaderList } from './headers.ts';

/** Fields that belong to one connection (RFC 9110 section 7.6.1) or frame one message: the next hop gets its own. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Fields that no `Connection` option may take away: those that carry security, framing or the meaning of the message.
 * RFC 9110 forbids senders to name such fields; who does so wants a check and the service to see two different messages
 * (CVE-2024-45410, CVE-2026-33805). The option is ignored and the field stays, rather than a 400: some load
 * balancers do write `Connection: TE, X-Real-IP` by themselves.
 */
const END_TO_END: ReadonlySet<string> = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'accept-ranges',
  'age',
  'allow',
  'authentication-info',
  'authorization',
  'cache-control',
  'client-cert',
  'client-cert-chain',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'content-security-policy',
  'content-type',
  'cookie',
  'date',
  'digest',
  'dpop',
  'etag',
  'expires',
  'forwarded',
  'from',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'link',
  'location',
  'max-forwards',
  'origin',
  'permissions-policy',
  'pragma',
  'range',
  'referer',
  'referrer-policy',
  'repr-digest',
  'retry-after',
  'set-cookie',
  'signature',
  'signature-input',
  'strict-transport-security',
  'traceparent',
  'tracestate',
  'true-client-ip',
  'user-agent',
  'vary',
  'via',
  'warning',
  'www-authenticate',
  'x-api-key',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-content-type-options',
  'x-csrf-token',
  'x-frame-options',
  'x-real-ip',
  'x-request-id',
  'x-xsrf-token',
]);
const END_TO_END_PREFIX = /^(?:access-control-|cf-|cross-origin-|fastly-|sec-|x-forwarded|x-portcullis)/;

/** What nearly every `Connection` says: then there is nothing to take away. */
const USUAL: ReadonlySet<string> = new Set([
  'keep-alive',
  'close',
  'upgrade',
  'keep-alive, upgrade',
  'te',
  'close, te',
  'te, close',
]);

/**
 * Takes out of `list`, in place, the fields that the `Connection` fields in `source` name. For requests this is done once,
 * where the head is read, before any room looks: a field that goes is one that was never sent, for every check and for
 * the service alike.
 */
export function removeNamedByConnection(list: HeaderList, source: HeaderList = list): void {
  let named: Set<string> | undefined;
  for (let i = 0; i < source.length; i += 2) {
    if (source[i] !== 'connection') continue;
    const value = source[i + 1].toLowerCase();
    if (USUAL.has(value)) continue;
    for (const option of value.split(',')) {
      const name = option.trim();
      if (!HOP_BY_HOP.has(name) && !isEndToEnd(name)) (named ??= new Set()).add(name);
    }
  }
  if (named !== undefined) removeAll(list, named);
}

function isEndToEnd(name: string): boolean {
  return END_TO_END.has(name) || END_TO_END_PREFIX.test(name);
}

function removeAll(list: HeaderList, names: ReadonlySet<string>): void {
  let kept = 0;
  for (let i = 0; i < list.length; i += 2) {
    if (names.has(list[i])) continue;
    list[kept] = list[i];
    list[kept + 1] = list[i + 1];
    kept += 2;
  }
  list.length = kept;
}
