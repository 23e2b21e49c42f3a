/** `Content-Disposition` of a part of a form, as byte strings. */
export interface Disposition {
  readonly name: string | undefined;
  readonly filename: string | undefined;
  /** Parsers read it differently, or it is none. */
  readonly odd: boolean;
}

const PARAMETER = /[ \t]*;[ \t]*([!#$%&'+\-.^_`|~0-9A-Za-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";\\,]*))/y;

const ESCAPED = /%(?:22|0[ad])/i;
const PLAIN = /^[!-~](?:.*[!-~])?$/s;
/** Of Unicode, as Python strips them from the name of a file. */
const OUTER_BLANK = /^[\s\x85]|[\s\x85]$/;
const ENCODED_WORD = /=\?[^?]*\?[bq]\?/i;

/**
 * Reads `form-data; name="…"; filename="…"` (RFC 7578 section 4.2). Quotes must be there, as every sender writes them; a backslash in
 * them (browsers write `%22` for a quote), that or another of their escapes in the name of a field, which
 * only some readers undo (in the name of a file, where people do have quotes, it stays), an encoded word of mail (RFC 2047), a tab or a blank around the name of a file (which readers of mail take away), `name*` and `filename*` (which RFC 7578 forbids and half of the parsers follow), a parameter
 * that comes twice in any spelling of its name, and anything else that is left over is odd.
 */
export function readDisposition(value: string): Disposition {
  const type = /^form-data(?=[ \t;]|$)/i.exec(value)?.[0];
  let odd = type === undefined;
  let name: string | undefined;
  let filename: string | undefined;
  let at = type?.length ?? Math.max(value.indexOf(';'), 0);
  while (at < value.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(value);
    if (match === null) return { name, filename, odd: true };
    at = PARAMETER.lastIndex;
    const [, key, quoted, token] = match;
    const text = quoted ?? token;
    if (quoted === undefined || text.includes('\\') || text.includes('\t')) odd = true;
    const word = key.toLowerCase();
    if (word === 'name' && name === undefined) name = text;
    else if (word === 'filename' && filename === undefined) filename = text;
    else odd = true;
  }
  if (filename !== undefined && !PLAIN.test(filename) && OUTER_BLANK.test(Buffer.from(filename, 'latin1').toString('utf8')))
    odd = true;
  return { name, filename, odd: odd || name === undefined || ESCAPED.test(name) || ENCODED_WORD.test(`${name}${filename}`) };
}
