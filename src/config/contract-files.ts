import { documentOptions } from '../validate/contract.ts';
import { loadDocument } from '../validate/openapi/load.ts';
import type { GatewayOptions } from './schema.ts';

/**
 * Every file of the contracts that routes name: the documents, and what their `$ref`s lead to, also what is not there yet. Only the
 * documents know, so they are read for it, but nothing is compiled.
 */
export function contractFiles({ routes }: GatewayOptions): string[] {
  const files = new Set<string>();
  const seen = new Set<string>();
  for (const { validate } of routes) {
    if (validate?.openapi === undefined || validate.mode === 'off') continue;
    const reading = documentOptions(validate);
    const key = JSON.stringify([validate.openapi, reading]);
    if (seen.has(key)) continue;
    seen.add(key);
    for (const file of loadDocument(validate.openapi, { ...reading, compile: false }).files) files.add(file);
  }
  return [...files].sort();
}
