/**
 * What the two halves of the engine share: `load.ts` makes an `ApiDocument`; matching, decoding and checking a request read one.
 * The engine imports nothing outside this folder: it takes parsed data in and gives violations out.
 */

/** A JSON value. Objects must inherit nothing: `required: [toString]` must not find the inherited one. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** `integer` beside `number`: a schema that admits `number` admits `integer` too. */
export type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';

/** What a value breaks. Holds names and places, never a value. */
export interface SchemaViolation {
  /**
   * JSON Pointer (RFC 6901) into the checked value; `''` is the value itself. Names in it may come from the client: it is a place,
   * bounded in length (`MAX_POINTER`), fit for the problem body and the record and for nothing else.
   */
  readonly pointer: string;
  /** The keyword: `type`, `required`, `maxLength`, `pattern`, `format:uuid`, `readOnly`, `complexity` (beyond the bound on work), … */
  readonly rule: string;
  /** Where the rule stands, `FILE#POINTER`: for the record, not for clients. */
  readonly schema?: string;
}

/** What a request breaks. */
export interface Violation extends SchemaViolation {
  readonly in: 'path' | 'query' | 'header' | 'cookie' | 'body';
  /** Name of the parameter; in a body absent. */
  readonly parameter?: string;
}

export const MAX_VIOLATIONS = 20;
export const MAX_POINTER = 256;

/** What a decoder of parameters must know of a schema: which JSON types it admits, through `$ref`, `allOf`, `anyOf` and `oneOf`. */
export interface Shape {
  /** All seven where the schema does not say. */
  readonly types: ReadonlySet<JsonType>;
  /** The shape of an array's item. */
  item(index: number): Shape | undefined;
  /** The shape of an object's member; undefined where the schema says nothing of it. */
  property(name: string): Shape | undefined;
  /** Names of the properties that the schema declares. */
  readonly properties: readonly string[];
  /** `default`, where it is written. */
  readonly fallback: Json | undefined;
  /** Objects in such a value that take members which nobody declared, by where they are: `''`, `.address`, `.lines[]`. Walks the schemas. */
  openObjects(): string[];
}

export interface CompiledSchema {
  /**
   * Empty: valid. Otherwise the first rule that is broken, and below a union (`anyOf`, `oneOf`) what its branches missed, at most
   * `MAX_VIOLATIONS` in all. Never throws for a value; linear in it.
   */
  check(value: Json): readonly SchemaViolation[];
  readonly shape: Shape;
  /** The schema as it stands in the document, `$ref`s unresolved. */
  readonly raw: unknown;
  readonly location: Location;
}

/** A spot in a file of the document. */
export interface Location {
  /** Path of the file. */
  readonly file: string;
  /** JSON Pointer. */
  readonly pointer: string;
}

/** Something wrong with a document; `warning`: it loads all the same. */
export interface DocumentProblem {
  readonly file: string;
  /** Both count from 1; the column counts UTF-16 code units. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint?: string;
  readonly severity: 'error' | 'warning';
}

export type ParameterIn = 'path' | 'query' | 'header' | 'cookie';
export type ParameterStyle = 'matrix' | 'label' | 'simple' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';

export interface Parameter {
  /** As written; header names in lower case. */
  readonly name: string;
  readonly in: ParameterIn;
  readonly required: boolean;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  readonly allowEmptyValue: boolean;
  readonly deprecated: boolean;
  /** undefined: anything, or `content` says it. */
  readonly schema: CompiledSchema | undefined;
  /** The value is a document of this type, instead of `style`. */
  readonly content: MediaType | undefined;
  readonly location: Location;
}

export interface Encoding {
  /** Media types that the part may have, `image/png, image/*` split; undefined: by the type of the property. */
  readonly contentType: readonly string[] | undefined;
  readonly style: ParameterStyle | undefined;
  readonly explode: boolean | undefined;
  readonly allowReserved: boolean;
}

export interface MediaType {
  /** Lower case, with its parameters as written: `application/json`, `image/*`, `text/plain; charset=utf-8`. */
  readonly range: string;
  /** undefined: anything. */
  readonly schema: CompiledSchema | undefined;
  /** By the name of the property. */
  readonly encoding: ReadonlyMap<string, Encoding>;
  readonly location: Location;
}

export interface RequestBody {
  readonly required: boolean;
  /** In the order of the document. */
  readonly content: readonly MediaType[];
}

/** All schemes of one requirement together, by name with the scopes; any one requirement of a list is enough. */
export type SecurityRequirement = ReadonlyMap<string, readonly string[]>;

export interface Operation {
  /** Upper case. */
  readonly method: string;
  readonly pathTemplate: string;
  /** Paths of the servers that hold here, without a trailing slash; `''` for the root. Never empty. */
  readonly basePaths: readonly string[];
  /** Of the path item and the operation merged. `Accept`, `Content-Type` and `Authorization` as headers are left out, as OpenAPI says. */
  readonly parameters: readonly Parameter[];
  readonly requestBody: RequestBody | undefined;
  /** What holds here, the document's own where the operation says nothing. Empty: open. An empty map inside: open is one of the ways. */
  readonly security: readonly SecurityRequirement[];
  readonly operationId: string | undefined;
  readonly deprecated: boolean;
  readonly location: Location;
}

export interface SecurityScheme {
  readonly name: string;
  /** undefined: one that OpenAPI does not know. */
  readonly type: 'apiKey' | 'http' | 'oauth2' | 'openIdConnect' | 'mutualTLS' | undefined;
  /** `apiKey`: where the key stands and under which name. */
  readonly in: 'query' | 'header' | 'cookie' | undefined;
  readonly parameter: string | undefined;
  /** `http`: the scheme in lower case. */
  readonly scheme: string | undefined;
  readonly bearerFormat: string | undefined;
  readonly location: Location;
}

export interface ApiDocument {
  readonly version: '3.0' | '3.1';
  readonly file: string;
  readonly title: string;
  /** In the order of the document. */
  readonly operations: readonly Operation[];
  readonly securitySchemes: ReadonlyMap<string, SecurityScheme>;
}

export interface LoadOptions {
  /** A `readOnly` property in a request: refused (default), or its rule left out. Required it never is. */
  readonly readOnly?: 'refuse' | 'ignore';
  /** false: to look at the document only; values cannot be checked. */
  readonly compile?: boolean;
}

/** What `loadDocument` gives: keep `document` alone, the rest holds the texts of the files. */
export interface LoadedDocument {
  /** undefined: a problem is an error. */
  readonly document: ApiDocument | undefined;
  /** Sorted by file and position. */
  readonly problems: readonly DocumentProblem[];
  /** Absolute paths of all files that were read, or would have been: a change of one is a change of the configuration. */
  readonly files: readonly string[];
  /** Line and column of a spot, for problems that are found later. */
  place(location: Location): { readonly line: number; readonly column: number };
}
