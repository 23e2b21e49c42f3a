import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import type { DirectParts } from './direct.ts';
import type { EgressOptions } from './options.ts';

/** What the calls are made with. Throws when the file cannot be read. */
export function egressParts(options: EgressOptions): DirectParts & { readonly key: string } {
  const own = options.ca === undefined ? undefined : readFileSync(options.ca, 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([options.allow, own]))
    .digest('hex');
  return { allow: options.allow, ca: own === undefined ? undefined : [...getCACertificates('default'), own], key };
}
