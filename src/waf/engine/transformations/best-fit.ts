import { narrow } from './bytes.ts';

/**
 * Microsoft's best fit of Unicode to US-ASCII (code page 20127), by runs: the characters for the code points from the first on; `·`
 * stands for those that have none.
 */
const RUNS: readonly (readonly [number, string])[] = [
  [0xa0, ' !c·$Y|··Ca<·-R···23···.,1o>'],
  [0xc0, 'AAAAAAACEEEEIIIIDNOOOOO·OUUUUY··aaaaaaaceeeeiiii·nooooo·ouuuuy·y'],
  [0x100, 'AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi··JjKk·LlLlLl··LlNnNnNn···OoOoOoOo'],
  [0x154, 'RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZ·ZzZz·b'],
  [0x189, 'D'],
  [0x191, 'Ff'],
  [0x197, 'I··l'],
  [0x19f, 'OOo'],
  [0x1ab, 't··TUu'],
  [0x1b6, 'z'],
  [0x1cd, 'AaIiOoUuUuUuUuUu·Aa'],
  [0x1e4, 'GgGgKkOoOo··j'],
  [0x261, 'g'],
  [0x2b9, "'\"·'"],
  [0x2c4, "^·^·'··`·_"],
  [0x2dc, '~'],
  [0x300, '`·^~'],
  [0x30e, '"'],
  [0x331, '__'],
  [0x2000, '       '],
  [0x2010, '--·--···'],
  [0x2018, '\'\',·"""···.···.'],
  [0x2032, "'··`···<>"],
  [0x2122, 'T'],
];
const NONE = '·';
const FITS = fits();

/** The byte that a code point becomes: its best fit, ASCII for full-width forms, otherwise the low byte. */
export function bestFit(code: number): number {
  if (code < FITS.length && FITS[code] !== 0) return FITS[code];
  return narrow(code);
}

function fits(): Uint8Array {
  const table = new Uint8Array(0x2123);
  for (const [from, text] of RUNS) {
    for (let i = 0; i < text.length; i++) if (text[i] !== NONE) table[from + i] = text.charCodeAt(i);
  }
  return table;
}
