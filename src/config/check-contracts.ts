import { Contract, type ContractPath } from '../validate/openapi/enforce.ts';
import { documentOptions, enforceOptions } from '../validate/contract.ts';
import type { DocumentProblem, LoadedDocument, Operation, SecurityScheme } from '../validate/openapi/contract.ts';
import { loadDocument } from '../validate/openapi/load.ts';
import { isSame, mayServe } from '../validate/overlap.ts';
import type { Problem } from './problem.ts';
import { sortProblems } from './problem.ts';
import type { GatewayOptions, GatewayRoute } from './schema.ts';
import type { Path } from './schema-tree.ts';
import { placeOfValue, type Source } from './source.ts';

/** What the documents of a configuration say that is wrong, or that its routes do otherwise. */
export interface ContractFindings {
  /** A gateway would not start with these. */
  readonly errors: readonly Problem[];
  /** It would; but somebody should look. */
  readonly warnings: readonly Problem[];
}

/**
 * Reads the documents that routes name. A document that does not load is an error; where a route asks less of its callers than the
 * document says is a warning: the service may ask by itself, or the document be the one that is wrong.
 */
export function checkContracts(options: GatewayOptions, source: Source): ContractFindings {
  const documents = new Map<string, LoadedDocument>();
  const contracts = new Map<string, Contract>();
  const errors: Problem[] = [];
  const warnings: Problem[] = [];
  for (const [index, route] of options.routes.entries()) {
    const { validate } = route;
    if (validate?.openapi === undefined || validate.mode === 'off') continue;
    const reading = documentOptions(validate);
    const name = JSON.stringify([validate.openapi, reading]);
    const loaded = documents.get(name) ?? loadDocument(validate.openapi, reading);
    documents.set(name, loaded);
    if (loaded.document === undefined) continue;
    const key = JSON.stringify([name, validate.base]);
    const contract = contracts.get(key) ?? new Contract(loaded.document, enforceOptions(validate));
    if (!contracts.has(key)) warnings.push(...unreachable(contract, loaded));
    contracts.set(key, contract);
    warnings.push(...new RouteCheck(index, route, options, loaded, contract, source).warnings());
  }
  // Routes may read the same document in two ways.
  const found = new Map([...documents.values()].flatMap(({ problems }) => problems.map((one) => [JSON.stringify(one), one])));
  for (const problem of found.values()) (problem.severity === 'error' ? errors : warnings).push(ofDocument(problem));
  return { errors: sortProblems(errors), warnings: sortProblems(warnings) };
}

function ofDocument({ file, line, column, message, hint }: DocumentProblem): Problem {
  return { file, line, column, message, hint, excerpt: undefined };
}

function unreachable({ problems }: Contract, loaded: LoadedDocument): Problem[] {
  return problems.map(({ operation, message }) => ({
    file: operation.location.file,
    ...loaded.place(operation.location),
    message: `no request can be for ${operation.method} ${operation.pathTemplate}: ${message}`,
  }));
}

/** One route beside the operations that it serves. */
class RouteCheck {
  readonly #index: number;
  readonly #route: GatewayRoute;
  readonly #options: GatewayOptions;
  readonly #loaded: LoadedDocument;
  readonly #operations: readonly Operation[];
  readonly #source: Source;

  constructor(
    index: number,
    route: GatewayRoute,
    options: GatewayOptions,
    loaded: LoadedDocument,
    contract: Contract,
    source: Source,
  ) {
    this.#index = index;
    this.#route = route;
    this.#options = options;
    this.#loaded = loaded;
    this.#source = source;
    const own = contract.paths.filter(({ segments }) => isSame(route.path, segments));
    // A path that is the route's own wins over templates that cover it too, and a route that is the path's own over patterns.
    const paths = own.length > 0 ? own : contract.paths.filter(({ segments }) => mayServe(route.path, segments));
    this.#operations = paths.flatMap(({ segments, operations }) =>
      operations.filter(({ method }) => serves(route, method) && !this.#isElsewhere(segments, method)),
    );
  }

