import { type Body, type BodyOptions, checkBody } from './body.ts';
import type { ApiDocument, MediaType, Operation, SchemaViolation, Violation } from './contract.ts';
import { type ContentType, isUnreadable, MediaTypes } from './media.ts';
import { Parameters, type Query } from './parameters.ts';
import { parseTemplate, PathTree, TemplateError } from './paths.ts';

/** A path of the document that no request can be for. */
export interface PathProblem {
  readonly operation: Operation;
  readonly message: string;
}

export interface EnforceOptions extends BodyOptions {
  /** The one spelling that requests have of a path; undefined: it is refused. */
  canonicalPath(path: string): string | undefined;
  /** What stands before the document's paths instead of what its servers say. */
  readonly base?: string;
}

interface Entry {
  readonly check: OperationCheck;
  readonly names: readonly string[];
}

/** What a request is by its document. */
export interface Call {
  readonly check: OperationCheck;
  readonly names: readonly string[];
  readonly raw: readonly string[];
  readonly ambiguous: boolean;
}

/** A document, ready to judge requests: nothing that it does not declare passes. */
export class Contract {
  readonly operations: readonly Operation[];
  readonly problems: readonly PathProblem[];
  readonly #tree = new PathTree<Map<string, Entry>>();

  constructor(document: ApiDocument, options: EnforceOptions) {
    this.operations = document.operations;
    const problems: PathProblem[] = [];
    for (const operation of document.operations) {
      const check = new OperationCheck(operation, options);
      for (const base of basesOf(operation, options)) {
        const message = this.#add(operation, base, check, options);
        if (message !== undefined) problems.push({ operation, message });
      }
    }
    this.problems = problems;
  }

  #add(operation: Operation, base: string, check: OperationCheck, options: EnforceOptions): string | undefined {
    try {
      const { segments, names } = parseTemplate(base + operation.pathTemplate, (path) => options.canonicalPath(path));
      const methods = this.#tree.at(segments, () => new Map<string, Entry>());
      if (!methods.has(operation.method)) methods.set(operation.method, { check, names });
      return undefined;
    } catch (error) {
      if (error instanceof TemplateError) return error.message;
      throw error;
    }
  }

  /** The operation of a request, or which part of it the document does not declare. HEAD is GET where it is not declared itself. */
  find(method: string, path: string): Call | 'path' | 'method' {
    const match = this.#tree.find(path);
    if (match === undefined) return 'path';
    const entry = match.value.get(method) ?? (method === 'HEAD' ? match.value.get('GET') : undefined);
    if (entry === undefined) return 'method';
    return { check: entry.check, names: entry.names, raw: match.raw, ambiguous: match.ambiguous };
  }
}

function basesOf({ basePaths }: Operation, { base }: EnforceOptions): readonly string[] {
  return base === undefined ? basePaths : [base === '/' ? '' : base.replace(/\/$/, '')];
}

/** One operation, ready to judge requests. */
export class OperationCheck {
  readonly operation: Operation;
  readonly #parameters: Parameters;
  readonly #types: MediaTypes | undefined;
  readonly #unreadable: ReadonlySet<MediaType>;
  readonly #options: BodyOptions;

  constructor(operation: Operation, options: BodyOptions) {
    this.operation = operation;
    this.#parameters = new Parameters(operation, options);
    const content = operation.requestBody?.content ?? [];
    this.#types = operation.requestBody === undefined ? undefined : new MediaTypes(content);
    this.#unreadable = new Set(content.filter(isUnreadable));
    this.#options = options;
  }

  get takesBody(): boolean {
    return this.#types !== undefined;
  }

  get needsBody(): boolean {
    return this.operation.requestBody?.required === true;
  }

  parameters(call: Call, query: Query, headers: readonly string[]): Violation[] {
    const found = this.#parameters.check(call.names, call.raw, query, headers);
    if (call.ambiguous) found.unshift({ in: 'path', parameter: call.names.join(', '), pointer: '', rule: 'ambiguous' });
    return found;
  }

  /** The declared media type of a body; undefined: there is none, or none that can be held against its schema. */
  mediaType(type: ContentType): MediaType | undefined {
    const media = this.#types?.find(type);
    return media === undefined || this.#unreadable.has(media) ? undefined : media;
  }

  body(body: Body, bytes: Buffer, media: MediaType): readonly SchemaViolation[] {
    return checkBody(body, bytes, media, this.#options);
  }
}
