import type { Transformation } from '../transformation.ts';
import { NO_BYTES } from './bytes.ts';

/** The reader of rules has already forgotten what stood before `t:none`; here it leaves everything as it is. */
export const none: Transformation = {
  name: 'none',
  triggers: NO_BYTES,
  introduces: NO_BYTES,
  apply: (value) => value,
};
