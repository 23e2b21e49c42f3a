import { createHash } from 'node:crypto';
import type { Transformation } from '../transformation.ts';

/** The digest as raw bytes; rules mostly write `hexEncode` behind it. */
export const sha1: Transformation = digest('sha1');
export const md5: Transformation = digest('md5');

function digest(name: string): Transformation {
  return {
    name,
    triggers: undefined,
    introduces: undefined,
    apply: (value) => createHash(name).update(value, 'latin1').digest('binary'),
  };
}
