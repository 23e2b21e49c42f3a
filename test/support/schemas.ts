import type { CompiledSchema, Json, JsonType, Operation, Parameter, Shape } from '../../src/validate/openapi/contract.ts';

/** Stand-ins for what the loader makes of a document, so that the reading of parameters and bodies can be tested without one. */

const ALL: readonly JsonType[] = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];
const location = { file: 'test.yaml', pointer: '' };

export interface TypeSketch {
  readonly type: JsonType | readonly JsonType[] | 'any';
  readonly items?: TypeSketch;
  readonly properties?: Readonly<Record<string, TypeSketch>>;
  readonly others?: TypeSketch | boolean;
  readonly raw?: object;
}

export function shapeOf(sketch: TypeSketch): Shape {
  const written = sketch.type === 'any' ? ALL : [sketch.type].flat();
  const types = new Set<JsonType>(written);
  if (types.has('number')) types.add('integer');
  const { items, properties = {}, others } = sketch;
  return {
    types,
    item: () => items && shapeOf(items),
    property: (name) => {
      if (Object.hasOwn(properties, name)) return shapeOf(properties[name]);
      return typeof others === 'object' ? shapeOf(others) : undefined;
    },
    properties: Object.keys(properties),
    fallback: undefined,
    openObjects: () => [],
  };
}

/** A schema that checks types alone, and shows the values that it was asked about. */
export function sketchSchema(sketch: TypeSketch, seen: Json[] = []): CompiledSchema {
  const shape = shapeOf(sketch);
  const raw = { ...sketch.raw, ...(sketch.others === undefined ? {} : { additionalProperties: sketch.others }) };
  return {
    shape,
    raw,
    location,
    check(value) {
      seen.push(value);
      return fits(value, sketch) ? [] : [{ pointer: '', rule: 'type' }];
    },
  };
}

function fits(value: Json, sketch: TypeSketch): boolean {
  const { types } = shapeOf(sketch);
  const type = typeOf(value);
  if (!types.has(type)) return false;
  if (Array.isArray(value)) return sketch.items === undefined || value.every((item) => fits(item, sketch.items as TypeSketch));
  if (type !== 'object') return true;
  return Object.entries(value as object).every(([name, member]) => {
    const { properties = {}, others } = sketch;
    const inner = Object.hasOwn(properties, name) ? properties[name] : others;
    return typeof inner === 'object' ? fits(member, inner) : inner !== false;
  });
}

function typeOf(value: Json): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value as JsonType;
}

export function parameter(parts: Partial<Parameter> & Pick<Parameter, 'name' | 'in'>): Parameter {
  const style = parts.style ?? (parts.in === 'path' || parts.in === 'header' ? 'simple' : 'form');
  return {
    required: false,
    style,
    explode: style === 'form',
    allowReserved: false,
    allowEmptyValue: false,
    deprecated: false,
    schema: undefined,
    content: undefined,
    location,
    ...parts,
  };
}

export function operation(parts: Partial<Operation>): Operation {
  return {
    method: 'GET',
    pathTemplate: '/',
    basePaths: [''],
    parameters: [],
    requestBody: undefined,
    security: [],
    operationId: undefined,
    deprecated: false,
    location,
    ...parts,
  };
}
