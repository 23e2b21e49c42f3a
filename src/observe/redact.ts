import type { Log } from '../pipeline/stage.ts';

/**
 * What may be shown, in one place that every sink passes through: the access record, the events and the gateway's own log. Two classes:
 *
 * - **credentials** are hidden always, whatever is configured. The record and the events are built from what is known to hold none
 *   (no header, no query, no body), and the log, in which causes of errors may carry what they were given, is searched for their forms.
 * - **personal** is what the configuration marks under `observe.redact`: path parameters, named fields, the subject, the client's address.
 */
export interface RedactOptions {
  /** Path parameters, by name. */
  readonly parameters: readonly string[];
  /** Headers, query parameters, cookies, members of bodies, by name. */
  readonly fields: readonly string[];
  readonly subject: 'keep' | 'hide';
  readonly address: 'keep' | 'network';
}

/** What stands in the place of a hidden value. */
export const HIDDEN = '[hidden]';

const OPEN: RedactOptions = { parameters: [], fields: [], subject: 'keep', address: 'keep' };

/** What a configuration calls personal, ready to be asked for each request. */
export class Redaction {
  readonly hidesSubject: boolean;
  readonly #network: boolean;
  readonly #fields: ReadonlySet<string>;
  /** Where marked parameters stand, by the text of the pattern; undefined where none is marked, and a request pays nothing. */
  readonly #patterns: ReadonlyMap<string, MarkedPattern> | undefined;
  readonly #prefixes: readonly (readonly string[])[];

  /** @param patterns - path patterns of all routes */
  constructor(options: RedactOptions = OPEN, patterns: readonly string[] = []) {
    this.hidesSubject = options.subject === 'hide';
    this.#network = options.address === 'network';
    this.#fields = new Set(options.fields.map((name) => name.toLowerCase()));
    const parameters = new Set(options.parameters);
    const marked = patterns.flatMap((pattern) => markedPattern(pattern, parameters) ?? []);
    this.#patterns = marked.length === 0 ? undefined : new Map(marked.map((one) => [one.text, one]));
    this.#prefixes = marked.map((one) => one.segments.slice(0, one.first));
  }

