import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Exchange } from '../../src/exchange/exchange.ts';
import { canonicalPath } from '../../src/exchange/path.ts';
import { enforceOptions, PreparedContract } from '../../src/validate/contract.ts';
import { Contract } from '../../src/validate/openapi/enforce.ts';
import { loadDocument } from '../../src/validate/openapi/load.ts';
import { validateOptions } from '../../src/validate/options.ts';
import { type MadeOperation, type MadeRequest, type Raw, RequestMaker } from '../support/openapi-requests.ts';

/** Real documents: what they allow passes, made from their text alone; what is broken in one spot is refused. */

const FOLDER = new URL('../../node_modules/', import.meta.url);
/** How many of its operations the generator makes requests for, at least. */
const documents: readonly (readonly [file: string, least: number])[] = [
  ['@readme/oas-examples/3.0/json/star-trek.json', 110],
  ['@readme/oas-examples/3.1/json/readme.json', 40],
  ['@readme/oas-examples/3.0/json/readme-legacy.json', 25],
  ['@readme/oas-examples/3.0/json/petstore.json', 15],
  ['@readme/oas-examples/3.1/json/petstore.json', 15],
  ['@readme/oas-examples/3.0/json/parameters-style.json', 15],
  ['@readme/oas-examples/3.1/json/parameters-style.json', 15],
  ['@readme/oas-examples/3.0/json/schema-types.json', 12],
  ['@readme/oas-examples/3.0/json/request-examples.json', 8],
  ['@readme/oas-examples/3.0/json/uspto.json', 2],
  ['@readme/oas-examples/3.1/json/train-travel.json', 5],
  ['@scalar/galaxy/dist/3.1.json', 6],
];
const BEFORE = '/base';
const RUNS = 20;

const options = validateOptions.parse({ openapi: 'x', base: BEFORE });
const connection = { listener: 'l', secure: false, peerAddress: '127.0.0.1', peerPort: 1, serverName: undefined };
const route = {
  path: '/**',
  methods: ['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD'],
  service: 's',
  bodyLimit: 1e6,
};

interface Verdict {
  readonly code: string | undefined;
  readonly errors: unknown;
}

function judge(room: PreparedContract, request: MadeRequest): Verdict | 'ambiguous path' {
  const path = canonicalPath(request.path);
  // The reader of heads refuses it before any contract is asked.
  if (path === undefined) return 'ambiguous path';
  const body = request.body === undefined ? undefined : Buffer.from(request.body);
  const query = request.query.length === 0 ? undefined : request.query.map(([name, value]) => `${name}=${value}`).join('&');
  const headers = request.headers.map((one) => Buffer.from(one, 'utf8').toString('latin1'));
  if (request.type !== undefined) headers.push('content-type', request.type);
  const head = {
    method: request.method,
    rawTarget: path,
    version: '1.1',
    host: 'a',
    authority: 'a',
    path,
    query,
    headers,
  } as const;
  const source = body && { length: body.length, limit: 0, received: 0, broken: undefined, start: () => {} };
  const x = new Exchange('id', connection, { ...head, headers }, source as unknown as Exchange['source']);
  let refusal = room.onRequestHead(x);
  if (refusal === undefined) {
    x.body = body ?? Buffer.alloc(0);
    refusal = room.onRequestBody?.(x);
  }
  return { code: refusal?.code, errors: refusal?.members?.errors };
}

/** Ways to break a request in one spot. undefined: there is no such spot. */
const mutations: Readonly<
  Record<string, (one: MadeRequest, operation: MadeOperation, maker: RequestMaker) => MadeRequest | undefined>
