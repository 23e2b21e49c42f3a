// @ts-check
import { svg } from './dom.js';

const WIDTH = 150;
/** A chart that has few points yet is as wide as this many: two dots across a tile would look like a trend. */
const FEWEST = 30;
const HEIGHT = 36;

/**
 * A line of what was lately, drawn to the size of its largest value. It says nothing that the number beside it does not, so it is
 * hidden from screen readers.
 */
export class Sparkline {
  #line = svg('path', { class: 'line' });
  #area = svg('path', { class: 'area' });
  node = svg(
    'svg',
    { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    this.#area,
    this.#line,
  );

  /** @param {readonly (number | undefined)[]} values the newest last; `undefined` where nothing was known */
  draw(values) {
    const known = values.filter((value) => value !== undefined);
    const top = Math.max(...known, 0) || 1;
    const step = WIDTH / (Math.max(FEWEST, values.length) - 1);
    const at = (/** @type {number} */ i) => (WIDTH - (values.length - 1 - i) * step).toFixed(1);
    let line = '';
    let first = '';
    for (const [i, value] of values.entries()) {
      if (value === undefined) continue;
      if (first === '') first = at(i);
      line += `${line === '' ? 'M' : 'L'}${at(i)} ${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`;
    }
    this.#line.setAttribute('d', line);
    this.#area.setAttribute('d', line === '' ? '' : `${line}L${WIDTH} ${HEIGHT}L${first} ${HEIGHT}Z`);
  }
}

/**
 * A bar for a share of a whole, from 0 to 1.
 * @returns {{ node: SVGElement, draw(share: number): void }}
 */
export function bar() {
  const rect = svg('rect', { width: 0, height: 6 });
  const node = svg('svg', { class: 'bar', viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, rect);
  return { node, draw: (share) => rect.setAttribute('width', (Math.min(1, Math.max(0, share)) * 100).toFixed(1)) };
}