  /** The canonical path of a request; `route` is the pattern that it matched. */
  path(path: string, route: string | undefined): string {
    if (this.#patterns === undefined) return path;
    const pattern = route === undefined ? undefined : this.#patterns.get(route);
    if (pattern !== undefined) return withoutMarked(path, pattern);
    // A wildcard takes what a marked parameter of another route would have.
    return route === undefined || route.includes('*') ? this.#lostPath(path) : path;
  }

  /** A target that was not understood: where a parameter is marked, nobody can tell where in it that stands. */
  unreadPath(target: string): string {
    const path = rawPath(target);
    return this.#patterns === undefined || path === '' ? path : '…';
  }

  address(address: string): string {
    return this.#network ? networkOf(address) : address;
  }

  /** A log whose lines do not show marked fields. */
  guard(log: Log): Log {
    return this.#fields.size === 0 ? log : guardLog(log, this.#fields);
  }

  /** Its segments have no names: it is cut where the values of a marked parameter begin. */
  #lostPath(path: string): string {
    const segments = path.split('/').slice(1);
    let cut = segments.length;
    for (const prefix of this.#prefixes) if (prefix.length < cut && startsWith(segments, prefix)) cut = prefix.length;
    return cut === segments.length ? path : `/${[...segments.slice(0, cut), '…'].join('/')}`;
  }
}

interface MarkedPattern {
  readonly text: string;
  readonly segments: readonly string[];
  /** Which segments are marked parameters; `first` is the first of them. */
  readonly marked: readonly number[];
  readonly first: number;
}

function markedPattern(text: string, parameters: ReadonlySet<string>): MarkedPattern | undefined {
  const segments = text.split('/').slice(1);
  const marked = segments.flatMap((segment, i) => (isParameter(segment) && parameters.has(segment.slice(1, -1)) ? [i] : []));
  return marked.length === 0 ? undefined : { text, segments, marked, first: marked[0] };
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('}');
}

function withoutMarked(path: string, { segments, marked }: MarkedPattern): string {
  const shown = path.split('/').slice(1);
  for (const i of marked) if (i < shown.length) shown[i] = segments[i];
  return `/${shown.join('/')}`;
}

/** Whether a path goes the way of these segments of a pattern. In doubt it does: a literal in another spelling hides as well. */
function startsWith(segments: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((one, i) => isParameter(one) || one.startsWith('*') || alike(one, segments[i]));
}

function alike(pattern: string, segment: string): boolean {
  const wanted = pattern.toLowerCase();
  return wanted === segment.toLowerCase() || wanted === decoded(segment).toLowerCase();
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A target without query and fragment, and without scheme, credentials and host of an absolute form. */
function rawPath(target: string): string {
  const end = target.search(/[?#]/);
  const bare = end < 0 ? target : target.slice(0, end);
  if (bare.startsWith('/')) return bare;
  const authority = bare.indexOf('://');
  const from = authority < 0 ? bare.lastIndexOf('@') + 1 : bare.indexOf('/', authority + 3);
  return from < 0 ? '' : bare.slice(from);
}

/** The network of an address: /24, and /48 of IPv6, which is what one site has. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address.replace(/\.\d+$/, '.0');
  const [head, tail] = address.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const groups = tail === undefined ? before : [...before, '0', '0', '0'];
  return `${groups.slice(0, 3).join(':')}::`;
}

// ---- credentials in the text of the log

const CREDENTIAL_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api-key',
  'apikey',
  'dpop',
  'x-auth-token',
]);

const CREDENTIAL_FIELDS = new Set([
  ...CREDENTIAL_HEADERS,
  'access_token',
  'refresh_token',
  'id_token',
  'token',
  'api_key',
  'client_secret',
  'client_assertion',
  'password',
  'passwd',
  'pwd',
  'assertion',
  'private_key',
  'session',
  'sessionid',
  'signature',
]);

// Each begins where no character of the same kind stands before it, or has a bounded beginning: no text is searched twice.
/** What stands before the @ of a URL. */
const USERINFO = /\/\/[^\s/?#@"'<>]{1,1024}@/g;
/** A JWT: two parts at least. */
const JWT = /(?<![\w-])eyJ[\w-]{4,}\.[\w-]{2,}(?:\.[\w-]*){0,3}/g;
/** Our own API keys. */
const API_KEY = /(?<!\w)pcl_\w{8,}/g;
const SCHEME = /(?<!\w)(Bearer|Basic|DPoP|Digest|Negotiate) +[\w.~+/=-]{8,}/g;
const PEM = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}-----)?/g;
/** A name, and how the value that follows it ends. Values are looked at only behind a name that counts: any of them may hold the next name. */
interface Named {
  readonly name: RegExp;
  readonly value: RegExp;
}

/** `name=value` of a query, a form or a cookie. */
const PAIR: Named = { name: /(?<![\w-])([\w-]{1,64})=/g, value: /"[^"]*"?|[^\s&;,"'<>]*/y };
/** `"name":"value"` of JSON. */
const MEMBER: Named = { name: /(?<!\\)"([\w-]{1,64})" ?: ?"/g, value: /(?:[^"\\]|\\.)*/sy };
/** The same in a text of JSON. */
const INNER_MEMBER: Named = { name: /\\"([\w-]{1,64})\\" ?: ?\\"/g, value: /(?:[^"\\]|\\\\(?:\\"|.)?|\\[^"\\])*/sy };
/** `name: value` of a header field, up to the end of the line. */
const FIELD: Named = { name: /(?<![\w-])([\w-]{1,64}): */g, value: /[^\r\n]*/y };

