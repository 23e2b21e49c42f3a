import type { Transformation } from '../transformation.ts';
import { mapBytes } from './rewrite.ts';

/** Letters of ASCII only, as in the C locale. */
export const lowercase: Transformation = mapBytes('lowercase', (byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
