import { _, and, Name, nil, not } from 'ajv/dist/compile/codegen/index.js';
import type { Code } from 'ajv/dist/compile/codegen/index.js';
import names from 'ajv/dist/compile/names.js';
import type { KeywordCxt } from 'ajv/dist/compile/validate/index.js';
import { alwaysValidSchema, Type } from 'ajv/dist/compile/util.js';
import type { AnySchema, CodeKeywordDefinition } from 'ajv/dist/types/index.js';

/**
 * `unevaluatedProperties` as in Ajv, but for one thing: what was evaluated is kept in an object, and Ajv asks it for `constructor` and
 * the like in a way that finds the inherited ones. A member of that name would pass as known.
 */
export const unevaluatedProperties: CodeKeywordDefinition = {
  keyword: 'unevaluatedProperties',
  type: 'object',
  schemaType: ['boolean', 'object'],
  trackErrors: true,
  error: { message: 'unevaluated', params: ({ params }) => _`{unevaluatedProperty: ${params.unevaluatedProperty ?? nil}}` },
  code(cxt) {
    const { gen, data, errsCount, it } = cxt;
    const { props } = it;
    if (props instanceof Name) {
      const has = gen.scopeValue('func', { ref: Object.hasOwn, code: _`Object.hasOwn` });
      gen.if(_`${props} !== true`, () =>
        gen.forIn('key', data, (key) => gen.if(_`!${props} || !${has}(${props}, ${key})`, () => judge(cxt, key))),
      );
    } else if (props !== true) {
      const known = Object.keys(props ?? {});
      gen.forIn('key', data, (key) =>
        known.length === 0
          ? judge(cxt, key)
          : gen.if(and(...known.map((name): Code => _`${key} !== ${name}`)), () => judge(cxt, key)),
      );
    }
    it.props = true;
    cxt.ok(_`${errsCount as Name} === ${names.default.errors}`);
  },
};

/**
 * `unevaluatedItems` as in Ajv, but for arrays whose items may all have been evaluated, which is known only when a value is there: Ajv
 * takes the mark for that as the number one.
 */
export const unevaluatedItems: CodeKeywordDefinition = {
  keyword: 'unevaluatedItems',
  type: 'array',
  schemaType: ['boolean', 'object'],
  error: { message: 'unevaluated', params: _`{}` },
  code(cxt) {
    const { gen, data, it } = cxt;
    const schema = cxt.schema as AnySchema;
    const { items } = it;
    it.items = true;
    if (items === true || (schema !== false && alwaysValidSchema(it, schema))) return;
    const from = gen.const('from', _`${items ?? 0} === true ? ${data}.length : ${items ?? 0} || 0`);
    if (schema === false) return cxt.pass(_`${data}.length <= ${from}`);
    const valid = gen.var('valid', true);
    gen.forRange('i', from, _`${data}.length`, (i) => {
      cxt.subschema({ keyword: 'unevaluatedItems', dataProp: i, dataPropType: Type.Num }, valid);
      gen.if(not(valid), () => gen.break());
    });
    cxt.ok(valid);
  },
};

function judge(cxt: KeywordCxt, key: Name): void {
  const { gen, it } = cxt;
  const schema = cxt.schema as AnySchema;
  if (schema === false) {
    cxt.setParams({ unevaluatedProperty: key });
    cxt.error();
    gen.break();
  } else if (!alwaysValidSchema(it, schema)) {
    const valid = gen.name('valid');
    cxt.subschema({ keyword: 'unevaluatedProperties', dataProp: key, dataPropType: Type.Str }, valid);
    gen.if(not(valid), () => gen.break());
  }
}
