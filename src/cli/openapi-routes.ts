import { parsePattern } from '../route/pattern.ts';
import type { ApiDocument, Operation, SecurityScheme } from '../validate/openapi/contract.ts';

/** One route as it is to be written. */
export interface PlannedRoute {
  readonly path: string;
  readonly methods: string[];
  readonly authentication: 'none' | readonly string[];
  /** As the configuration has it; undefined: any caller. */
  readonly authorize: unknown;
  readonly comments: readonly string[];
}

/** One method of `authentication` as it is to be written. */
export interface PlannedMethod {
  readonly name: string;
  /** In YAML, on one line. */
  readonly text: string;
  readonly comments: readonly string[];
}

export interface Plan {
  readonly methods: readonly PlannedMethod[];
  readonly routes: readonly PlannedRoute[];
  /** True where a file of API keys is needed. */
  readonly needsKeys: boolean;
  /** What could not be carried over. */
  readonly skipped: readonly string[];
}

export const KEYS_FILE = 'keys.yaml';

const SERVED = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']);

/** The routes and methods that a document asks for. Paths that differ only in what a pattern cannot say become one route. */
export function planRoutes(document: ApiDocument): Plan {
  const names = namesOf(document);
  const routes = new Map<string, PlannedRoute>();
  const taken = new Set<string>();
  const skipped: string[] = [];
  for (const operation of document.operations) {
    for (const base of operation.basePaths) {
      const pattern = parsePattern(patternOf(base + operation.pathTemplate));
      const what = `${operation.method} ${operation.pathTemplate}`;
      if ('problem' in pattern) skipped.push(`${what}: ${pattern.problem}`);
      else if (!SERVED.has(operation.method)) skipped.push(`${what}: the gateway does not serve this method`);
      else if (taken.has(`${operation.method} ${pattern.shape}`)) skipped.push(`${what}: another path is the same route`);
      else {
        taken.add(`${operation.method} ${pattern.shape}`);
        addRoute(routes, { shape: pattern.shape, path: pattern.text }, operation, document, names);
      }
    }
  }
  const used = new Set([...routes.values()].flatMap(({ authentication }) => (authentication === 'none' ? [] : authentication)));
  const schemes = [...document.securitySchemes.values()].filter(({ name }) => used.has(names.get(name) as string));
  return {
    methods: schemes.map((scheme) => planMethod(scheme, names.get(scheme.name) as string)),
    routes: [...routes.values()],
    needsKeys: schemes.some(isKey),
    skipped,
  };
}

/** `/users/{id}.json` is `/users/*`: what is part of a segment, the contract checks. */
function patternOf(template: string): string {
  const parts = template.split('/').map((part) => {
    if (!part.includes('{')) return part;
    return /^\{[A-Za-z_][A-Za-z0-9_-]{0,63}\}$/.test(part) && part !== '{__proto__}' ? part : '*';
  });
  return parts.join('/');
}

function addRoute(
  routes: Map<string, PlannedRoute>,
  { shape, path }: { readonly shape: string; readonly path: string },
  operation: Operation,
  document: ApiDocument,
  names: ReadonlyMap<string, string>,
): void {
  const protection = protectionOf(operation, document, names);
  const key = JSON.stringify([shape, protection]);
  const route = routes.get(key);
  if (route === undefined) routes.set(key, { path, methods: [operation.method], ...protection });
  else route.methods.push(operation.method);
}

type Protection = Pick<PlannedRoute, 'authentication' | 'authorize' | 'comments'>;

function protectionOf({ security }: Operation, document: ApiDocument, names: ReadonlyMap<string, string>): Protection {
  if (security.length === 0)
    return { authentication: 'none', authorize: undefined, comments: ['The document asks for no credential.'] };
  if (security.some(({ size }) => size === 0)) {
    const comments = ['TODO: the document lets callers without a credential pass as well as those with one.'];
    return { authentication: 'none', authorize: undefined, comments };
  }
  const comments = security.some(({ size }) => size > 1)
    ? ['TODO: the document asks for several credentials together; the gateway takes the first.']
    : [];
  const ways = security.map((requirement) => {
    const [scheme] = requirement.keys();
    const scopes = isScoped(document.securitySchemes.get(scheme)) ? [...requirement.values()].flat().filter(isScope) : [];
    return { method: names.get(scheme) ?? scheme, scopes };
  });
  return { authentication: [...new Set(ways.map(({ method }) => method))], authorize: authorizeOf(ways), comments };
}

const isScoped = (scheme: SecurityScheme | undefined) => scheme?.type === 'oauth2' || scheme?.type === 'openIdConnect';

const isScope = (scope: string) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope);

function authorizeOf(ways: readonly { readonly method: string; readonly scopes: readonly string[] }[]): unknown {
  const [{ scopes }] = ways;
  const same = ways.every((way) => way.scopes.join(' ') === scopes.join(' '));
  if (same) return scopes.length === 0 ? undefined : { scopes };
  return {
    'any-of': ways.map((way) => ({ callers: [way.method], ...(way.scopes.length === 0 ? {} : { scopes: way.scopes }) })),
  };
}

// ---- methods

/** Names of schemes as the configuration may have them, each once. */
function namesOf({ securitySchemes }: ApiDocument): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const scheme of securitySchemes.keys()) {
    const clean = scheme.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 60);
    const first = /^[A-Za-z]/.test(clean) && !/^(?:true|false|null)$/i.test(clean) ? clean : `m-${clean}`;
    let name = first;
    for (let i = 2; taken.has(name); i += 1) name = `${first}-${i}`;
    taken.add(name);
    names.set(scheme, name);
  }
  return names;
}

const isKey = ({ type, in: place }: SecurityScheme) => type === 'apiKey' && place === 'header';

function planMethod(scheme: SecurityScheme, name: string): PlannedMethod {
  if (isKey(scheme)) return planKey(scheme, name);
  const jwt = '{ jwt: { issuer: https://issuer.example.com, audience: TODO, algorithms: [RS256, ES256] } }';
  const ours =
    scheme.type === 'oauth2' || scheme.type === 'openIdConnect' || (scheme.type === 'http' && scheme.scheme === 'bearer');
  const comments = ours
    ? ['TODO: the issuer and the audience of the tokens; docs/identity.md has tokens that the issuer is asked about too.']
    : [`TODO: the document says ${describe(scheme)}, which has no method here: take one that you can issue (docs/identity.md).`];
  return { name, text: jwt, comments };
}

function planKey({ parameter = '' }: SecurityScheme, name: string): PlannedMethod {
  const written = parameter.toLowerCase();
  const comments = [`TODO: issue keys with \`portcullis keys create --keys ${KEYS_FILE} --id NAME\`.`];
  // Names that the gateway does not take for a key: see `header` of `api-key`.
  const usable =
    /^[a-z0-9-]{1,128}$/.test(written) && !/^(?:x-portcullis-|x-forwarded-|sec-)/.test(written) && !TAKEN.has(written);
  if (!usable) comments.push(`The document says the header ${JSON.stringify(parameter)}, which cannot carry a key here.`);
  return { name, text: `{ api-key: { header: ${usable ? written : 'x-api-key'}, keys: ${KEYS_FILE} } }`, comments };
}

const TAKEN = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'host',
  'origin',
  'referer',
  'user-agent',
  'forwarded',
  'via',
]);

function describe({ type, scheme, in: place }: SecurityScheme): string {
  if (type === 'http') return `HTTP ${scheme ?? ''}`.trim();
  if (type === undefined) return 'a scheme of a type that OpenAPI does not know';
  return type === 'apiKey' ? `a key in the ${place ?? 'request'}` : 'client certificates';
}
