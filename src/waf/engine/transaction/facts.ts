/**
 * What the engine is told about a request and its answer. It parses nothing itself: whoever asks hands over the one reading. Byte
 * strings throughout: one character per byte.
 */

/** Names with their values, by index; a name may come more than once. */
export interface Values {
  readonly names: readonly string[];
  readonly values: readonly string[];
}

export interface RequestFacts {
  readonly method: string;
  /** The target as it came, with a scheme and a host where the client sent them. */
  readonly rawTarget: string;
  /** The path as it came. */
  readonly rawPath: string;
  /** The path, its escapes undone once. */
  readonly path: string;
  /** Without `?`; empty where there is none. */
  readonly query: string;
  /** `HTTP/1.1`, `HTTP/2.0`. */
  readonly protocol: string;
  /** Name, value, name, value; names in lower case. */
  readonly headers: readonly string[];
  /** Fields of the query, decoded once. */
  readonly queryFields: Values;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly serverName: string;
  readonly serverPort: number;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Who is calling, as far as it is known: `REMOTE_USER`. */
  readonly user: string;
}

export type BodyProcessor = 'URLENCODED' | 'MULTIPART' | 'JSON' | 'XML' | 'RAW';

/** What a body says to rules, after the one reading. */
export interface BodyReading {
  readonly arguments: Values;
  readonly files?: FileFacts;
  readonly xml?: XmlFacts;
  /** What could not be read: it sets REQBODY_ERROR. */
  readonly error?: string;
  /** Names of the `MULTIPART_*` flags that are set, without the prefix: `DATA_BEFORE`, `LF_LINE`, … */
  readonly multipart?: readonly string[];
}

export interface FileFacts {
  /** By part with a file name: name of the field, file name, bytes. */
  readonly fields: readonly string[];
  readonly names: readonly string[];
  readonly sizes: readonly number[];
  /** Headers of all parts: the name of the field, and the whole line. */
  readonly partHeaders: Values;
}

export interface XmlFacts {
  /** Text of the elements, in their order. */
  readonly texts: readonly string[];
  /** Values of the attributes. */
  readonly attributes: readonly string[];
}

export interface BodyFacts {
  readonly length: number;
  /** The bytes as a byte string. */
  text(): string;
  read(processor: BodyProcessor): BodyReading;
}

export interface ResponseFacts {
  readonly status: number;
  readonly protocol: string;
  readonly headers: readonly string[];
}

export const NO_VALUES: Values = Object.freeze({ names: Object.freeze([]), values: Object.freeze([]) });
