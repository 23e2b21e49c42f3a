import { type Body, type BodyOptions, checkBody } from './body.ts';
import type { ApiDocument, MediaType, Operation, SchemaViolation, Violation } from './contract.ts';
import { type ContentType, isUnreadable, MediaTypes } from './media.ts';
import { Parameters, type Query } from './parameters.ts';
import { parseTemplate, PathTree, type Template, TemplateError } from './paths.ts';

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
  /** Each path with what stands before it, and its operations. */
  readonly paths: readonly ContractPath[];
  readonly problems: readonly PathProblem[];
  readonly #tree = new PathTree<Map<string, Entry>>();

  constructor(document: ApiDocument, options: EnforceOptions) {
    const problems: PathProblem[] = [];
    const paths = new Map<string, ContractPath>();
    for (const operation of document.operations) {
      const check = new OperationCheck(operation, options);
      for (const base of basesOf(operation, options)) {
        const template = templateOf(base + operation.pathTemplate, options);
        if (typeof template === 'string') problems.push({ operation, message: template });
        else this.#add(operation, template, check, paths);
      }
    }
    this.problems = problems;
    this.paths = [...paths.values()];
  }

  #add(operation: Operation, { segments, names }: Template, check: OperationCheck, paths: Map<string, ContractPath>): void {
    const methods = this.#tree.at(segments, () => new Map<string, Entry>());
    if (!methods.has(operation.method)) methods.set(operation.method, { check, names });
    const key = JSON.stringify(segments);
    const path = paths.get(key);
    if (path === undefined) paths.set(key, { segments, operations: [operation] });
    else path.operations.push(operation);
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

export interface ContractPath {
  readonly segments: Template['segments'];
  readonly operations: Operation[];
}

function templateOf(template: string, options: EnforceOptions): Template | string {
  try {
    return parseTemplate(template, (path) => options.canonicalPath(path));
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
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
