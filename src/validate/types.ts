import { readContentType } from '../exchange/body/content-type.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { headerValue } from '../exchange/headers.ts';

/** The word `types`: which media types a body may have. */
export class MediaTypes {
  readonly #whole: ReadonlySet<string>;
  readonly #families: readonly string[];

  constructor(types: readonly string[]) {
    this.#whole = new Set(types.filter((type) => !type.endsWith('/*')));
    this.#families = types.filter((type) => type.endsWith('/*')).map((type) => type.slice(0, -1));
  }

  has(type: string): boolean {
    return this.#whole.has(type) || this.#families.some((family) => type.startsWith(family));
  }

  /** Asked before the body is read. A body without a type, or with one that cannot be read, is of no type that anybody listed. */
  check(x: Exchange): Refusal | undefined {
    if (x.source === undefined || x.source.length === 0) return undefined;
    const value = headerValue(x.head.headers, 'content-type');
    if (value === undefined) return refuse('media-type', 'a body without Content-Type');
    const type = readContentType(value);
    if (type === undefined) return refuse('content-type', 'a Content-Type that cannot be read');
    return this.has(type.type) ? undefined : refuse('media-type', 'a media type that the route does not list');
  }
}
