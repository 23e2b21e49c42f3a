import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { operation, parameter, sketchSchema, type TypeSketch } from '../../../test/support/schemas.ts';
import { readJson } from '../../exchange/body/json.ts';
import { DEFAULT_BOUNDS } from '../../exchange/body/parsed.ts';
import { canonicalPath } from '../../exchange/path.ts';
import { readQuery } from '../../exchange/query.ts';
import type { Json, Parameter } from './contract.ts';
import { Parameters } from './parameters.ts';

const options = {
  bigNumbers: false,
  parseJson: (bytes: Buffer) => {
    const { value, flags } = readJson(bytes, DEFAULT_BOUNDS);
    return flags.length === 0 ? value : undefined;
  },
};

type Sketched = Partial<Parameter> & Pick<Parameter, 'name' | 'in'>;

/** Reads one parameter; gives the last value that its schema was asked about, and what was broken. */
function read(sketch: Sketched, type: TypeSketch, request: { path?: string; query?: string; headers?: string[] }) {
  const seen: Json[] = [];
  const one = parameter({ ...sketch, schema: sketchSchema(type, seen) });
  const parameters = new Parameters(operation({ parameters: [one] }), options);
  const raw = request.path === undefined ? [] : [request.path];
  const found = parameters.check([sketch.name], raw, readQuery(request.query), request.headers ?? []);
  return { value: seen.at(-1), rules: found.map(({ rule, parameter: name }) => `${name ?? ''}:${rule}`), found };
}

const query = (text: string, type: TypeSketch, sketch: Partial<Sketched> = {}) =>
  read({ name: 'a', in: 'query', ...sketch }, type, { query: text });

const INTEGERS: TypeSketch = { type: 'array', items: { type: 'integer' } };
const POINT: TypeSketch = { type: 'object', properties: { x: { type: 'integer' }, y: { type: 'string' } }, others: false };

suite('scalars have the spelling of JSON', () => {
  const cases: [string, TypeSketch['type'], Json | undefined][] = [
    ['1', 'integer', 1],
    ['-7', 'integer', -7],
    ['0', 'integer', 0],
    ['1.5', 'number', 1.5],
    ['1e3', 'number', 1000],
    ['true', 'boolean', true],
    ['null', 'null', null],
    ['null', ['null', 'string'], 'null'],
    ['12', ['integer', 'string'], 12],
    ['x', ['integer', 'string'], 'x'],
    ['%C3%A9', 'string', 'é'],
    ['a+b', 'string', 'a b'],
    ['', 'string', ''],
    ...[
      '0x10',
      '1e3',
      '1.0',
      '+1',
      '%2B1',
      '%201',
      '1%20',
      '01',
      '-0',
      '--1',
      '1_000',
      '',
      '%D9%A1',
      '%EF%BC%91',
      '9007199254740993',
    ].map((text): [string, 'integer', undefined] => [text, 'integer', undefined]),
    ...['NaN', 'Infinity', '1e999', '.5', '5.', '0x1', '1,5', '1n', '1e', '-'].map((text): [string, 'number', undefined] => [
      text,
      'number',
      undefined,
    ]),
    ...['TRUE', 'True', '1', '0', 'yes', 'on', '', 'true%00', 'true%20'].map((text): [string, 'boolean', undefined] => [
      text,
      'boolean',
      undefined,
    ]),
    ['', 'null', undefined],
  ];
  for (const [text, type, expected] of cases) {
    test(`${JSON.stringify(text)} as ${type}`, () => {
      const { value, rules } = query(`a=${text}`, { type });
      assert.deepEqual(rules, expected === undefined ? ['a:type'] : []);
      if (expected !== undefined) assert.deepEqual(value, expected);
    });
  }
});

