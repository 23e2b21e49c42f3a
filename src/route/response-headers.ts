import type { HeaderList } from '../exchange/headers.ts';

/** A header field that answers get unless the route says otherwise. */
interface Default {
  readonly name: string;
  readonly value: string;
  /** Whether a value that the service sets stays: it knows its content better than we do. */
  readonly serviceWins: boolean;
  /** Pages need a policy of their own; everything else needs none to load, run or be framed. */
  readonly notForHtml?: boolean;
}

/** What OWASP (REST Security and HTTP Headers cheat sheets) and helmet set for an API. */
const DEFAULTS: readonly Default[] = [
  { name: 'x-content-type-options', value: 'nosniff', serviceWins: false },
  { name: 'content-security-policy', value: "default-src 'none'; frame-ancestors 'none'", serviceWins: true, notForHtml: true },
  { name: 'x-frame-options', value: 'SAMEORIGIN', serviceWins: true },
  { name: 'referrer-policy', value: 'no-referrer', serviceWins: true },
  { name: 'cross-origin-resource-policy', value: 'same-origin', serviceWins: true },
];

const HSTS = 'strict-transport-security';
/** One year; subdomains only where the listener says so, because they may not be ours to speak for. */
const HSTS_DEFAULT = 'max-age=31536000';

/** What tells an attacker what the service is made of. */
const REMOVED: readonly string[] = ['server', 'x-powered-by', 'x-aspnet-version', 'x-aspnetmvc-version'];

/** Where `cors` is configured it speaks alone: two `Access-Control-Allow-Origin` are none for a browser. */
const CORS_FIELDS: readonly string[] = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-expose-headers',
  'access-control-max-age',
  'access-control-allow-private-network',
];

/** What to do with a field of the answer that has this name. */
interface Rule {
  readonly drop: boolean;
  /** The bit that remembers that the field is there. */
  readonly bit: number;
}

/** Bits beside those of the defaults. */
const TYPED = 1 << 29;
const VARIES = 1 << 30;

/**
 * What happens to the header list of an answer, decided when the configuration loads: one pass takes out what must not
 * go out and notes what is there, then what is missing is added.
 */
export class HeaderPlan {
  private readonly rules = new Map<string, Rule>();
  /** A bit for the length (modulo 32) of every name in `rules`: most fields need no look-up. */
  private lengths = 0;
  private readonly added: HeaderList = [];
  private readonly defaults: { name: string; value: string; bit: number; notForHtml: boolean }[] = [];
  private readonly addsHsts: boolean;

  /**
   * @param own `response-headers` of the route, names in lower case.
   * @param cors What the route's `cors` asks for: to note `Vary`, and in answers of the service to drop its CORS fields.
   */
  constructor(own: ReadonlyMap<string, string>, cors: 'none' | 'note' | 'replace') {
    this.rule('content-type', { drop: false, bit: TYPED });
    if (cors !== 'none') this.rule('vary', { drop: false, bit: VARIES });
    if (cors === 'replace') for (const name of CORS_FIELDS) this.rule(name, { drop: true, bit: 0 });
    for (const name of REMOVED) this.rule(name, { drop: true, bit: 0 });
    this.rule(HSTS, { drop: true, bit: 0 });
    for (const [index, entry] of DEFAULTS.entries()) if (!own.has(entry.name)) this.addDefault(entry, 1 << index);
    for (const [name, value] of own) this.addOwn(name, value);
    this.addsHsts = !own.has(HSTS);
  }

  /**
   * Changes `headers` in place.
   * @param hsts The value for HSTS, or false for none.
   * @returns True when the answer already varies by origin.
   */
  apply(headers: HeaderList, status: number, hsts: string | false): boolean {
    let kept = 0;
    let seen = 0;
    let html = false;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      if ((this.lengths & (1 << name.length)) !== 0) {
        const rule = this.rules.get(name);
        if (rule?.drop) continue;
        if (rule !== undefined && (rule.bit !== VARIES || variesByOrigin(headers[i + 1]))) seen |= rule.bit;
        if (rule?.bit === TYPED) html = isHtml(headers[i + 1]);
      }
      headers[kept] = name;
      headers[kept + 1] = headers[i + 1];
      kept += 2;
    }
    headers.length = kept;
    // A 304 without a type may refresh a stored page, and would give it the policy of what is no page.
    const page = html || (status === 304 && (seen & TYPED) === 0);
    for (const { name, value, bit, notForHtml } of this.defaults) {
      if ((seen & bit) === 0 && !(page && notForHtml)) headers.push(name, value);
    }
    for (let i = 0; i < this.added.length; i++) headers.push(this.added[i]);
    if (this.addsHsts && hsts !== false) headers.push(HSTS, hsts);
    return (seen & VARIES) !== 0;
  }

  private rule(name: string, rule: Rule): void {
    this.rules.set(name, rule);
    this.lengths |= 1 << name.length;
  }

  private addDefault({ name, value, serviceWins, notForHtml = false }: Default, bit: number): void {
    this.rule(name, { drop: !serviceWins, bit });
    this.defaults.push({ name, value, bit, notForHtml });
  }

  private addOwn(name: string, value: string): void {
    if (value === 'keep') {
      this.rules.delete(name);
      return;
    }
    this.rule(name, { drop: true, bit: 0 });
    if (value !== 'remove') this.added.push(name, value);
  }
}

/** The value for HSTS; false where the client did not come over TLS (RFC 6797 section 7.2) or the listener has it off. */
export function hstsFor(scheme: 'http' | 'https', listener: string | false | undefined): string | false {
  return scheme === 'https' ? (listener ?? HSTS_DEFAULT) : false;
}

/** Names that the route may set on the gateway's own answers too: those that are about safety, not about content. */
export function isSafetyHeader(name: string): boolean {
  return name === HSTS || REMOVED.includes(name) || DEFAULTS.some((entry) => entry.name === name);
}

function isHtml(type: string): boolean {
  const end = type.indexOf(';');
  const essence = (end === -1 ? type : type.slice(0, end)).trim().toLowerCase();
  return essence === 'text/html' || essence === 'application/xhtml+xml';
}

function variesByOrigin(value: string): boolean {
  return value.split(',').some((name) => name.trim() === '*' || name.trim().toLowerCase() === 'origin');
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Fields that belong to the framing, the connection, the content, or the gateway itself. */
const NOT_OWN = new Map<string, string>([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'content-length', 'trailer', 'te', 'upgrade'].map(
    (name) => [name, 'belongs to the connection'] as const,
  ),
  ...['content-type', 'content-encoding', 'content-range', 'set-cookie'].map((name) => [name, 'belongs to the service'] as const),
  ...['date', 'vary', 'x-request-id'].map((name) => [name, 'belongs to the gateway'] as const),
]);

/** Why `name` is not the name of a header field. */
export function headerNameProblem(name: string): string | undefined {
  return TOKEN.test(name) ? undefined : `${JSON.stringify(name)} is not the name of a header`;
}

/** Why a route cannot set the response field `name`. */
export function ownHeaderProblem(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (lower.startsWith('access-control-')) return `${name} is set by \`cors\``;
  const reason = NOT_OWN.get(lower);
  return reason === undefined ? headerNameProblem(name) : `${name} ${reason} and cannot be set here`;
}

/** Why `value` is not the value of a header field. */
export function headerValueProblem(value: string): string | undefined {
  if (value === '' || value !== value.trim()) return 'a header value must not be empty, nor begin or end with white space';
  return /^[\t\x20-\x7e]*$/.test(value) ? undefined : 'a header value is visible ASCII: no line breaks, no control characters';
}
