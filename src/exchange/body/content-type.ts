import { isAscii } from 'node:buffer';

/** A media type as the one strict reading of it gives it (RFC 9110 section 8.3.1). */
export interface ContentType {
  /** `type/subtype` in lower case, without parameters. */
  readonly type: string;
  /** Names in lower case; values unquoted, in the case in which they came. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * The media type of an answer, lower case, whatever stands behind it: services write parameters in many odd ways, and an answer must not
 * pass unread for one of them.
 */
export function mediaTypeOf(value: string): string {
  const semicolon = value.indexOf(';');
  return (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
}

const TYPE = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const PARAMETER =
  /[ \t]*;[ \t]*([!#$%&'+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"([^"\\\x00-\x08\x0a-\x1f\x7f]*)")/y;

/** Longer than any that is meant; bounds the memory of {@link known}. */
const LONGEST = 256;
const MOST_KNOWN = 256;
const known = new Map<string, ContentType>();

/**
 * Reads the value of a Content-Type; undefined when it can be read in more than one way, or not at all: an empty parameter, a parameter
 * that comes twice, one in pieces or with a charset of its own (`boundary*0=`, `charset*=`: RFC 2231, which some readers of mail undo
 * and others take for another name), a backslash in a quoted string, a comma, a tab where parsers differ (CVE-2026-25223's class), anything behind the end.
 */
export function readContentType(value: string): ContentType | undefined {
  const found = known.get(value);
  if (found !== undefined) return found;
  const read = value.length > LONGEST ? undefined : parse(value);
  if (read === undefined) return undefined;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(value, read);
  return read;
}

function parse(value: string): ContentType | undefined {
  TYPE.lastIndex = 0;
  const type = TYPE.exec(value)?.[0].toLowerCase();
  if (type === undefined) return undefined;
  const parameters = new Map<string, string>();
  let at = type.length;
  while (at < value.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(value);
    if (match === null || parameters.has(match[1].toLowerCase())) return undefined;
    parameters.set(match[1].toLowerCase(), match[2] ?? match[3]);
    at = PARAMETER.lastIndex;
  }
  return { type, parameters };
}

/**
 * True where the bytes are UTF-8, or plain ASCII, by their own word; silence counts as UTF-8 (RFC 8259 section 8.1). Behind `us-ascii`
 * they have to be ASCII: browsers and their like read windows-1252 there (WHATWG Encoding section 4.2), others replace, or fail.
 */
export function isUtf8Charset(contentType: ContentType, bytes: Buffer): boolean {
  const charset = contentType.parameters.get('charset')?.toLowerCase();
  if (charset === undefined || charset === 'utf-8') return true;
  return charset === 'us-ascii' && isAscii(bytes);
}
