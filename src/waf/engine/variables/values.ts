import { NO_VALUES, type Values } from '../transaction/facts.ts';

const UNNAMED = Object.freeze(['']);

/** One value without a name. */
export function single(value: string): Values {
  return { names: UNNAMED, values: [value] };
}

/** One value, or none. */
export function optional(value: string | undefined): Values {
  return value === undefined ? NO_VALUES : single(value);
}

/** The names as values, as `…_NAMES` has them. */
export function namesOf({ names }: Values): Values {
  return { names, values: names };
}

/** Two lists, one behind the other. */
export function joined(a: Values, b: Values): Values {
  if (b.names.length === 0) return a;
  if (a.names.length === 0) return b;
  return { names: [...a.names, ...b.names], values: [...a.values, ...b.values] };
}

/** Name, value, name, value as {@link Values}. */
export function pairs(list: readonly string[]): Values {
  const names: string[] = [];
  const values: string[] = [];
  for (let i = 0; i < list.length; i += 2) {
    names.push(list[i]);
    values.push(list[i + 1]);
  }
  return { names, values };
}

/** Bytes of all names and values. */
export function combinedSize({ names, values }: Values): number {
  let size = 0;
  for (let i = 0; i < names.length; i++) size += names[i].length + values[i].length;
  return size;
}
