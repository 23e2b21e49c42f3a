import { documentOptions, enforceOptions } from '../validate/contract.ts';
import type { Operation } from '../validate/openapi/contract.ts';
import { Contract } from '../validate/openapi/enforce.ts';
import { loadDocument } from '../validate/openapi/load.ts';
import type { ValidateOptions } from '../validate/options.ts';
import { mayServe } from '../validate/overlap.ts';

/** The contracts of a configuration as `validate` reads them: the auditor sees the operations that are enforced, and no others. */
export class Contracts {
  readonly #known = new Map<string, Contract | undefined>();

  /** The operations that a route with this path leads to; undefined: the document does not load, and `check` tells why. */
  operations(path: string, openapi: string, options: ValidateOptions): readonly Operation[] | undefined {
    const contract = this.#contract(openapi, options);
    return contract?.paths.filter(({ segments }) => mayServe(path, segments)).flatMap(({ operations }) => operations);
  }

  #contract(openapi: string, options: ValidateOptions): Contract | undefined {
    const reading = documentOptions(options);
    const key = JSON.stringify([openapi, options.base ?? null, reading]);
    if (!this.#known.has(key)) {
      const { document } = loadDocument(openapi, { ...reading, compile: false });
      this.#known.set(key, document && new Contract(document, enforceOptions(options)));
    }
    return this.#known.get(key);
  }
}

/** Objects in the bodies of an operation that take members which nobody declared, by where they are. */
export function openObjects({ requestBody }: Operation): string[] {
  const found = requestBody?.content.flatMap(({ schema }) => schema?.shape.openObjects() ?? []) ?? [];
  return [...new Set(found.map((place) => `body${place}`))];
}
