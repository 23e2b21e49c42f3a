import { Markup } from './markup.ts';
import { isActiveUrl } from './values.ts';
import { anyLiteral, byteIn, type Requirement } from '../fast/requirement.ts';

/**
 * What a value cannot be found without: a tag's `<`; or `=` with the name or the value of an attribute that runs something; or an address
 * with something that runs. A NUL within a word is read over, so it stands for any. A filter may pass over every other value.
 */
export const xssTriggers: Requirement = {
  kind: 'any',
  of: [
    byteIn('\0<'),
    { kind: 'all', of: [byteIn('='), { kind: 'any', of: [byteIn(':&'), anyLiteral(['on', 'style'])] }] },
    { kind: 'all', of: [byteIn(':'), byteIn('(`')] },
  ],
};

const MARKUP = new Markup();

/**
 * Whether a value would run script in a page that it is put into without care: what was found, by a short name (`text:tag`,
 * `double:event`); undefined: nothing. The value is read where it may stand: in text, in an attribute without quotes or with either, as
 * an address.
 */
export function detectXss(value: string): string | undefined {
  const text = value.includes('\0') ? value.replaceAll('\0', '') : value;
  return inText(text) ?? inAttributes(text) ?? asAddress(text);
}

function inText(text: string): string | undefined {
  if (!text.includes('<')) return undefined;
  return named('text', MARKUP.readText(text, false) ?? MARKUP.readText(text, true));
}

function inAttributes(text: string): string | undefined {
  if (!text.includes('=')) return undefined;
  return (
    named('bare', MARKUP.readTag(text, 0)) ??
    closing('double', text, text.indexOf('"')) ??
    closing('single', text, text.indexOf("'")) ??
    closing('tick', text, text.indexOf('`'))
  );
}

/** The value closes the quote of an attribute that it stands in. */
function closing(place: string, text: string, quote: number): string | undefined {
  return quote === -1 ? undefined : named(place, MARKUP.readTag(text, quote + 1));
}

/** `javascript:…` with something that runs; a book on JavaScript has a colon as well. */
function asAddress(text: string): string | undefined {
  if (!text.includes(':') || !isActiveUrl(text, 0, text.length)) return undefined;
  return text.includes('(') || text.includes('=') || text.includes('`') ? 'address:url' : undefined;
}

function named(place: string, what: string | undefined): string | undefined {
  return what === undefined ? undefined : `${place}:${what}`;
}