suite('a query that has more than one reading, or says what nobody declared, is refused', () => {
  const cases: [string, TypeSketch, Partial<Sketched>, string][] = [
    ['a=1&a=2', { type: 'integer' }, {}, 'a:duplicate'],
    ['a=1&%61=2', { type: 'integer' }, {}, 'a:duplicate'],
    ['a=1&A=2', { type: 'integer' }, {}, 'A:undeclared'],
    ['a=1&a[]=2', { type: 'integer' }, {}, 'a[]:undeclared'],
    ['a=1&__proto__=2', { type: 'integer' }, {}, '__proto__:undeclared'],
    ['a=1&constructor=2', { type: 'integer' }, {}, 'constructor:undeclared'],
    ['a=1&=2', { type: 'integer' }, {}, ':undeclared'],
    ['a=%', { type: 'string' }, {}, ':encoding'],
    ['a=%zz', { type: 'string' }, {}, ':encoding'],
    ['a=%ff', { type: 'string' }, {}, ':encoding'],
    ['a=%C0%AF', { type: 'string' }, {}, ':encoding'],
    ['a=%ED%A0%80', { type: 'string' }, {}, ':encoding'],
    ['a=1;b=2', { type: 'string' }, {}, ':semicolon'],
    ['a=1,2&a=3', INTEGERS, { explode: false }, 'a:duplicate'],
    // A list of one item to some, of two to others.
    ['a=1%2C2', INTEGERS, { explode: false }, 'a:type'],
    ['a=x%2C2', INTEGERS, { explode: false }, 'a:type'],
    ['a=x,1', POINT, { explode: false, style: 'pipeDelimited' }, 'a:style'],
    ['a[x]=1&a[x]=2', POINT, { style: 'deepObject', explode: true }, 'a:duplicate'],
    ['a[x]=1&a=2', POINT, { style: 'deepObject', explode: true }, 'a:style'],
    ['a[x][y]=1', POINT, { style: 'deepObject', explode: true }, 'a:style'],
    ['a[]=1', POINT, { style: 'deepObject', explode: true }, 'a:name'],
    ['a[x=1', POINT, { style: 'deepObject', explode: true }, 'a:style'],
    ['a[x]y=1', POINT, { style: 'deepObject', explode: true }, 'a:style'],
    ['a[__proto__]=1', { type: 'object' }, { style: 'deepObject', explode: true }, 'a:name'],
    ['a[constructor]=1', { type: 'object' }, { style: 'deepObject', explode: true }, 'a:name'],
    ['a%5B__proto__%5D=1', { type: 'object' }, { style: 'deepObject', explode: true }, 'a:name'],
    ['a[z]=1', POINT, { style: 'deepObject', explode: true }, 'a:type'],
    ['x=1&x=2', POINT, {}, 'a:duplicate'],
    ['x=1&z=2', POINT, {}, 'z:undeclared'],
    ['', { type: 'integer' }, { required: true }, 'a:required'],
  ];
  for (const [text, type, sketch, rule] of cases) {
    test(`${text} (${JSON.stringify(sketch)})`, () => {
      const { rules } = query(text, type, sketch);
      assert.ok(rules.includes(rule), String(rules));
    });
  }

  test('a thousand fields and one are refused, and quickly', () => {
    const began = performance.now();
    const { rules } = query('a=1&'.repeat(1001), INTEGERS);
    assert.ok(rules.includes(':maxItems'));
    assert.ok(performance.now() - began < 500);
  });

  test('no violation holds a value, and names are bounded', () => {
    const { found } = query(`${'n'.repeat(5000)}=SECRET-1&a=SECRET-2`, { type: 'integer' });
    assert.equal(JSON.stringify(found).includes('SECRET'), false);
    assert.ok(JSON.stringify(found).length < 400);
    assert.equal(query(Array.from({ length: 500 }, (_, i) => `u${i}=1`).join('&'), { type: 'integer' }).found.length, 20);
  });
});

suite('a query by its styles', () => {
  const cases: [string, TypeSketch, Partial<Sketched>, Json][] = [
    ['a=1&a=2', INTEGERS, {}, [1, 2]],
    ['a=1', INTEGERS, {}, [1]],
    ['a=1,2', INTEGERS, { explode: false }, [1, 2]],
    ['a=1%202', INTEGERS, { style: 'spaceDelimited', explode: false }, [1, 2]],
    ['a=1+2', INTEGERS, { style: 'spaceDelimited', explode: false }, [1, 2]],
    ['a=1|2', INTEGERS, { style: 'pipeDelimited', explode: false }, [1, 2]],
    ['a=1%7C2', INTEGERS, { style: 'pipeDelimited', explode: false }, [1, 2]],
    ['a=x,1,y,b', POINT, { explode: false }, { x: 1, y: 'b' }],
    ['x=1&y=b', POINT, {}, { x: 1, y: 'b' }],
    ['a[x]=1&a[y]=b', POINT, { style: 'deepObject', explode: true }, { x: 1, y: 'b' }],
    ['a%5Bx%5D=1', POINT, { style: 'deepObject', explode: true }, { x: 1 }],
    ['q=1&r=b', { type: 'object', others: { type: 'string' } }, {}, { q: '1', r: 'b' }],
    ['a=1', { type: ['integer', 'array'], items: { type: 'integer' } }, {}, 1],
    ['a=1&a=2', { type: ['integer', 'array'], items: { type: 'integer' } }, {}, [1, 2]],
  ];
  for (const [text, type, sketch, expected] of cases) {
    test(`${text} (${JSON.stringify(sketch)})`, () => {
      const { value, rules } = query(text, type, sketch);
      assert.deepEqual(rules, []);
      assert.deepEqual(JSON.parse(JSON.stringify(value)), expected);
    });
  }

  test('an empty value passes where it is allowed, whatever the schema says', () => {
    assert.deepEqual(query('a=', { type: 'integer' }, { allowEmptyValue: true }).rules, []);
    assert.deepEqual(query('a', { type: 'integer' }, { allowEmptyValue: true }).rules, []);
    assert.deepEqual(query('a=', { type: 'integer' }).rules, ['a:type']);
  });

  test('content: the value is a document of its own, read by the strict reader', () => {
    const content = {
      range: 'application/json',
      schema: sketchSchema(POINT),
      encoding: new Map(),
      location: { file: '', pointer: '' },
    };
    const rules = (text: string) => query(`a=${encodeURIComponent(text)}`, { type: 'any' }, { content }).rules;
    assert.deepEqual(rules('{"x":1}'), []);
    for (const text of ['{"x":"1"}', 'null']) assert.deepEqual(rules(text), ['a:type'], text);
    for (const text of ['{"x":1,"x":2}', '{"__proto__":{}}', '{x:1}', '']) assert.deepEqual(rules(text), ['a:json'], text);
  });

  test('a raw semicolon passes where reserved characters may', () => {
    assert.deepEqual(query('a=1;2', { type: 'string' }, { allowReserved: true }).rules, []);
  });
});