function hideNamed(text: string, { name, value }: Named, counts: (name: string) => boolean): string {
  let shown = '';
  let from = 0;
  name.lastIndex = 0;
  for (let found = name.exec(text); found !== null; found = name.exec(text)) {
    if (!counts(found[1])) continue;
    value.lastIndex = name.lastIndex;
    const [hidden] = value.exec(text) ?? [''];
    if (hidden === '') continue;
    shown += text.slice(from, name.lastIndex) + HIDDEN;
    from = name.lastIndex + hidden.length;
    name.lastIndex = from;
  }
  return shown + text.slice(from);
}

/** Beyond this nothing of a text is shown: a line of the log is for people. */
const LONGEST = 16 * 1024;
const NOTHING: ReadonlySet<string> = new Set();

function hideCredentials(text: string, personal: ReadonlySet<string>): string {
  const among = (names: ReadonlySet<string>) => (name: string) =>
    names.has(name.toLowerCase()) || personal.has(name.toLowerCase());
  const [field, header] = [among(CREDENTIAL_FIELDS), among(CREDENTIAL_HEADERS)];
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  const formless = short
    .replace(PEM, HIDDEN)
    .replace(USERINFO, `//${HIDDEN}@`)
    .replace(JWT, HIDDEN)
    .replace(API_KEY, HIDDEN)
    .replace(SCHEME, (_, scheme: string) => `${scheme} ${HIDDEN}`);
  const members = hideNamed(hideNamed(formless, INNER_MEMBER, field), MEMBER, field);
  return hideNamed(hideNamed(members, PAIR, field), FIELD, header);
}

/** A log without credentials; `personal` are names of fields that are hidden as well. Every line that the gateway logs passes here. */
export function guardLog(log: Log, personal: ReadonlySet<string> = NOTHING): Log {
  const cleaner = new Cleaner(personal);
  return {
    info: (message, fields) => log.info(cleaner.text(message), cleaner.fields(fields)),
    warn: (message, fields) => log.warn(cleaner.text(message), cleaner.fields(fields)),
    error: (message, fields) => log.error(cleaner.text(message), cleaner.fields(fields)),
  };
}

/** Deeper than this no field of ours goes; a cycle ends here. */
const DEEPEST = 8;

class Cleaner {
  readonly #personal: ReadonlySet<string>;

  constructor(personal: ReadonlySet<string>) {
    this.#personal = personal;
  }

  text(text: string): string {
    return hideCredentials(text, this.#personal);
  }

  fields(fields: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
    return fields && this.#members(fields, 0);
  }

  #members(value: object, depth: number): Record<string, unknown> {
    const entries = Object.entries(value).map(([name, item]: [string, unknown]) => [name, this.#member(name, item, depth)]);
    return Object.fromEntries(entries) as Record<string, unknown>;
  }

  #member(name: string, item: unknown, depth: number): unknown {
    const lower = name.toLowerCase();
    const named = typeof item !== 'number' && (CREDENTIAL_FIELDS.has(lower) || this.#personal.has(lower));
    return named && item !== undefined ? HIDDEN : this.#value(item, depth + 1);
  }

  #value(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null || value instanceof Date) return value;
    if (depth > DEEPEST) return '…';
    if (value instanceof Error) return this.#error(value, depth);
    if (Array.isArray(value)) return value.map((item: unknown) => this.#value(item, depth + 1));
    // Bytes are what somebody sent.
    return ArrayBuffer.isView(value) ? `${value.byteLength} bytes` : this.#members(value, depth);
  }

  #error(error: Error, depth: number): Error {
    const { cause: inner } = error;
    const cause = inner instanceof Error && depth < DEEPEST ? this.#error(inner, depth + 1) : undefined;
    const stack = error.stack === undefined ? undefined : this.text(error.stack);
    const { code } = error as NodeJS.ErrnoException;
    return Object.assign(new Error(this.text(error.message), { cause }), { name: error.name, code, stack });
  }
}
