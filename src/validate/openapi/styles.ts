import { type CoerceOptions, coerce } from './coerce.ts';
import type { Json, ParameterStyle, Shape } from './contract.ts';
import { reachesPrototype } from './text.ts';

/** Why a text is no value of its style; `rule` of the violation. */
export class Unreadable {
  readonly rule: string;

  constructor(rule: string) {
    this.rule = rule;
  }
}

/** What a value is taken for. */
export type Form = 'scalar' | 'array' | 'object';

/** Decodes one piece between delimiters; undefined where it cannot. */
export type Decode = (raw: string) => string | undefined;

/** More items than any list in a head has. */
const MOST_ITEMS = 1000;

export function readScalar(raw: string, decode: Decode, shape: Shape | undefined, options: CoerceOptions): Json | Unreadable {
  const text = decode(raw);
  return text === undefined ? new Unreadable('encoding') : coerce(text, shape, options);
}

export function readArray(
  pieces: readonly string[],
  decode: Decode,
  shape: Shape | undefined,
  options: CoerceOptions,
): Json | Unreadable {
  if (pieces.length > MOST_ITEMS) return new Unreadable('maxItems');
  const items: Json[] = [];
  for (const [index, piece] of pieces.entries()) {
    const item = readScalar(piece, decode, shape?.item(index), options);
    if (item instanceof Unreadable) return item;
    items.push(item);
  }
  return items;
}

/** An object of alternating names and values (`R,100,G,200`), or of pairs (`R=100,G=200`) where it is exploded. */
export function readObject(
  pieces: readonly string[],
  exploded: boolean,
  decode: Decode,
  shape: Shape | undefined,
  options: CoerceOptions,
): Json | Unreadable {
  if (pieces.length > MOST_ITEMS || (!exploded && pieces.length % 2 !== 0)) return new Unreadable('style');
  const builder = new ObjectBuilder(shape, options);
  for (let i = 0; i < pieces.length; i += exploded ? 1 : 2) {
    const equals = exploded ? pieces[i].indexOf('=') : -1;
    if (exploded && equals < 0) return new Unreadable('style');
    const name = decode(exploded ? pieces[i].slice(0, equals) : pieces[i]);
    const value = decode(exploded ? pieces[i].slice(equals + 1) : pieces[i + 1]);
    if (name === undefined || value === undefined) return new Unreadable('encoding');
    const problem = builder.add(name, value);
    if (problem !== undefined) return problem;
  }
  return builder.object;
}

/** An object from names and texts: no name twice, none that reaches a prototype. */
export class ObjectBuilder {
  readonly object: Record<string, Json> = Object.create(null) as Record<string, Json>;
  readonly #shape: Shape | undefined;
  readonly #options: CoerceOptions;

  constructor(shape: Shape | undefined, options: CoerceOptions) {
    this.#shape = shape;
    this.#options = options;
  }

  add(name: string, text: string): Unreadable | undefined {
    if (name === '' || (reachesPrototype(name) && !this.#shape?.properties.includes(name))) return new Unreadable('name');
    if (name in this.object) return new Unreadable('duplicate');
    this.object[name] = coerce(text, this.#shape?.property(name), this.#options);
    return undefined;
  }
}

/** The pieces of a value in a path, by its style; undefined where it does not begin as the style says. */
export function pathPieces(
  raw: string,
  name: string,
  style: ParameterStyle,
  explode: boolean,
  form: Form,
): readonly string[] | undefined {
  if (style === 'label') return labelPieces(raw, explode, form);
  if (style === 'matrix') return matrixPieces(raw, name, explode, form);
  return form === 'scalar' ? [raw] : raw.split(',');
}

function labelPieces(raw: string, explode: boolean, form: Form): readonly string[] | undefined {
  if (!raw.startsWith('.')) return undefined;
  const rest = raw.slice(1);
  if (form === 'scalar') return [rest];
  return rest.split(explode ? '.' : ',');
}

/** `;name=1;name=2` and `;R=1;G=2` where exploded, `;name=1,2` where not. */
function matrixPieces(raw: string, name: string, explode: boolean, form: Form): readonly string[] | undefined {
  if (!raw.startsWith(';')) return undefined;
  const begin = `${name}=`;
  const rest = raw.slice(1);
  if (form === 'scalar' || !explode) {
    // `;name` alone is the empty text (RFC 6570 section 3.2.7).
    if (rest === name) return [''];
    if (!rest.startsWith(begin)) return undefined;
    const value = rest.slice(begin.length);
    return form === 'scalar' ? [value] : value.split(',');
  }
  const pieces = rest.split(';');
  if (form === 'object') return pieces;
  return pieces.every((piece) => piece.startsWith(begin)) ? pieces.map((piece) => piece.slice(begin.length)) : undefined;
}

/**
 * The two readings of a list in a query that is not exploded: cut at the delimiter and then decoded (RFC 6570), or decoded and then cut, as
 * many services do. The same list, unless a delimiter came encoded: then both have to satisfy the contract.
 */
export function queryReadings(raw: string, style: ParameterStyle, decode: Decode): readonly (readonly string[])[] | undefined {
  const decoded = decode(raw);
  if (decoded === undefined) return undefined;
  if (style === 'spaceDelimited') return [decoded.split(' ')];
  const delimiter = style === 'pipeDelimited' ? '|' : ',';
  // Clients encode the pipe, which no URI may hold raw: there is no telling the two apart.
  const late = decoded.split(delimiter);
  if (style === 'pipeDelimited') return [late];
  const early: string[] = [];
  for (const piece of raw.split(delimiter)) {
    const text = decode(piece);
    if (text === undefined) return undefined;
    early.push(text);
  }
  return early.length === late.length ? [early] : [early, late];
}
