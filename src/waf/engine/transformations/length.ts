import type { Transformation } from '../transformation.ts';
import { byteTable } from './bytes.ts';

/** How many bytes, as decimal digits. */
export const length: Transformation = {
  name: 'length',
  triggers: undefined,
  introduces: byteTable([0x30, 0x39]),
  apply: (value) => String(value.length),
};