suite('headers and cookies', () => {
  const header = (values: string[], type: TypeSketch) =>
    read({ name: 'x-a', in: 'header' }, type, { headers: values.flatMap((value) => ['x-a', value]) });
  const cookie = (text: string, type: TypeSketch, sketch: Partial<Sketched> = {}) =>
    read({ name: 'a', in: 'cookie', ...sketch }, type, { headers: ['cookie', text] });

  test('a header that is one value comes once', () => {
    assert.deepEqual(header(['1'], { type: 'integer' }).value, 1);
    assert.deepEqual(header(['1', '1'], { type: 'integer' }).rules, ['x-a:duplicate']);
    assert.deepEqual(header(['1, 2'], { type: 'integer' }).rules, ['x-a:type']);
    assert.deepEqual(header(['1, 2', '3'], INTEGERS).value, [1, 2, 3]);
    assert.deepEqual(header(['\xff'], { type: 'string' }).rules, ['x-a:encoding']);
    assert.deepEqual(header(['x=1,y=b'], POINT).rules, ['x-a:type']);
  });

  test('a declared cookie comes once; others pass', () => {
    assert.deepEqual(cookie('z=9; a=1', { type: 'integer' }).value, 1);
    assert.deepEqual(cookie('a=1; a=2', { type: 'integer' }).rules, ['a:duplicate']);
    assert.deepEqual(cookie('a=1x', { type: 'integer' }).rules, ['a:type']);
    assert.deepEqual(cookie('a=%ff', { type: 'string' }).rules, ['a:encoding']);
    assert.deepEqual(cookie('b=1', { type: 'integer' }, { required: true }).rules, ['a:required']);
    assert.deepEqual(cookie('a=1; a=2', INTEGERS).value, [1, 2]);
  });
});

// ---- encoding by each style, and decoding

const escape = (text: string) => encodeURIComponent(text);
const text = fc.string({ unit: 'grapheme', maxLength: 8 }).map((value) => value.toWellFormed());
const plain = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
/** What stands for itself in a path by any style: delimiters there have one spelling only. */
const pathText = text.filter(
  (value) => value !== '' && canonicalPath(`/x${escape(value)}x`) !== undefined && !/[,.;=]/.test(value),
);

interface Coding {
  readonly name: string;
  readonly sketch: Sketched;
  readonly type: TypeSketch;
  readonly values: fc.Arbitrary<Json>;
  encode(value: Json): { path?: string; query?: string; headers?: string[] };
}

const list = (item: fc.Arbitrary<Json>) => fc.array(item, { minLength: 1, maxLength: 6 });
const record = (value: fc.Arbitrary<string>) => fc.dictionary(plain, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true });
const texts: TypeSketch = { type: 'array', items: { type: 'string' } };
const open: TypeSketch = { type: 'object', others: { type: 'string' } };
const pairs = (value: Json) => Object.entries(value as Record<string, string>);
const noDelimiter = (delimiter: string) => text.filter((value) => !value.includes(delimiter));
const canonical = (path: string) => (canonicalPath(`/${path}`) as string).slice(1);

