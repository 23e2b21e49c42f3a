import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/**
 * Formats of JSON Schema 2020-12 and of OpenAPI's registry. Each is linear in the text; expressions here have no two ways to match the
 * same text. (ajv-formats has expressions that backtrack, and takes `urn:uuid:` for a UUID.)
 */
export type Format =
  | { readonly type: 'string'; readonly validate: (text: string) => boolean }
  | { readonly type: 'number'; readonly validate: (number: number) => boolean };

const text = (validate: (text: string) => boolean): Format => ({ type: 'string', validate });
const matching = (expression: RegExp): Format => text((value) => expression.test(value));
const integer = (least: number, most: number): Format => ({
  type: 'number',
  validate: (number) => Number.isInteger(number) && number >= least && number <= most,
});
const anything: Format = text(() => true);

const URI_TEMPLATE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 6570 leaves them out of literals
  /^(?:[^\x00-\x20\x7f"'<>%\\^`{|}]|%[0-9a-f]{2}|\{[+#./;?&=,!@|]?(?:\w|%[0-9a-f]{2})(?:\.?(?:\w|%[0-9a-f]{2}))*(?::[1-9]\d{0,3}|\*)?(?:,(?:\w|%[0-9a-f]{2})(?:\.?(?:\w|%[0-9a-f]{2}))*(?::[1-9]\d{0,3}|\*)?)*\})*$/i;

export const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['date', text(isDate)],
  ['time', text(isTime)],
  ['date-time', text(isDateTime)],
  ['duration', text(isDuration)],
  ['email', text((value) => isEmail(value, false))],
  ['idn-email', text((value) => isEmail(value, true))],
  ['hostname', text(isHostname)],
  ['idn-hostname', text(isInternationalHostname)],
  ['ipv4', text(isIPv4)],
  ['ipv6', text((value) => isIPv6(value) && !value.includes('%'))],
  ['uri', text((value) => isUri(value, false, true))],
  ['uri-reference', text((value) => isUri(value, false, false))],
  ['iri', text((value) => isUri(value, true, true))],
  ['iri-reference', text((value) => isUri(value, true, false))],
  ['uuid', matching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i)],
  ['uri-template', matching(URI_TEMPLATE)],
  ['json-pointer', matching(/^(?:\/(?:[^~/]|~[01])*)*$/)],
  ['relative-json-pointer', matching(/^(?:0|[1-9]\d*)(?:#|(?:\/(?:[^~/]|~[01])*)*)$/)],
  ['byte', matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)],
  ['base64url', matching(/^[A-Za-z0-9_-]*={0,2}$/)],
  ['char', matching(/^[^]$/u)],
  ['binary', anything],
  ['password', anything],
  ['int8', integer(-128, 127)],
  ['int16', integer(-32_768, 32_767)],
  ['int32', integer(-2_147_483_648, 2_147_483_647)],
  // 2^63 itself is a double and too much; the largest double below it fits.
  ['int64', integer(-(2 ** 63), 2 ** 63 - 1024)],
  ['uint8', integer(0, 255)],
  ['uint16', integer(0, 65_535)],
  ['uint32', integer(0, 4_294_967_295)],
  ['uint64', integer(0, 2 ** 64 - 2048)],
  ['double-int', integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)],
  ['float', { type: 'number', validate: (number) => Number.isFinite(Math.fround(number)) }],
  ['double', { type: 'number', validate: Number.isFinite }],
]);

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** RFC 3339 full-date. */
function isDate(value: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(value);
  if (match === null) return false;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  if (month < 1 || month > 12 || day < 1 || day > DAYS[month - 1]) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

/** RFC 3339 full-time. A leap second is the last of a day in UTC. */
function isTime(value: string): boolean {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[zZ]|([+-])(\d\d):(\d\d))$/.exec(value);
  if (match === null) return false;
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [awayHours, awayMinutes] = [Number(match[5] ?? 0), Number(match[6] ?? 0)];
  if (hour > 23 || minute > 59 || second > 60 || awayHours > 23 || awayMinutes > 59) return false;
  if (second < 60) return true;
  const away = (awayHours * 60 + awayMinutes) * (match[4] === '-' ? -1 : 1);
  return (hour * 60 + minute - away + 2880) % 1440 === 1439;
}

function isDateTime(value: string): boolean {
  return (value[10] === 'T' || value[10] === 't') && isDate(value.slice(0, 10)) && isTime(value.slice(11));
}

