import { createHash } from 'node:crypto';

/**
 * A stable name for a value of the configuration: the same for equal values, whatever the order of their keys. What
 * outlives a reload is kept under it.
 */
export function hashOptions(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** JSON with sorted keys. Values that JSON cannot hold are written out where that is safe, and refused where it is not. */
export function canonicalJson(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'bigint') return `${value}`;
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value instanceof RegExp) return `RegExp(${JSON.stringify(value.toString())})`;
  if (value instanceof Map) return `Map(${canonicalJson([...value])})`;
  if (value instanceof Set) return `Set(${canonicalJson([...value])})`;
  if (ArrayBuffer.isView(value)) return `bytes(${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')})`;
  if (typeof value === 'object') return canonicalObject(value);
  // Two functions cannot be told apart, and a carry under the wrong name would mix what belongs to two configurations.
  throw new TypeError(`cannot hash a ${typeof value}`);
}

function canonicalObject(value: object): string {
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}
