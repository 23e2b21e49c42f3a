import type { Transformation } from '../transformation.ts';
import { byteTable, NO_BYTES } from './bytes.ts';
import { dropBytes, mapBytes } from './rewrite.ts';

export const removeNulls: Transformation = dropBytes('removeNulls', byteTable('\0'), NO_BYTES);
export const replaceNulls: Transformation = mapBytes('replaceNulls', (byte) => (byte === 0 ? 0x20 : byte));
