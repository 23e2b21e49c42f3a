// @ts-check
import { byId, element, setText } from './dom.js';

/**
 * @import { Status } from '../../observe/status.ts'
 * @import { History } from './rates.js'
 */

/** A part of the page: shows itself anew with every look. @typedef {(status: Status, history: History) => void} Section */

/** @typedef {'good' | 'warn' | 'bad' | 'quiet'} Tone */
/** @typedef {{ text: string, tone?: Tone, badge?: boolean, title?: string }} RichCell */
/** @typedef {string | RichCell} Cell */
/** @typedef {{ title: string, number?: boolean, wide?: boolean }} Column */
/** @typedef {{ key: string, cells: readonly Cell[], sub?: boolean }} Row */

/**
 * A table that is changed in place: what stays the same is not touched, so that a selection, the place where one has scrolled to, and the
 * reading of a screen reader survive the next look.
 */
export class Table {
  #columns;
  #body = element('tbody');
  #empty = element('p', { class: 'empty' });
  #scroll;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();

  /**
   * @param {HTMLElement} place
   * @param {string} name what a screen reader calls it
   * @param {readonly Column[]} columns
   */
  constructor(place, name, columns) {
    this.#columns = columns;
    const heads = columns.map(({ title, number }) =>
      element('th', { scope: 'col', class: number ? 'number' : undefined }, title),
    );
    const table = element(
      'table',
      {},
      element('caption', { class: 'hidden' }, name),
      element('thead', {}, element('tr', {}, ...heads)),
      this.#body,
    );
    // What can be scrolled must be reachable with the keyboard.
    this.#scroll = element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': name }, table);
    this.#scroll.hidden = true;
    place.append(this.#scroll, this.#empty);
  }

  /**
   * @param {readonly Row[]} rows
   * @param {string} empty what is said when there are none
   */
  show(rows, empty) {
    this.#scroll.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
    setText(this.#empty, empty);
    const seen = new Set(rows.map((row) => row.key));
    for (const [key, node] of this.#rows) {
      if (seen.has(key)) continue;
      node.remove();
      this.#rows.delete(key);
    }
    rows.forEach((row, i) => {
      const node = this.#rowOf(row);
      if (this.#body.children[i] !== node) this.#body.insertBefore(node, this.#body.children[i] ?? null);
      row.cells.forEach((cell, j) => showCell(/** @type {HTMLElement} */ (node.children[j]), cell));
    });
  }

  /** @param {Row} row */
  #rowOf({ key, sub }) {
    const found = this.#rows.get(key);
    if (found !== undefined) return found;
    const cells = this.#columns.map(({ number, wide }, i) =>
      i === 0
        ? element('th', { scope: 'row' }, element('span'))
        : element('td', { class: number ? 'number' : wide ? 'wide' : undefined }, element('span')),
    );
    const node = element('tr', { class: sub ? 'sub' : undefined }, ...cells);
    this.#rows.set(key, node);
    return node;
  }
}

/**
 * @param {HTMLElement} node
 * @param {Cell} cell
 */
function showCell(node, cell) {
  const { text, tone = '', badge = false, title = '' } = typeof cell === 'string' ? { text: cell } : cell;
  const inner = /** @type {HTMLElement} */ (node.firstElementChild);
  setText(inner, text);
  set(inner, 'class', badge ? 'badge' : '');
  set(inner, 'data-tone', tone);
  set(inner, 'title', title);
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {string} value
 */
function set(node, name, value) {
  if (value === '') node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * A table in the element of the page with this id.
 * @param {string} id
 * @param {string} name
 * @param {readonly Column[]} columns
 */
export function tableIn(id, name, columns) {
  return new Table(byId(id), name, columns);
}
