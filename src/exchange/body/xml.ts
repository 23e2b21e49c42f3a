import { isUtf8 } from 'node:buffer';
import { SaxesParser } from 'saxes';
import type { FlagCode } from './parsed.ts';

/** What an XML body says to rules: texts and attributes as byte strings, in their order. */
export interface XmlReading {
  readonly texts: readonly string[];
  readonly attributes: readonly string[];
  readonly flags: readonly { readonly code: FlagCode }[];
}

/** Ends the reading; never leaves this file. */
class Stop extends Error {
  readonly code: FlagCode;
  constructor(code: FlagCode) {
    super(code);
    this.code = code;
  }
}

/** Elements within elements. */
const DEEPEST = 512;
/** Texts and attributes together. */
const MOST_VALUES = 10_000;

/**
 * Reads XML 1.0 strictly, entities of a DTD never expanded: a document type is flagged and ends the reading (XXE, billion laughs;
 * OWASP XML External Entity Prevention). What was read before a flag is given, so that rules see it also where nothing is refused.
 */
export function readXml(body: Buffer): XmlReading {
  const reader = new XmlReader();
  return isUtf8(body) ? reader.read(body.toString('utf8')) : { texts: [], attributes: [], flags: [{ code: 'utf8-invalid' }] };
}

class XmlReader {
  readonly #texts: string[] = [];
  readonly #attributes: string[] = [];
  #depth = 0;

  read(text: string): XmlReading {
    const parser = new SaxesParser();
    parser.on('error', () => stop('xml-syntax'));
    parser.on('doctype', () => stop('xml-doctype'));
    parser.on('opentag', ({ attributes }) => this.#open(attributes));
    parser.on('closetag', () => this.#depth--);
    parser.on('text', (value) => this.#text(value));
    parser.on('cdata', (value) => this.#text(value));
    return { ...this.#values(), flags: flagsOf(() => parser.write(text).close()) };
  }

  #values() {
    return { texts: this.#texts, attributes: this.#attributes };
  }

  #open(attributes: Record<string, string>): void {
    if (++this.#depth > DEEPEST) stop('xml-depth');
    for (const value of Object.values(attributes)) this.#keep(this.#attributes, value);
  }

  #text(value: string): void {
    if (value.trim() !== '') this.#keep(this.#texts, value);
  }

  #keep(list: string[], value: string): void {
    if (this.#texts.length + this.#attributes.length >= MOST_VALUES) stop('xml-values');
    list.push(Buffer.from(value, 'utf8').toString('latin1'));
  }
}

function stop(code: FlagCode): never {
  throw new Stop(code);
}

function flagsOf(parse: () => void): { code: FlagCode }[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return [{ code: error.code }];
  }
}
