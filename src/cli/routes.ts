import path from 'node:path';
import { describeRules } from '../authorize/stage.ts';
import { loadConfiguration } from '../config/load.ts';
import { longestFirst, redactAll } from '../config/redact.ts';
import type { GatewayOptions, GatewayRoute } from '../config/schema.ts';
import { describeLimit } from '../limit/stage.ts';
import { DEFAULT_METHODS } from '../route/methods.ts';
import { effectiveWaf } from '../waf/effective.ts';
import { reportProblems } from './report-problems.ts';
import { EXIT, type Output, painter } from './output.ts';
import { formatTable } from './table.ts';

/** What `--json` prints for one route; members are only ever added. */
export interface RouteRow {
  readonly methods: readonly string[];
  readonly hosts: readonly string[];
  readonly path: string;
  /** Header conditions: the route is only for requests that fulfil them. */
  readonly conditions: readonly string[];
  readonly service: string;
  readonly authentication: readonly string[];
  /** What each of these methods is: `jwt`, `introspection`, `api-key`, `mtls`. */
  readonly kinds: readonly string[];
  /** Bytes. */
  readonly body: number;
  /** Other things that stand in the way of a request, in the order of the corridor. */
  readonly protection: readonly string[];
}

const HEADERS = ['METHODS', 'HOST', 'PATH', 'SERVICE', 'AUTHENTICATION', 'BODY', 'ALSO'];

/** `portcullis routes`: what is reachable, and what protects it. */
export async function routes(options: { config: string; json?: boolean }, output: Output): Promise<number> {
  const result = await loadConfiguration(options.config);
  if (!result.ok) return reportProblems(result, output);
  const { options: configuration, secrets } = result;
  const rows = redactAll(
    configuration.routes.map((route) => describeRoute(route, configuration)),
    secrets.hidden.toSorted(longestFirst),
  );
  if (options.json === true) {
    output.out.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    return EXIT.ok;
  }
  const paint = painter(output.out);
  const open = HEADERS.indexOf('AUTHENTICATION');
  output.out.write(
    formatTable(HEADERS, rows.map(cells), (text, column, header) => {
      if (header) return paint('bold', text);
      return column === open && text === 'none' ? paint('yellow', text) : text;
    }),
  );
  return EXIT.ok;
}

function cells(row: RouteRow): string[] {
  return [
    isStandard(row.methods) ? 'standard' : row.methods.join(','),
    row.hosts.length === 0 ? 'any' : row.hosts.join(','),
    row.path,
    row.service,
    row.authentication.map((name, at) => (at in row.kinds ? `${name} (${row.kinds[at]})` : name)).join(', '),
    formatSize(row.body),
    [...row.conditions, ...row.protection].join(', '),
  ];
}

/** The methods of a route that names none; written out they would fill half of every line. */
function isStandard(methods: readonly string[]): boolean {
  return methods.length === DEFAULT_METHODS.length && DEFAULT_METHODS.every((method) => methods.includes(method));
}

function describeRoute(route: GatewayRoute, options: GatewayOptions): RouteRow {
  return {
    methods: route.methods,
    hosts: route.host ?? [],
    path: route.path,
    conditions: Object.entries(route.headers ?? {}).map(([name, value]) =>
      value === 'present' ? `if ${name}` : `if ${name}=${value}`,
    ),
    service: route.service,
    authentication: route.authentication === 'none' ? ['none'] : route.authentication,
    kinds: route.authentication === 'none' ? [] : route.authentication.map((name) => kindOf(options.authentication[name])),
    body: route.body,
    protection: protections(route, options),
  };
}

function kindOf(method: GatewayOptions['authentication'][string]): string {
  return Object.entries(method).find(([, options]) => options !== undefined)?.[0] ?? '';
}

function protections(route: GatewayRoute, options: GatewayOptions): string[] {
  return [
    ...(route.cors === undefined
      ? []
      : [`cors ${route.cors.origins.join(' ')}${route.cors.credentials ? ' with credentials' : ''}`]),
    ...(route.origins === undefined ? [] : [`websocket origins ${route.origins.join(' ')}`]),
    ...describeCsrf(route.csrf),
    ...(route.authorize === undefined ? [] : describeRules(route.authorize)),
    ...limits(route, options),
    ...describeValidate(route.validate),
    ...describeWaf(route, options),
    ...Object.entries(route['response-headers'] ?? {}).map(([name, value]) =>
      value === 'remove' || value === 'keep' ? `${value}s ${name}` : `sets ${name}`,
    ),
  ];
}

/** The mode that holds on the route, whoever says it; nothing where nobody speaks of a firewall. */
function describeWaf(route: GatewayRoute, options: GatewayOptions): string[] {
  if (route.waf === undefined && options.waf === undefined) return [];
  return [`waf ${effectiveWaf(options.waf, route.waf)?.mode ?? 'off'}`];
}

/** The check is on where nothing is said, and that is not told of each route. */
function describeCsrf(csrf: GatewayRoute['csrf']): string[] {
  if (csrf === 'off') return ['csrf off'];
  return csrf.origins.length === 0 ? [] : [`csrf origins ${csrf.origins.join(' ')}`];
}

function describeValidate(validate: GatewayRoute['validate']): string[] {
  if (validate === undefined || validate.mode === 'off') return [];
  const mode = validate.mode === 'report' ? ', report only' : '';
  if (validate.openapi !== undefined) return [`contract ${path.basename(validate.openapi)}${mode}`];
  return [validate.types === undefined ? `bodies read${mode}` : `types ${validate.types.join(' ')}${mode}`];
}

function limits(route: GatewayRoute, options: GatewayOptions): string[] {
  const described = route.limits.map((one) => {
    const limit = typeof one === 'string' ? options.limits[one] : one;
    const text = describeLimit({ limit });
    return `${limit.shadow ? 'shadow limit' : 'limit'} ${typeof one === 'string' ? `${one} (${text})` : text}`;
  });
  const most = [route.concurrency, options.services[route.service].concurrency, options.concurrency].filter(
    (one) => one !== undefined,
  );
  return most.length === 0 ? described : [...described, `${Math.min(...most.map(({ max }) => max))} at once`];
}

/** Bytes as the configuration would say them. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}`;
}