> = {
  'an undeclared query parameter': (one) => ({ ...one, query: [...one.query, ['undeclared-7', '1']] }),
  'broken percent-encoding': (one) => ({ ...one, query: [...one.query, ['a', '%zz']] }),
  'a method that is not there': (one, { template }, maker) =>
    maker.operations.some((other) => other.template === template && ['DELETE', 'PATCH'].includes(other.method))
      ? undefined
      : { ...one, method: 'PATCH' },
  'a path that is not there': (one) => ({ ...one, path: `${one.path}/undeclared/7/8/9/10/11/12` }),
  'another media type': (one) =>
    one.body === undefined || one.body === '' ? undefined : { ...one, type: 'application/x-undeclared' },
  'no body': (one, { bodyRequired }) => (bodyRequired ? { ...one, body: undefined, type: undefined } : undefined),
  'half a body': (one) =>
    one.json === undefined || typeof one.json !== 'object' ? undefined : { ...one, body: one.body?.slice(0, -1) },
  'a duplicate member': (one) => {
    const [name] = Object.keys((one.json as object | undefined) ?? {});
    const isObject = typeof one.json === 'object' && one.json !== null && !Array.isArray(one.json);
    return !isObject || name === undefined ? undefined : { ...one, body: `${one.body?.slice(0, -1)},${JSON.stringify(name)}:1}` };
  },
  'a required parameter less': (one, { parameters }) => {
    const required = parameters.find(
      (parameter) => parameter.required === true && parameter.in === 'query' && isScalar(parameter),
    );
    return required && { ...one, query: one.query.filter(([name]) => name !== encodeURIComponent(String(required.name))) };
  },
  'a scalar twice': (one, { parameters }) => {
    const scalar = parameters.find((parameter) => parameter.in === 'query' && isScalar(parameter));
    const field = one.query.find(([name]) => scalar !== undefined && name === encodeURIComponent(String(scalar.name)));
    return field && { ...one, query: [...one.query, field] };
  },
  'a text for a number': (one, { parameters }) => {
    const number = parameters.find((parameter) => parameter.in === 'query' && /^(?:integer|number)$/.test(typeOf(parameter)));
    const name = encodeURIComponent(String(number?.name));
    return number && one.query.some(([other]) => other === name)
      ? { ...one, query: one.query.map(([other, value]) => [other, other === name ? '0x10' : value]) }
      : undefined;
  },
  'a text for a number in the path': (one, { parameters, template }) => {
    const number = parameters.find((parameter) => parameter.in === 'path' && /^(?:integer|number)$/.test(typeOf(parameter)));
    const at = template.split('/').indexOf(`{${number?.name}}`);
    if (number === undefined || at < 0) return undefined;
    const parts = one.path.slice(BEFORE.length).split('/');
    parts[at] = '1x';
    return { ...one, path: BEFORE + parts.join('/') };
  },
  'none of an enum': (one, { parameters }, maker) => {
    const listed = parameters.find(
      (parameter) => parameter.in === 'query' && isScalar(parameter) && maker.resolve(parameter.schema).enum !== undefined,
    );
    const name = encodeURIComponent(String(listed?.name));
    return listed && one.query.some(([other]) => other === name)
      ? { ...one, query: one.query.map(([other, value]) => [other, other === name ? 'none-of-these-7' : value]) }
      : undefined;
  },
  'a required member less': (one, { bodySchema }) => {
    const [name] = ((bodySchema?.required as string[] | undefined) ?? []).filter(
      (key) => key in ((one.json as object | null) ?? {}),
    );
    if (name === undefined || Array.isArray(one.json)) return undefined;
    const { [name]: _, ...rest } = one.json as Record<string, unknown>;
    return { ...one, json: rest, body: JSON.stringify(rest) };
  },
  'a member of another type': (one, { bodySchema }, maker) => {
    const properties = Object.entries((bodySchema?.properties as Raw | undefined) ?? {});
    const typed = properties.find(([, schema]) =>
      ['string', 'integer', 'number', 'boolean', 'array'].includes(String(maker.resolve(schema).type)),
    );
    if (typed === undefined || typeof one.json !== 'object' || one.json === null || Array.isArray(one.json)) return undefined;
    const json = { ...one.json, [typed[0]]: { wrong: 7 } };
    return { ...one, json, body: JSON.stringify(json) };
  },
};

function typeOf(parameter: Raw): string {
  return String((parameter.schema as Raw | undefined)?.type);
}

const isScalar = (parameter: Raw) => /^(?:string|integer|number|boolean)$/.test(typeOf(parameter));

let made = 0;
const broken = new Map<string, number>();

for (const [file, least] of documents) {
  suite(file, () => {
    const path = new URL(file, FOLDER).pathname;
    const { document, problems } = loadDocument(path);
    assert.ok(document, JSON.stringify(problems));
    const room = new PreparedContract(new Contract(document, enforceOptions(options)), options, route);
    const maker = new RequestMaker(JSON.parse(readFileSync(path, 'utf8')), BEFORE);

    test('most operations can be made', () => {
      assert.ok(maker.operations.length >= least, `${maker.operations.length}: ${maker.left.join('\n')}`);
    });

    for (const operation of maker.operations) {
      test(operation.name, () => {
        let passed = 0;
        for (const request of fc.sample(operation.requests, { numRuns: RUNS, seed: 7 })) {
          const verdict = judge(room, request);
          if (verdict === 'ambiguous path') continue;
          assert.equal(verdict.code, undefined, JSON.stringify([verdict, request], undefined, 1));
          passed += 1;
          for (const [name, mutate] of Object.entries(mutations)) {
            const mutant = mutate(request, operation, maker);
            if (mutant === undefined) continue;
            const refused = judge(room, mutant);
            assert.notEqual(
              refused === 'ambiguous path' ? refused : refused.code,
              undefined,
              `${name}: ${JSON.stringify(mutant)}`,
            );
            broken.set(name, (broken.get(name) ?? 0) + 1);
          }
        }
        made += passed > 0 ? 1 : 0;
      });
    }
  });
}

test('some hundred operations were tried, and each way to break a request many times', () => {
  assert.ok(made >= 250, String(made));
  for (const name of Object.keys(mutations)) assert.ok((broken.get(name) ?? 0) >= 20, `${name}: ${broken.get(name)}`);
});
