import core, { _, type CodeKeywordDefinition, type FuncKeywordDefinition, type Options } from 'ajv/dist/core.js';
import type { DataValidationCxt, ErrorObject, ValidateFunction } from 'ajv/dist/types/index.js';
import applicator from 'ajv/dist/vocabularies/applicator/index.js';
import coreVocabulary from 'ajv/dist/vocabularies/core/index.js';
import format from 'ajv/dist/vocabularies/format/index.js';
import next from 'ajv/dist/vocabularies/next.js';
import unevaluated from 'ajv/dist/vocabularies/unevaluated/index.js';
import validation from 'ajv/dist/vocabularies/validation/index.js';
import type { Budget } from './budget.ts';
import type { Json } from './contract.ts';
import type { Discriminator } from './discriminator.ts';
import { allUnique, multipleOf, oneOf } from './equality.ts';
import { FORMATS } from './formats.ts';
import { escapeToken } from './pointer.ts';
import type { Patterns } from './patterns.ts';
import { unevaluatedItems, unevaluatedProperties } from './unevaluated.ts';

export interface AjvParts {
  readonly patterns: Patterns;
  readonly budget: Budget;
  /** Following what was evaluated costs on every object: only where a document asks for it. */
  readonly unevaluated: boolean;
}

/** Schemas smaller than this are written into those that refer to them. */
const INLINE = 12;

/**
 * Ajv for plain schemas of draft 2020-12, with what is unsafe on hostile values replaced: `uniqueItems` in one pass, `enum` and `const`
 * on objects without prototype, `multipleOf` by decimals, `unevaluatedProperties` that knows `constructor` for a name; and with every
 * step charged to a budget. Its meta-schemas stay away: schemas have been judged when they get here.
 */
export class ContractAjv extends core.default {
  /** What keeps the errors of its last check, besides compiled schemas. */
  readonly holders: ErrorHolder[] = [];

  constructor({ patterns, budget, unevaluated: following }: AjvParts) {
    const regExp = Object.assign((source: string) => patterns.compile(source) as unknown as RegExp, { code: 'patterns' });
    const options: Options = {
      code: { regExp },
      inlineRefs: INLINE,
      logger: false,
      messages: false,
      meta: false,
      next: true,
      strict: false,
      unevaluated: following,
      validateSchema: false,
      // For the place of the rule that is broken. What else stands in an error is taken away after each check.
      verbose: true,
    };
    super(options);
    for (const [name, definition] of FORMATS) this.addFormat(name, definition);
    // Before all others, so that nothing is done before it is paid for.
    this.addKeyword(visit(budget)).addKeyword(charge(budget));
    for (const vocabulary of [
      coreVocabulary,
      validation,
      applicator.default(true),
      format,
      next,
      ...(following ? [unevaluated] : []),
    ])
      this.addVocabulary('default' in vocabulary ? vocabulary.default : vocabulary);
    for (const replaced of ['uniqueItems', 'enum', 'const', 'multipleOf', 'unevaluatedItems', 'unevaluatedProperties'])
      this.removeKeyword(replaced);
    for (const keyword of keywords(budget)) this.addKeyword(keyword);
    if (following) this.addKeyword(unevaluatedItems).addKeyword(unevaluatedProperties);
    this.addKeyword(discriminator((name) => this.getSchema(name), this.holders));
  }
}

function visit(budget: Budget): CodeKeywordDefinition {
  return {
    keyword: 'visit',
    schemaType: 'boolean',
    code: ({ gen }) => void gen.code(_`${gen.scopeValue('obj', { ref: budget })}.visit()`),
  };
}

function charge(budget: Budget): CodeKeywordDefinition {
  return {
    keyword: 'charge',
    type: ['string', 'array', 'object'],
    schemaType: 'boolean',
    code: ({ gen, data }) => void gen.code(_`${gen.scopeValue('obj', { ref: budget })}.charge(${data})`),
  };
}

function keywords(budget: Budget): FuncKeywordDefinition[] {
  const unique = (items: readonly Json[]) => {
    if (items.some((item) => typeof item === 'object' && item !== null)) budget.chargeWhole(items);
    return allUnique(items);
  };
  return [
    {
      keyword: 'uniqueItems',
      type: 'array',
      schemaType: 'boolean',
      errors: false,
      compile: (on: boolean) => (on ? unique : () => true),
    },
    { keyword: 'enum', schemaType: 'array', errors: false, compile: oneOf },
    { keyword: 'const', errors: false, compile: (value: Json) => oneOf([value]) },
    { keyword: 'multipleOf', type: 'number', schemaType: 'number', errors: false, compile: multipleOf },
    { keyword: 'readOnly', schemaType: 'boolean', errors: false, compile: () => () => false },
  ];
}

/** A function with the errors of its last check. */
export interface ErrorHolder {
  errors?: unknown;
}

/** The property must name one of the schemas, and that one must hold. */
function discriminator(find: (name: string) => ValidateFunction | undefined, holders: ErrorHolder[]): FuncKeywordDefinition {
  return {
    keyword: 'discriminator',
    type: 'object',
    schemaType: 'object',
    errors: 'full',
    compile: ({ propertyName, chosen }: Discriminator, parentSchema) => {
      const validate = (data: Readonly<Record<string, Json>>, at?: DataValidationCxt): boolean => {
        const value = data[propertyName];
        const name = typeof value === 'string' ? chosen[value] : undefined;
        if (name === null) return true;
        const inner = name === undefined ? undefined : find(name);
        if (inner?.(data, at) === true) return true;
        const instancePath = `${at?.instancePath ?? ''}/${escapeToken(propertyName)}`;
        const own = { keyword: 'discriminator', instancePath, schemaPath: '', params: {}, parentSchema };
        holder.errors = inner === undefined ? [own] : inner.errors;
        return false;
      };
      const holder: ErrorHolder = Object.assign(validate, { errors: null });
      holders.push(holder);
      return holder as typeof validate & { errors?: Partial<ErrorObject>[] };
    },
  };
}
