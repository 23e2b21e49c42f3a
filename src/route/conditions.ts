import { type HeaderList, headerValue, hasHeader } from '../exchange/headers.ts';

/** One header condition of a route. `value` undefined: the field must be there, whatever it says. */
export interface Condition {
  readonly name: string;
  readonly value: string | undefined;
}

/** What a CORS preflight says of the request that the browser wants to make. */
export interface Preflight {
  readonly method: string;
  /** Lower-case names of the headers that script adds to the request. */
  readonly headers: readonly string[];
}

/** `{ x-version: "2", x-beta: present }` → conditions, sorted by name so that equal sets look equal. */
export function readConditions(headers: Readonly<Record<string, string>> | undefined): Condition[] {
  return Object.entries(headers ?? {})
    .map(([name, value]) => ({ name: name.toLowerCase(), value: value === 'present' ? undefined : value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A text that is equal for equal sets of conditions. */
export function conditionsKey(conditions: readonly Condition[]): string {
  return JSON.stringify(conditions.map(({ name, value }) => [name, value ?? null]));
}

/**
 * More conditions come first, then more exact values. Where even that is equal two sets can hold for one request and
 * neither is the better one; the alphabet decides, so that at least the order in the file does not.
 */
export function compareConditions(a: readonly Condition[], b: readonly Condition[]): number {
  const exact = (list: readonly Condition[]) => list.filter(({ value }) => value !== undefined).length;
  const byNumber = b.length - a.length || exact(b) - exact(a);
  if (byNumber !== 0) return byNumber;
  return conditionsKey(a) < conditionsKey(b) ? -1 : 1;
}

/**
 * True when all conditions hold. A field that came twice has no one value, so it equals nothing. A preflight does not
 * carry the headers of the request it asks for, only their names: a name that is announced counts.
 */
export function conditionsHold(conditions: readonly Condition[], headers: HeaderList, preflight: Preflight | undefined): boolean {
  for (const { name, value } of conditions) {
    if (preflight?.headers.includes(name)) continue;
    if (value === undefined ? !hasHeader(headers, name) : !hasOnly(headers, name, value)) return false;
  }
  return true;
}

function hasOnly(headers: HeaderList, name: string, value: string): boolean {
  let found = false;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue;
    if (found || headers[i + 1] !== value) return false;
    found = true;
  }
  return found;
}

/** A CORS preflight, told by its two fields (Fetch standard, CORS-preflight request); for OPTIONS only. */
export function readPreflight(headers: HeaderList): Preflight | undefined {
  const method = headerValue(headers, 'access-control-request-method');
  if (method === undefined || !hasHeader(headers, 'origin')) return undefined;
  return { method, headers: listedHeaders(headerValue(headers, 'access-control-request-headers')) };
}

/** `X-A, x-b` → `['x-a', 'x-b']`. */
function listedHeaders(value: string | undefined): string[] {
  if (value === undefined || value === '') return [];
  return value.split(',').map((name) => name.trim().toLowerCase());
}
