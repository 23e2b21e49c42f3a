import type { Json, Shape } from './contract.ts';

/** How a parameter's text may become a value. */
export interface CoerceOptions {
  /** Whole numbers that a double cannot hold: refused without this, for readers see different values in them. */
  readonly bigNumbers: boolean;
}

const INTEGER = /^-?(?:0|[1-9][0-9]{0,99})$/;
const NUMBER = /^-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,100})?(?:[eE][+-]?[0-9]{1,4})?$/;

/**
 * The value that a text stands for where a schema with this shape is asked: the JSON spelling of numbers and booleans and no other
 * (`0x10`, `+1`, ` 1`, `1e3` for a whole number, `TRUE` stay texts, which their schema then refuses). A text that no type fits stays
 * a text too.
 */
export function coerce(text: string, shape: Shape | undefined, options: CoerceOptions): Json {
  const types = shape?.types;
  if (types === undefined) return text;
  if (types.has('number') || types.has('integer')) {
    const value = types.has('number') ? asNumber(text, options) : asInteger(text, options);
    if (value !== undefined) return value;
  }
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  // A text that says `null` is a text wherever texts are meant.
  if (text === 'null' && types.has('null') && !types.has('string')) return null;
  return text;
}

function asInteger(text: string, { bigNumbers }: CoerceOptions): number | undefined {
  // `-0` is a number of its own to some readers.
  if (!INTEGER.test(text) || text === '-0') return undefined;
  const value = Number(text);
  return bigNumbers || Number.isSafeInteger(value) ? value : undefined;
}

function asNumber(text: string, options: CoerceOptions): number | undefined {
  if (INTEGER.test(text)) return asInteger(text, options);
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