  /** Another route is for just this path. */
  #isElsewhere(segments: ContractPath['segments'], method: string): boolean {
    if (isSame(this.#route.path, segments)) return false;
    return this.#options.routes.some((other) => serves(other, method) && isSame(other.path, segments));
  }

  warnings(): Problem[] {
    if (this.#operations.length === 0)
      return [
        this.#at(['validate', 'openapi'], 'the document declares nothing that this route serves: every request is refused'),
      ];
    const operation = (wrong: (one: Operation) => boolean) => this.#operations.find((one) => asksForCallers(one) && wrong(one));
    if (this.#route.authentication === 'none') {
      const open = operation(() => true);
      return open === undefined ? [] : [this.#at(['authentication'], `the route is open, but ${this.#says(open)}`)];
    }
    const kinds = operation((one) => !this.#hasMethodFor(one));
    const scopes = operation((one) => this.#missingScopes(one).length > 0);
    return [
      ...(kinds === undefined
        ? []
        : [this.#at(['authentication'], `none of these methods takes what the document asks for: ${this.#says(kinds)}`)]),
      ...(scopes === undefined
        ? []
        : [
            this.#at(
              [this.#route.authorize === undefined ? 'authentication' : 'authorize'],
              `\`authorize\` does not ask for the scope ${JSON.stringify(this.#missingScopes(scopes)[0])}, but ${this.#says(scopes)}`,
            ),
          ]),
    ];
  }

  #says(operation: Operation): string {
    const { line, column } = this.#loaded.place(operation.location);
    const wanted = operation.security.map((one) => [...one].map(([name, scopes]) => [name, ...scopes].join(' ')).join(' and '));
    return `${operation.method} ${operation.pathTemplate} has the security ${wanted.join(' or ')} (${operation.location.file}:${line}:${column})`;
  }

  #at(path: Path, message: string): Problem {
    const { lines, file } = this.#source;
    const { line, col } = lines.linePos(placeOfValue(this.#source, ['routes', this.#index, ...path]).offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), message };
  }

  /** Some way of the document to say who calls is one that the route takes. */
  #hasMethodFor({ security }: Operation): boolean {
    const methods = this.#route.authentication === 'none' ? [] : this.#route.authentication;
    const schemes = this.#loaded.document?.securitySchemes;
    return security.some((requirement) =>
      [...requirement.keys()].every((name) => {
        const scheme = schemes?.get(name);
        return scheme === undefined || methods.some((method) => takes(this.#options.authentication[method], scheme));
      }),
    );
  }

  /** The scopes of that alternative of which the fewest are missing. */
  #missingScopes({ security }: Operation): readonly string[] {
    const asked = scopesOf(this.#route.authorize);
    const missing = security.map((requirement) => [...requirement.values()].flat().filter((scope) => !asked.has(scope)));
    return missing.toSorted((a, b) => a.length - b.length)[0] ?? [];
  }
}

const serves = (route: GatewayRoute, method: string) => (route.methods as readonly string[]).includes(method);

const asksForCallers = ({ security }: Operation) => security.length > 0 && security.every((one) => one.size > 0);

function takes(method: GatewayOptions['authentication'][string], scheme: SecurityScheme): boolean {
  if (scheme.type === 'apiKey') {
    const key = method['api-key'];
    return key !== undefined && scheme.in === 'header' && key.header === scheme.parameter?.toLowerCase();
  }
  if (scheme.type === undefined) return false;
  if (scheme.type === 'mutualTLS') return method.mtls !== undefined;
  if (scheme.type === 'http' && scheme.scheme !== 'bearer') return false;
  return method.jwt !== undefined || method.introspection !== undefined;
}

/** Every scope that some rule asks for. */
function scopesOf(rules: GatewayRoute['authorize']): ReadonlySet<string> {
  if (rules === undefined) return new Set();
  const inner = [...(rules['all-of'] ?? []), ...(rules['any-of'] ?? [])].flatMap((one) => [...scopesOf(one)]);
  return new Set([...(rules.scopes ?? []), ...(rules['any-scope'] ?? []), ...inner]);
}
