import type { Transformation } from '../transformation.ts';
import { byteTable, NO_BYTES, WHITE_SPACE } from './bytes.ts';

const SPACES = byteTable(WHITE_SPACE);

export const trimLeft: Transformation = trimmer('trimLeft', (value) => cut(value, true, false));
export const trimRight: Transformation = trimmer('trimRight', (value) => cut(value, false, true));
export const trim: Transformation = trimmer('trim', (value) => cut(value, true, true));

function trimmer(name: string, apply: (value: string) => string): Transformation {
  return { name, triggers: SPACES, introduces: NO_BYTES, apply };
}

function cut(value: string, left: boolean, right: boolean): string {
  let from = 0;
  let to = value.length;
  if (left) while (from < to && SPACES[value.charCodeAt(from)] !== 0) from++;
  if (right) while (to > from && SPACES[value.charCodeAt(to - 1)] !== 0) to--;
  return from === 0 && to === value.length ? value : value.slice(from, to);
}
