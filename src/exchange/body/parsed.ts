/**
 * What a body says, read once for all rooms. Values for the WAF are byte strings (one character per byte); values for contracts are
 * decoded. What could be read in two ways is not decided here: it is flagged, strict callers refuse on a flag, the WAF maps flags to its
 * variables.
 */

/** Bounds of one body, apart from its size in bytes. */
export interface BodyBounds {
  /** Nesting of JSON arrays and objects. */
  readonly depth: number;
  /** Members of all JSON objects together; fields of a form; parts of a multipart body. */
  readonly keys: number;
  /** Values of all JSON arrays together. */
  readonly items: number;
  /** Characters of one JSON string; undefined: only the body's own bound. */
  readonly string?: number;
  /** Characters of one JSON number. */
  readonly number: number;
}

/** The bounds without other words. */
export const DEFAULT_BOUNDS: BodyBounds = { depth: 64, keys: 10_000, items: 100_000, number: 100 };

/** Something about a body that has more than one reading, breaks its format, or is beyond a bound. */
export interface Flag {
  readonly code: FlagCode;
  /** JSON Pointer, or the name of a field or part as far as it is known; never a value. */
  readonly place: string;
  /** Offset in bytes. */
  readonly at: number;
}

export type FlagCode =
  // JSON
  | 'json-syntax'
  | 'json-duplicate-key'
  | 'json-proto-key'
  | 'json-escaped-name'
  | 'json-depth'
  | 'json-keys'
  | 'json-items'
  | 'json-string'
  | 'json-number'
  | 'json-number-precision'
  // XML
  | 'xml-syntax'
  | 'xml-doctype'
  | 'xml-depth'
  | 'xml-values'
  // all text
  | 'utf8-invalid'
  | 'bom'
  | 'charset'
  | 'nul'
  // form
  | 'form-encoding'
  | 'form-semicolon'
  | 'form-fields'
  // multipart
  | 'multipart-boundary'
  | 'multipart-header'
  | 'multipart-duplicate-header'
  | 'multipart-disposition'
  | 'multipart-line'
  | 'multipart-unfinished'
  | 'multipart-preamble'
  | 'multipart-epilogue'
  | 'multipart-parts'
  | 'multipart-transfer-encoding'
  | 'multipart-nested';

/** A JSON value as it is handed to contracts. Objects inherit nothing. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** One field of a form, or of a query: decoded once, as byte strings. */
export interface FormField {
  readonly name: string;
  readonly value: string;
}

export interface MultipartPart {
  /** `name` of Content-Disposition as a byte string. */
  readonly name: string;
  /** `filename`, undefined for a part that is no file. */
  readonly filename: string | undefined;
  /** Lower-case names, values as byte strings. */
  readonly headers: readonly string[];
  /** Where the part's content stands in the body. */
  readonly from: number;
  readonly to: number;
}

export type ParsedBody =
  | { readonly kind: 'none'; readonly flags: readonly Flag[] }
  | { readonly kind: 'json'; readonly value: Json | undefined; readonly flags: readonly Flag[] }
  | { readonly kind: 'form'; readonly fields: readonly FormField[]; readonly flags: readonly Flag[] }
  | { readonly kind: 'multipart'; readonly parts: readonly MultipartPart[]; readonly flags: readonly Flag[] }
  /** A type that says it is text, checked as UTF-8. */
  | { readonly kind: 'text'; readonly text: string; readonly flags: readonly Flag[] }
  /** A type that no parser knows: one value. */
  | { readonly kind: 'bytes'; readonly flags: readonly Flag[] };
