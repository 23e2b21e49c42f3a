/**
 * Places in JSON text that `JSON.parse` has accepted. Large documents are JSON, and a tree of nodes with places of one takes many
 * times its memory: here a place is looked for only when something is to be said about it.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN = new Set(['{', '[']);
const CLOSE = new Set(['}', ']']);

/** Where a member's key and value start. */
export interface JsonPlace {
  readonly key: number;
  readonly value: number;
}

/** Follows the tokens as far as they lead. */
export function findInJson(text: string, tokens: readonly string[]): JsonPlace {
  const start = skipSpace(text, 0);
  let place: JsonPlace = { key: start, value: start };
  for (const token of tokens) {
    const next = step(text, place.value, token);
    if (next === undefined) return place;
    place = next;
  }
  return place;
}

function step(text: string, from: number, token: string): JsonPlace | undefined {
  if (text[from] === '[') return stepIntoArray(text, from, token);
  if (text[from] !== '{') return undefined;
  for (let at = skipSpace(text, from + 1); text[at] !== '}'; ) {
    const end = skipString(text, at);
    const value = skipSpace(text, skipSpace(text, end) + 1);
    if (JSON.parse(text.slice(at, end)) === token) return { key: at, value };
    at = skipComma(text, skipValue(text, value));
  }
  return undefined;
}

function stepIntoArray(text: string, from: number, token: string): JsonPlace | undefined {
  let index = Number(token);
  for (let at = skipSpace(text, from + 1); text[at] !== ']'; index--) {
    if (index === 0) return { key: at, value: at };
    at = skipComma(text, skipValue(text, at));
  }
  return undefined;
}

function skipComma(text: string, from: number): number {
  const at = skipSpace(text, from);
  return text[at] === ',' ? skipSpace(text, at + 1) : at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}

function skipString(text: string, from: number): number {
  let at = from + 1;
  for (; text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++;
  return at + 1;
}

function skipValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const character = text[at];
    if (character === '"') at = skipString(text, at);
    else {
      if (OPEN.has(character)) depth++;
      else if (CLOSE.has(character)) depth--;
      else if (depth === 0) return skipScalar(text, at);
      at++;
    }
  } while (depth > 0);
  return at;
}

function skipScalar(text: string, from: number): number {
  let at = from;
  while (at < text.length && !/[\s,\]}]/.test(text[at])) at++;
  return at;
}

/** How many members the text writes: more than the value has, where a name is written twice. */
export function countMembers(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = skipString(text, at) - 1;
    else if (code === COLON) count++;
  }
  return count;
}

/** Offsets of names that stand a second time in their object. */
export function findDoubled(text: string): { readonly name: string; readonly offset: number }[] {
  const doubled: { name: string; offset: number }[] = [];
  const open: (Set<string> | undefined)[] = [];
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const character = text[at];
    if (character !== '"') {
      if (OPEN.has(character)) open.push(character === '{' ? new Set() : undefined);
      else if (CLOSE.has(character)) open.pop();
      at++;
      continue;
    }
    const end = skipString(text, at);
    const names = open.at(-1);
    if (names !== undefined && text[skipSpace(text, end)] === ':') {
      const name = JSON.parse(text.slice(at, end)) as string;
      if (names.has(name)) doubled.push({ name, offset: at });
      names.add(name);
    }
    at = end;
  }
  return doubled;
}
