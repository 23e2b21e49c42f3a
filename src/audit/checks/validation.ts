import type { AuditedRoute, Audited } from '../audited.ts';
import { unsafeMethods } from '../audited.ts';
import type { Operation } from '../../validate/openapi/contract.ts';
import { openObjects } from '../contract.ts';
import { type Check, met, open } from '../model.ts';
import { eachRoute } from '../scopes.ts';
import { someOf } from '../words.ts';

const LARGEST_BODY = 10 * 1024 ** 2;
const TAKE_BODIES = new Set(['POST', 'PUT', 'PATCH', 'QUERY', 'REPORT', 'SEARCH', 'PROPFIND', 'PROPPATCH', 'MKCOL', 'LOCK']);

/** The operations of the route's contract that lead to it; `undefined`: no contract; `unread`: one that does not load. */
function operationsOf(one: AuditedRoute, { contracts }: Audited): readonly Operation[] | 'unread' | undefined {
  const { path, validate } = one.route;
  if (validate?.openapi === undefined || validate.mode === 'off') return undefined;
  const all = contracts.operations(path, validate.openapi, validate);
  return all?.filter(({ method }) => takes(one, method)) ?? 'unread';
}

/** HEAD is served where GET is. */
function takes({ route: { methods } }: AuditedRoute, method: string): boolean {
  return (methods as readonly string[]).includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

const named = ({ method, pathTemplate }: Operation) => `${method} ${pathTemplate}`;

function takesBodies({ route: { methods } }: AuditedRoute): boolean {
  return methods.some((method) => TAKE_BODIES.has(method));
}

export const validation: readonly Check[] = [
  {
    name: 'request-contract',
    title: 'A contract says what each request may hold',
    heading: 'validation',
    owasp: ['API8', 'API3'],
    why: 'What no contract declares reaches the service: paths, parameters and members that nobody thought of.',
    fix: 'validate: { openapi: openapi/api.yaml }',
    applies: 'every route',
    judge: eachRoute(({ route: { validate } }) => {
      if (validate?.openapi === undefined)
        return open(validate === undefined ? 'no contract' : 'media types and bounds, but no contract', ['validate']);
      if (validate.mode === 'off') return open('the contract is off', ['validate', 'mode']);
      return met('a contract', 'validate', 'openapi');
    }),
  },
  {
    name: 'contract-enforced',
    title: 'What breaks the contract is refused',
    heading: 'validation',
    owasp: ['API8', 'API3'],
    why: '`report` is for a beginning: it lets everything pass.',
    fix: 'validate: { mode: strict }',
    applies: 'routes with `validate`',
    judge: eachRoute(({ route: { validate } }) => {
      if (validate === undefined) return undefined;
      return validate.mode === 'strict' ? met('strict', 'validate') : open(`the mode is ${validate.mode}`, ['validate', 'mode']);
    }),
  },
  {
    name: 'body-types',
    title: 'Bodies are of types that are expected, and have one reading',
    heading: 'validation',
    owasp: ['API8'],
    why: 'An unread body is XML for one parser and JSON for another, and has two members of one name.',
    fix: 'validate: { types: [application/json] }',
    applies: 'routes whose methods have bodies',
    judge: eachRoute((one) => {
      if (!takesBodies(one)) return undefined;
      const { validate } = one.route;
      if (validate === undefined || validate.mode === 'off') return open('bodies pass unread', ['validate']);
      return validate.openapi === undefined && validate.types === undefined
        ? open('bodies of every type pass', ['validate'])
        : met('declared types only', 'validate');
    }),
  },
  {
    name: 'closed-objects',
    title: 'Bodies hold only the members that are declared',
    heading: 'validation',
    owasp: ['API3'],
    why: 'A member that nobody declared, such as `role` or `price`, is written into the record by a service that copies all it gets.',
    fix: 'write additionalProperties: false in the schemas of the contract',
    applies: 'routes whose contract declares bodies',
    judge: eachRoute((one, audited) => {
      const operations = operationsOf(one, audited);
      if (operations === undefined || operations === 'unread') return undefined;
      if (!operations.some(({ requestBody }) => requestBody !== undefined)) return undefined;
      const loose = operations.flatMap((operation) => openObjects(operation).map((place) => `${named(operation)} ${place}`));
      return loose.length === 0
        ? met('every object is closed', 'validate', 'openapi')
        : open(`takes undeclared members: ${someOf(loose)}`, ['validate', 'openapi']);
    }),
  },
  {
    name: 'contract-covers-route',
    title: 'The contract tells of every route and method',
    heading: 'validation',
    owasp: ['API9'],
    why: 'What is reachable and in no document is what nobody maintains.',
    fix: 'methods: [GET] (those that the contract has; or add the operations to it)',
    applies: 'routes with a contract',
    judge: eachRoute((one, audited) => {
      const operations = operationsOf(one, audited);
      if (operations === undefined) return undefined;
      if (operations === 'unread')
        return open('the contract does not load: `portcullis check` says why', ['validate', 'openapi']);
      if (operations.length === 0) return open('the contract has nothing under this path', ['validate', 'openapi']);
      const missing = undeclared(one, operations);
      return missing.length === 0
        ? met('every method is declared', 'validate', 'openapi')
        : open(`the contract does not declare ${missing.join(', ')} here`, ['methods']);
    }),
  },
  {
    name: 'deprecated-operations',
    title: 'Nothing that is deprecated is still served',
    heading: 'validation',
    owasp: ['API9'],
    why: 'Old operations are looked after least and protected by what was known when they were made.',
    fix: 'take the operation out of the contract',
    applies: 'routes with a contract',
    judge: eachRoute((one, audited) => {
      const operations = operationsOf(one, audited);
      if (operations === undefined || operations === 'unread') return undefined;
      const old = operations.filter(({ deprecated }) => deprecated).map(named);
      return old.length === 0
        ? met('nothing is deprecated', 'validate', 'openapi')
        : open(`serves what is deprecated: ${someOf(old)}`, ['validate', 'openapi']);
    }),
  },
  {
    name: 'body-limit',
    title: 'Bodies are at most 10 MiB',
    heading: 'validation',
    owasp: ['API4'],
    why: 'Every room that reads a body holds all of it.',
    fix: 'body: 64KiB',
    applies: 'every route',
    judge: eachRoute(({ route: { body } }) =>
      body <= LARGEST_BODY ? met(`at most ${size(body)}`, 'body') : open(`up to ${size(body)}`, ['body']),
    ),
  },
];

function undeclared({ route: { methods } }: AuditedRoute, operations: readonly Operation[]): string[] {
  const declared = new Set(operations.map(({ method }) => method));
  const reading = methods.includes('GET') && !declared.has('GET') ? ['GET'] : [];
  return [...reading, ...unsafeMethods(methods).filter((method) => !declared.has(method))];
}

function size(bytes: number): string {
  return bytes >= 1024 ** 2 ? `${Math.round((bytes / 1024 ** 2) * 10) / 10} MiB` : `${bytes} bytes`;
}
