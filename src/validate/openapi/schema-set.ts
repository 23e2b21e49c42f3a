import type { ErrorObject, ValidateFunction } from 'ajv/dist/types/index.js';
import { ContractAjv, type ErrorHolder } from './ajv.ts';
import { Budget, Exceeded } from './budget.ts';
import {
  type CompiledSchema,
  type Json,
  type Location,
  MAX_POINTER,
  MAX_VIOLATIONS,
  type SchemaViolation,
  type Shape,
} from './contract.ts';
import { Normalizer } from './normalize.ts';
import { Patterns } from './patterns.ts';
import { escapeToken } from './pointer.ts';
import type { Problems } from './problems.ts';
import type { Node, References } from './references.ts';
import { shapeOf } from './shape.ts';

/** The schemas of a document, compiled together: what several refer to is compiled once. */
export class SchemaSet {
  readonly #normalizer: Normalizer;
  readonly #patterns = new Patterns();
  readonly #schemas: { readonly name: string; readonly schema: Compiled }[] = [];

  constructor(version: '3.0' | '3.1', references: References, problems: Problems, refuseReadOnly: boolean) {
    this.#normalizer = new Normalizer(version, references, problems, this.#patterns, refuseReadOnly);
  }

  /** Finds what is wrong with the schema. It can check values once `compile` was called. */
  add(node: Node): CompiledSchema {
    const name = this.#normalizer.add(node);
    const schema = new Compiled({ file: node.file, pointer: node.pointer }, node.value);
    this.#schemas.push({ name, schema });
    return schema;
  }

  /** What is wrong with all schemas together, once all are there. */
  finish(): void {
    this.#normalizer.finish();
  }

  /** Tells schemas their shapes and, if values are to be checked, compiles them. */
  complete(compile: boolean): void {
    for (const { name, schema } of this.#schemas) schema.shape = shapeOf(name, this.#normalizer.schemas);
    if (compile) this.#compile();
  }

  #compile(): void {
    const { schemas, origins, usesUnevaluated, chosen } = this.#normalizer;
    const budget = new Budget();
    const ajv = new ContractAjv({ patterns: this.#patterns, budget, unevaluated: usesUnevaluated });
    for (const [name, plain] of schemas) ajv.addSchema(plain, name);
    for (const { name, schema } of this.#schemas) {
      const closure = this.#normalizer.closure(name);
      const compile = (): Validator => {
        const validate = ajv.getSchema(name);
        if (validate === undefined) throw new Error(`there is no schema ${name}`);
        for (const one of closure) if (chosen.has(one)) ajv.getSchema(one);
        const all = [...closure].flatMap((one) => functionOf(ajv, one) ?? []);
        return { validate, all, holders: ajv.holders, budget, origins };
      };
      schema.validator = compile();
    }
  }
}

function functionOf(ajv: ContractAjv, name: string): ValidateFunction | undefined {
  const entry = ajv.schemas[name];
  return typeof entry === 'object' ? entry.validate : undefined;
}

interface Validator {
  readonly validate: ValidateFunction;
  /** All functions that it calls. */
  readonly all: readonly ValidateFunction[];
  readonly holders: readonly ErrorHolder[];
  readonly budget: Budget;
  readonly origins: WeakMap<object, Location>;
}

const VALID: readonly SchemaViolation[] = [];
const COMPLEXITY: readonly SchemaViolation[] = [{ pointer: '', rule: 'complexity' }];

class Compiled implements CompiledSchema {
  readonly raw: unknown;
  readonly location: Location;
  #validator: Validator | undefined;
  #shape: Shape | undefined;

  constructor(location: Location, raw: unknown) {
    this.location = location;
    this.raw = raw;
  }

  set validator(validator: Validator) {
    this.#validator = validator;
  }

  set shape(shape: Shape) {
    this.#shape = shape;
  }

  get shape(): Shape {
    if (this.#shape === undefined) throw new Error('a schema of a document that did not load');
    return this.#shape;
  }

  check(value: Json): readonly SchemaViolation[] {
    const validator = this.#validator;
    if (validator === undefined) throw new Error('a schema that was not compiled');
    const { validate, budget } = validator;
    budget.begin(value);
    try {
      return validate(value) ? VALID : violations(validate.errors ?? [], validator.origins);
    } catch (error) {
      // Schemas that lead to one another go as deep as the value, which is bounded; the stack is the last bound.
      if (error instanceof Exceeded || error instanceof RangeError) return COMPLEXITY;
      throw error;
    } finally {
      budget.end();
      forget(validator.all);
      for (const holder of validator.holders) holder.errors = null;
    }
  }
}

/** Errors hold values of the client, and functions keep their last ones: also those of branches that did not count. */
function forget(functions: readonly ValidateFunction[]): void {
  for (const one of functions) {
    if (one.errors !== null && one.errors !== undefined) one.errors = null;
    const evaluated = one.evaluated;
    if (evaluated?.dynamicProps === true) evaluated.props = undefined;
  }
}

/** Errors that only say that others, which are there too, came up. */
const WRAPPERS = new Set(['if', 'visit', 'charge']);

/** The outermost rule first: Ajv tells the branches of a union before the union. */
function violations(errors: readonly ErrorObject[], origins: WeakMap<object, Location>): SchemaViolation[] {
  const found = new Map<string, SchemaViolation>();
  for (const error of errors.toReversed()) {
    if (WRAPPERS.has(error.keyword)) continue;
    const violation = violationOf(error, origins);
    found.set(`${violation.rule} ${violation.pointer}`, violation);
    if (found.size >= MAX_VIOLATIONS) break;
  }
  return [...found.values()];
}

function violationOf(error: ErrorObject, origins: WeakMap<object, Location>): SchemaViolation {
  const pointer = bounded(error.instancePath + nameIn(error));
  const origin = typeof error.parentSchema === 'object' ? origins.get(error.parentSchema) : undefined;
  const rule = ruleOf(error);
  return origin === undefined
    ? { pointer, rule }
    : { pointer, rule, schema: `${origin.file}#${origin.pointer}/${error.keyword}` };
}

function ruleOf({ keyword, params }: ErrorObject): string {
  if (keyword === 'format') return `format:${(params as { format: string }).format}`;
  return keyword === 'false schema' ? 'false' : keyword;
}

/** The member that is missing, or one too many: its name is the place. */
const NAMES: Readonly<Record<string, string>> = {
  required: 'missingProperty',
  dependentRequired: 'missingProperty',
  additionalProperties: 'additionalProperty',
  unevaluatedProperties: 'unevaluatedProperty',
  propertyNames: 'propertyName',
};

function nameIn({ keyword, params }: ErrorObject): string {
  const name: unknown = Object.hasOwn(NAMES, keyword) ? (params as Record<string, unknown>)[NAMES[keyword]] : undefined;
  return typeof name === 'string' ? `/${escapeToken(name)}` : '';
}

function bounded(pointer: string): string {
  if (pointer.length <= MAX_POINTER) return pointer;
  // A piece of a long text keeps all of it in memory: this one is a copy.
  return Buffer.from(`${pointer.slice(0, MAX_POINTER - 1)}…`).toString();
}
