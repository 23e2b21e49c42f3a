import type { MediaType } from './contract.ts';

/** A media type as its one reader gives it. */
export interface ContentType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

interface Range {
  readonly media: MediaType;
  readonly type: string;
  readonly parameters: readonly (readonly [string, string])[];
}

/** Which of the declared media types a body has: the most exact one, wherever it stands in the document. */
export class MediaTypes {
  readonly #ranges: readonly Range[];

  constructor(content: readonly MediaType[]) {
    this.#ranges = content.map(readRange).sort((a, b) => rank(b) - rank(a));
  }

  find(type: ContentType): MediaType | undefined {
    return this.#ranges.find((range) => covers(range.type, type.type) && hasParameters(range, type))?.media;
  }
}

function readRange(media: MediaType): Range {
  const [type, ...rest] = media.range.split(';').map((piece) => piece.trim());
  const parameters = rest.flatMap((piece) => {
    const equals = piece.indexOf('=');
    const name = piece.slice(0, equals).toLowerCase();
    // Every body is UTF-8, or it is refused; a boundary is the client's.
    return equals < 1 || name === 'charset' || name === 'boundary' ? [] : [[name, unquote(piece.slice(equals + 1))] as const];
  });
  return { media, type, parameters };
}

const unquote = (value: string) => (value.startsWith('"') ? value.slice(1, -1) : value);

function rank({ type, parameters }: Range): number {
  return (type === '*/*' || type === '*' ? 0 : type.endsWith('/*') ? 100 : 200) + parameters.length;
}

/** Whether a range such as `image/*` covers a type. */
export function covers(range: string, type: string): boolean {
  if (range === '*/*' || range === '*') return true;
  return range.endsWith('/*') ? type.startsWith(range.slice(0, -1)) : range === type;
}

function hasParameters({ parameters }: Range, type: ContentType): boolean {
  return parameters.every(([name, value]) => type.parameters.get(name)?.toLowerCase() === value.toLowerCase());
}

/** `application/json` and whatever says that it is JSON underneath (RFC 6839 section 3.1). */
export function isJsonType(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json') || type === 'text/json';
}

/**
 * True where nobody can hold a body of this type against its schema: the schema asks for a structure, and no reader makes one of the
 * type. Such a body is refused by its type: an unknown type must never be the way around a schema.
 */
export function isUnreadable({ range, schema }: MediaType): boolean {
  const type = range.split(';')[0].trim();
  if (schema === undefined || isJsonType(type) || type.endsWith('*')) return false;
  if (type === 'application/x-www-form-urlencoded' || type === 'multipart/form-data') return false;
  return !schema.shape.types.has('string') && !type.startsWith('text/');
}