const a = { name: 'a', in: 'query' } as const;
const p = { name: 'a', in: 'path' } as const;
const codings: Coding[] = [
  {
    name: 'query form text',
    sketch: a,
    type: { type: 'string' },
    values: text,
    encode: (v) => ({ query: `a=${escape(String(v))}` }),
  },
  {
    name: 'query form explode list',
    sketch: a,
    type: texts,
    values: list(text),
    encode: (v) => ({ query: (v as string[]).map((item) => `a=${escape(item)}`).join('&') }),
  },
  {
    name: 'query form list',
    sketch: { ...a, explode: false },
    type: texts,
    values: list(text),
    encode: (v) => ({ query: `a=${(v as string[]).map(escape).join(',')}` }),
  },
  ...(['spaceDelimited', 'pipeDelimited'] as const).map((style): Coding => {
    const delimiter = style === 'spaceDelimited' ? ' ' : '|';
    return {
      name: `query ${style} list`,
      sketch: { ...a, style, explode: false },
      type: texts,
      values: list(noDelimiter(delimiter)),
      encode: (v) => ({ query: `a=${(v as string[]).map(escape).join(escape(delimiter))}` }),
    };
  }),
  {
    name: 'query form explode object',
    sketch: a,
    type: open,
    values: record(text),
    encode: (v) => ({
      query: pairs(v)
        .map(([k, w]) => `${k}=${escape(w)}`)
        .join('&'),
    }),
  },
  {
    name: 'query form object',
    sketch: { ...a, explode: false },
    type: open,
    values: record(noDelimiter(',')),
    encode: (v) => ({ query: `a=${pairs(v).flat().map(escape).join(',')}` }),
  },
  {
    name: 'query deepObject',
    sketch: { ...a, style: 'deepObject', explode: true },
    type: open,
    values: record(text),
    encode: (v) => ({
      query: pairs(v)
        .map(([k, w]) => `${escape(`a[${k}]`)}=${escape(w)}`)
        .join('&'),
    }),
  },
  {
    name: 'query numbers',
    sketch: a,
    type: { type: 'number' },
    values: fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((v) => !Object.is(v, -0) && (!Number.isInteger(v) || Number.isSafeInteger(v))),
    encode: (v) => ({ query: `a=${escape(String(v))}` }),
  },
  {
    name: 'path simple text',
    sketch: p,
    type: { type: 'string' },
    values: text.filter((v) => v !== '' && canonicalPath(`/x${escape(v)}x`) !== undefined),
    encode: (v) => ({ path: canonical(`x${escape(String(v))}x`).slice(1, -1) }),
  },
  ...(['simple', 'label', 'matrix'] as const).flatMap((style) =>
    [false, true].flatMap((explode): Coding[] => {
      const begin = { simple: '', label: '.', matrix: explode ? ';' : ';a=' }[style];
      const between = { simple: ',', label: explode ? '.' : ',', matrix: explode ? ';' : ',' }[style];
      const named = style === 'matrix' && explode ? 'a=' : '';
      return [
        {
          name: `path ${style} list${explode ? ' explode' : ''}`,
          sketch: { ...p, style, explode },
          type: texts,
          values: list(pathText),
          encode: (v) => ({ path: begin + (v as string[]).map((item) => named + escape(item)).join(between) }),
        },
        {
          name: `path ${style} object${explode ? ' explode' : ''}`,
          sketch: { ...p, style, explode },
          type: open,
          values: record(pathText),
          encode: (v) => ({
            path: begin + (explode ? pairs(v).map(([k, w]) => `${k}=${escape(w)}`) : pairs(v).flat().map(escape)).join(between),
          }),
        },
      ];
    }),
  ),
  {
    name: 'header list',
    sketch: { name: 'x-a', in: 'header' },
    type: texts,
    values: list(plain),
    encode: (v) => ({ headers: ['x-a', (v as string[]).join(', ')] }),
  },
  {
    name: 'header object explode',
    sketch: { name: 'x-a', in: 'header', explode: true },
    type: open,
    values: record(plain),
    encode: (v) => ({
      headers: [
        'x-a',
        pairs(v)
          .map((pair) => pair.join('='))
          .join(','),
      ],
    }),
  },
  {
    name: 'cookie text',
    sketch: { name: 'a', in: 'cookie' },
    type: { type: 'string' },
    values: text,
    encode: (v) => ({ headers: ['cookie', `b=1; a=${escape(String(v))}`] }),
  },
];

suite('what is encoded by a style is decoded to the same', () => {
  for (const { name, sketch, type, values, encode } of codings) {
    test(name, () => {
      fc.assert(
        fc.property(values, (value) => {
          const { value: decoded, rules } = read(sketch, type, encode(value));
          assert.deepEqual(rules, []);
          assert.deepEqual(JSON.parse(JSON.stringify(decoded)), value);
        }),
        { numRuns: 300 },
      );
    });
  }
});
