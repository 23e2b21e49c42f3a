import type { GatewayOptions, GatewayRoute } from '../config/schema.ts';
import type { Path } from '../config/schema-tree.ts';
import type { Source } from '../config/source.ts';
import type { LimitOptions } from '../limit/options.ts';
import { parsePattern, type Segment } from '../route/pattern.ts';
import { Contracts } from './contract.ts';
import type { Subject } from './model.ts';

/** A configuration that loads, and the file that it stands in. */
export interface Loaded {
  readonly options: GatewayOptions;
  readonly source: Source;
}

export type Service = GatewayOptions['services'][string];
export type Listener = GatewayOptions['listeners'][string];
export type Method = GatewayOptions['authentication'][string];

/** A limit of a route, and where it is written. */
export interface RouteLimit {
  readonly limit: LimitOptions;
  readonly path: Path;
}

/** A route with what belongs to it elsewhere in the file. */
export interface AuditedRoute {
  readonly route: GatewayRoute;
  readonly subject: Subject;
  readonly segments: readonly Segment[];
  /** Its hosts and the paths that it matches: the same for routes that differ by their methods. */
  readonly place: string;
  /** Some of its methods change something. */
  readonly unsafe: boolean;
  /** Some of its methods only read. */
  readonly safe: boolean;
  readonly authenticated: boolean;
  readonly limits: readonly RouteLimit[];
}

/** A configuration as the checks see it. */
export interface Audited {
  readonly options: GatewayOptions;
  readonly source: Source;
  readonly routes: readonly AuditedRoute[];
  readonly contracts: Contracts;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Methods that change nothing (RFC 9110 section 9.2.1; RFC 3253, 4918, 5323 and QUERY). OPTIONS and HEAD read nothing of their own. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY']);
const ACCOMPANYING = new Set(['HEAD', 'OPTIONS']);

export function auditedOf({ options, source }: Loaded, now: number): Audited {
  return {
    options,
    source,
    routes: options.routes.map((route, i) => auditedRoute(route, i, options)),
    contracts: new Contracts(),
    now,
  };
}

function auditedRoute(route: GatewayRoute, index: number, options: GatewayOptions): AuditedRoute {
  const pattern = parsePattern(route.path);
  if ('problem' in pattern) throw new Error(`a checked route has a pattern that cannot be read: ${pattern.problem}`);
  const hosts = route.host ?? [];
  return {
    route,
    subject: { kind: 'route', name: route.path, methods: route.methods, hosts, path: ['routes', index] },
    segments: pattern.segments,
    place: `${hosts.toSorted().join(',')} ${pattern.shape}`,
    unsafe: unsafeMethods(route.methods).length > 0,
    safe: route.methods.some((method) => SAFE.has(method) && !ACCOMPANYING.has(method)),
    authenticated: route.authentication !== 'none',
    limits: route.limits.map((one, at) =>
      typeof one === 'string'
        ? { limit: options.limits[one], path: ['limits', one] }
        : { limit: one, path: ['routes', index, 'limits', at] },
    ),
  };
}

export function unsafeMethods(methods: readonly string[]): string[] {
  return methods.filter((method) => !SAFE.has(method));
}

export function safeMethods(methods: readonly string[]): string[] {
  return methods.filter((method) => SAFE.has(method));
}
