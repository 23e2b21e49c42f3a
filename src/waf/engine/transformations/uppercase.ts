import type { Transformation } from '../transformation.ts';
import { mapBytes } from './rewrite.ts';

/** Letters of ASCII only, as in the C locale. */
export const uppercase: Transformation = mapBytes('uppercase', (byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte));