/** RFC 3339, appendix A: units follow one another without a gap. */
function isDuration(value: string): boolean {
  if (!value.startsWith('P') || value.length < 3) return false;
  if (/^P\d+W$/.test(value)) return true;
  const [date, time, ...rest] = value.slice(1).split('T');
  if (rest.length > 0 || time === '') return false;
  return hasUnits(date, 'YMD') && (time === undefined || hasUnits(time, 'HMS'));
}

function hasUnits(value: string, units: string): boolean {
  const found = value.replace(/\d+/g, '0');
  if (found.length % 2 !== 0) return false;
  let names = '';
  for (let at = 0; at < found.length; at += 2) {
    if (found[at] !== '0') return false;
    names += found[at + 1];
  }
  return units.includes(names);
}

/** RFC 1123 with RFC 5890: letters, digits and hyphens in labels of 63 at most. */
function isHostname(value: string): boolean {
  if (value.length === 0 || value.length > 253) return false;
  return value.split('.').every((label) => {
    if (label.length > 63 || !/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i.test(label)) return false;
    return label.slice(2, 4) !== '--' || (/^xn--/i.test(label) && domainToASCII(label) !== '');
  });
}

function isInternationalHostname(value: string): boolean {
  if (value.length === 0 || value.length > 253) return false;
  const ascii = domainToASCII(value);
  return ascii !== '' && isHostname(ascii);
}

/** RFC 5321's Mailbox; RFC 6531's with characters beyond ASCII. */
function isEmail(value: string, international: boolean): boolean {
  const at = value.lastIndexOf('@');
  if (at < 1 || at > 64 || value.length > 320) return false;
  const local = value.slice(0, at);
  const domain = value.slice(at + 1);
  const atoms = international ? /^[\w!#$%&'*+\-/=?^`{|}~.\u0080-\uffff]+$/ : /^[\w!#$%&'*+\-/=?^`{|}~.]+$/;
  const dotted = atoms.test(local) && !local.startsWith('.') && !local.endsWith('.') && !local.includes('..');
  if (!dotted && !/^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"$/.test(local)) return false;
  if (domain.startsWith('[')) return isAddressLiteral(domain);
  return international ? isInternationalHostname(domain) : isHostname(domain);
}

function isAddressLiteral(domain: string): boolean {
  if (!domain.endsWith(']')) return false;
  const address = domain.slice(1, -1);
  return address.startsWith('IPv6:') ? isIPv6(address.slice(5)) : isIPv4(address);
}

const URI_TEXT = /^(?:[a-z0-9\-._~!$&'()*+,;=:@/?#[\]]|%[0-9a-f]{2})*$/i;
const IRI_TEXT =
  /^(?:[a-z0-9\-._~!$&'()*+,;=:@/?#[\]\u00a0-\ud7ff\ue000-\ufdcf\ufdf0-\uffef]|[\ud800-\udb7f][\udc00-\udfff]|%[0-9a-f]{2})*$/i;

/** RFC 3986 and 3987. */
function isUri(value: string, international: boolean, absolute: boolean): boolean {
  if (!(international ? IRI_TEXT : URI_TEXT).test(value)) return false;
  const hash = value.indexOf('#');
  if (hash !== -1 && value.includes('#', hash + 1)) return false;
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(value)?.[0] ?? '';
  if (absolute && scheme === '') return false;
  const rest = value.slice(scheme.length);
  // A colon in the first segment would make a scheme of it.
  if (scheme === '' && /^[^/?#]*:/.test(rest)) return false;
  const authority = rest.startsWith('//') ? (/^[^/?#]*/.exec(rest.slice(2))?.[0] ?? '') : '';
  const after = rest.startsWith('//') ? rest.slice(2 + authority.length) : rest;
  return !/[[\]]/.test(after) && isAuthority(authority);
}

function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf('@');
  if (/[[\]@]/.test(authority.slice(0, Math.max(0, at)))) return false;
  const host = authority.slice(at + 1);
  if (!host.startsWith('[')) return /^[^:[\]]*(?::\d*)?$/.test(host);
  const end = host.indexOf(']');
  if (end === -1 || !/^(?::\d*)?$/.test(host.slice(end + 1))) return false;
  const literal = host.slice(1, end);
  return isIPv6(literal) || /^v[0-9a-f]+\.[a-z0-9\-._~!$&'()*+,;=:]+$/i.test(literal);
}
