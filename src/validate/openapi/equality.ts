import type { Json } from './contract.ts';

/**
 * Equality of JSON values, for `const`, `enum` and `uniqueItems`. Ajv's own compares the items of a list pairwise, which is quadratic,
 * and fails with an exception on objects without a prototype.
 */

type Mapping = { readonly [name: string]: Json };

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
const isMapping = (value: Json): value is Mapping => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Cost: at most the smaller of both. */
export function equal(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isMapping(a) || !isMapping(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]));
}

/** One text for all equal values, and for no others. */
export function canonical(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value);
  // -0 and 0 are one number.
  if (typeof value !== 'object' || value === null) return String(value === 0 ? 0 : value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical((value as Mapping)[name])}`).join()}}`;
}

/** Whether no two items are equal, in one pass. */
export function allUnique(items: readonly Json[]): boolean {
  const scalars = new Set<unknown>();
  const texts = new Set<string>();
  for (const item of items) {
    if (typeof item === 'object' && item !== null) texts.add(canonical(item));
    else scalars.add(item);
  }
  return scalars.size + texts.size === items.length;
}

/** The test of `enum` and `const`: scalars by one look-up. */
export function oneOf(values: readonly Json[]): (value: Json) => boolean {
  const scalars = new Set<unknown>(values.filter((value) => typeof value !== 'object' || value === null));
  const others = values.filter((value) => typeof value === 'object' && value !== null);
  return (value) =>
    scalars.has(value) || (typeof value === 'object' && value !== null && others.some((one) => equal(one, value)));
}

/** `multipleOf` by the decimals that are written: as doubles, 0.3 is no multiple of 0.1. */
export function multipleOf(divisor: number): (value: number) => boolean {
  const whole = Number.isSafeInteger(divisor);
  return (value) => (whole && Number.isSafeInteger(value) ? value % divisor === 0 : isMultiple(value, divisor));
}

function isMultiple(value: number, divisor: number): boolean {
  const a = decimal(value);
  const b = decimal(divisor);
  const exponent = Math.min(a.exponent, b.exponent);
  return (a.digits * 10n ** BigInt(a.exponent - exponent)) % (b.digits * 10n ** BigInt(b.exponent - exponent)) === 0n;
}

/** The number as digits and a power of ten: the shortest text that reads as this double. */
function decimal(number: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa, power] = number.toExponential().split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
