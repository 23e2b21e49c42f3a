import { bodyOf, readBody } from '../exchange/body/body.ts';
import type { BodyBounds, Flag, MultipartPart, ParsedBody } from '../exchange/body/parsed.ts';
import { readXml } from '../exchange/body/xml.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { type BodyFacts, type BodyProcessor, type BodyReading, type FileFacts, NO_VALUES } from './engine/transaction/facts.ts';
import { jsonValues } from './json-values.ts';
import { fieldsOf } from './request-facts.ts';

const EMPTY = Buffer.alloc(0);
const DEFAULT_ARGUMENTS = 1000;
const NOTHING: BodyReading = { arguments: NO_VALUES };

/** The body of a request as rules see it: what the one reading made of it, in the variables of the language. */
export class RequestBody implements BodyFacts {
  readonly #x: Exchange;
  readonly #bytes: Buffer;
  readonly #bounds: BodyBounds;
  readonly #most: number;
  #text: string | undefined;

  /** @param most - so many arguments are looked at; a body with more is one that cannot be read */
  constructor(x: Exchange, bounds: BodyBounds, most = DEFAULT_ARGUMENTS) {
    this.#x = x;
    this.#bytes = x.body ?? EMPTY;
    this.#bounds = bounds;
    this.#most = most;
  }

  get length(): number {
    return this.#bytes.length;
  }

  text(): string {
    return (this.#text ??= this.#bytes.toString('latin1'));
  }

  read(processor: BodyProcessor): BodyReading {
    if (this.#bytes.length === 0) return NOTHING;
    if (processor === 'XML') return xmlReading(this.#bytes);
    if (processor === 'RAW') return NOTHING;
    return limited(reading(this.#parsed(processor), this.#bytes, this.#most + 1), this.#most);
  }

  /** A rule may have a body read as something else than its type says; what is forwarded stays what it was. */
  #parsed(processor: 'URLENCODED' | 'MULTIPART' | 'JSON'): ParsedBody {
    const parsed = bodyOf(this.#x, this.#bounds);
    if (parsed.kind === KINDS[processor] || parsed.flags.length > 0) return parsed;
    return readBody(this.#bytes, TYPES[processor], this.#bounds);
  }
}

const KINDS = { URLENCODED: 'form', MULTIPART: 'multipart', JSON: 'json' } as const;
const TYPES = {
  URLENCODED: 'application/x-www-form-urlencoded',
  MULTIPART: 'multipart/form-data',
  JSON: 'application/json',
} as const;

function reading(body: ParsedBody, bytes: Buffer, most: number): BodyReading {
  const error = body.flags.length === 0 ? undefined : `${body.kind} body: ${body.flags[0].code}`;
  if (body.kind === 'form') return { arguments: fieldsOf(body.fields), error };
  if (body.kind === 'multipart') return { ...multipartReading(body.parts, bytes), ...multipartFlags(body.flags) };
  if (body.kind !== 'json' || body.value === undefined) return { arguments: NO_VALUES, error };
  return { arguments: jsonValues(body.value, most), error };
}

/** Each argument costs a look of its own, and ten thousand fit into a small body. What is not looked at must not pass for read. */
function limited(body: BodyReading, most: number): BodyReading {
  const { names, values } = body.arguments;
  if (names.length <= most) return body;
  const error = body.error ?? `more than ${most} arguments`;
  return { ...body, arguments: { names: names.slice(0, most), values: values.slice(0, most) }, error };
}

function xmlReading(bytes: Buffer): BodyReading {
  const { texts, attributes, flags } = readXml(bytes);
  const error = flags.length === 0 ? undefined : `xml body: ${flags[0].code}`;
  return { arguments: NO_VALUES, xml: { texts, attributes }, error };
}

function multipartReading(parts: readonly MultipartPart[], bytes: Buffer): Pick<BodyReading, 'arguments' | 'files'> {
  const names: string[] = [];
  const values: string[] = [];
  const files = new Files();
  for (const part of parts) {
    files.addHeaders(part);
    if (part.filename !== undefined) files.add(part, part.filename);
    else {
      names.push(part.name);
      values.push(bytes.toString('latin1', part.from, part.to));
    }
  }
  return { arguments: { names, values }, files };
}

class Files implements FileFacts {
  readonly fields: string[] = [];
  readonly names: string[] = [];
  readonly sizes: number[] = [];
  readonly partHeaders = { names: [] as string[], values: [] as string[] };

  add(part: MultipartPart, filename: string): void {
    this.fields.push(part.name);
    this.names.push(filename);
    this.sizes.push(part.to - part.from);
  }

  addHeaders({ name, headers }: MultipartPart): void {
    for (let i = 0; i < headers.length; i += 2) {
      this.partHeaders.names.push(name);
      this.partHeaders.values.push(`${headers[i]}: ${headers[i + 1]}`);
    }
  }
}

/** Our flags in the words of the language; what has no word there is an error of the body. */
const MULTIPART_WORDS: Readonly<Partial<Record<Flag['code'], string>>> = {
  'multipart-boundary': 'UNMATCHED_BOUNDARY',
  'multipart-header': 'INVALID_PART',
  'multipart-duplicate-header': 'INVALID_PART',
  'multipart-disposition': 'INVALID_QUOTING',
  'multipart-line': 'LF_LINE',
  'multipart-preamble': 'DATA_BEFORE',
  'multipart-epilogue': 'DATA_AFTER',
  'multipart-parts': 'FILE_LIMIT_EXCEEDED',
};

function multipartFlags(flags: readonly Flag[]): Pick<BodyReading, 'error' | 'multipart'> {
  const words = flags.flatMap(({ code }) => MULTIPART_WORDS[code] ?? []);
  const other = flags.find(({ code }) => MULTIPART_WORDS[code] === undefined);
  return { multipart: words, error: other && `multipart body: ${other.code}` };
}
