import { type Answer, type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { OriginSet, ownOrigin, readOrigin, readOrigins } from '../exchange/origins.ts';
import type { Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import { Cors } from './cors.ts';
import type { RouteOptions } from './options.ts';
import { HeaderPlan, hstsFor, isSafetyHeader } from './response-headers.ts';

/** The room `route`, once a route has been found: CORS, the origin of WebSockets, and safe response headers. */
export const routeStage = {
  name: 'route',
  async prepare(options: RouteOptions, _world: World, route: Pick<RouteContext, 'methods'>): Promise<PreparedRoute> {
    return new PreparedRoute(options, route.methods);
  },
} satisfies Stage<RouteOptions>;

/** Safe headers for answers that belong to no route: a 404, or what the reader of the head refused. */
export function decorate(x: Exchange, headers: HeaderList): void {
  unrouted.apply(headers, 0, hstsFor(x.clientScheme, x.connection.hsts));
}

const unrouted = new HeaderPlan(new Map(), 'none');

/** The room on one route. `decorate` is for the answers that the gateway makes itself, refusals among them. */
export class PreparedRoute implements Prepared {
  private readonly cors: Cors | undefined;
  /** Origins besides our own whose pages may open a WebSocket. */
  private readonly socketOrigins: OriginSet;
  private readonly fromService: HeaderPlan;
  private readonly fromGateway: HeaderPlan;

  constructor(options: RouteOptions, methods: readonly string[]) {
    this.cors = options.cors && new Cors(options.cors, methods);
    // `*` in `cors` is about answers without credentials; a WebSocket always takes the cookies along.
    const shared = (options.cors?.origins ?? []).filter((origin) => origin !== '*');
    this.socketOrigins = new OriginSet(readOrigins([...(options.origins ?? []), ...shared]));
    const own = new Map(Object.entries(options['response-headers'] ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
    this.fromService = new HeaderPlan(own, this.cors ? 'replace' : 'none');
    // What a route says of its content, `cache-control` above all, must not go out with a refusal.
    const ownSafety = new Map([...own].filter(([name]) => isSafetyHeader(name)));
    // The CORS fields that are there already are those of a preflight's answer, which is complete.
    this.fromGateway = new HeaderPlan(ownSafety, this.cors ? 'note' : 'none');
  }

  onRequestHead(x: Exchange): Answer | Refusal | undefined {
    if (x.upgrade) return this.checkSocketOrigin(x);
    return x.head.method === 'OPTIONS' ? this.cors?.preflight(x) : undefined;
  }

  onResponseHead(x: Exchange): undefined {
    const { response } = x;
    if (response !== undefined) this.finish(x, this.fromService, response.headers, response.status);
  }

  decorate(x: Exchange, headers: HeaderList): void {
    this.finish(x, this.fromGateway, headers, 0);
  }

  private finish(x: Exchange, plan: HeaderPlan, headers: HeaderList, status: number): void {
    const varies = plan.apply(headers, status, hstsFor(x.clientScheme, x.connection.hsts));
    this.cors?.addTo(x, headers, varies);
  }

  /**
   * Browsers do not hold WebSockets to the same-origin policy and send cookies along (CWE-1385), so an upgrade counts
   * as unsafe. Clients that are no browsers send no Origin.
   */
  private checkSocketOrigin(x: Exchange): Refusal | undefined {
    const origin = readOrigin(x.head.headers);
    if (origin === undefined || this.socketOrigins.allows(origin) || origin === ownOrigin(x)) return undefined;
    return refuse('origin-refused', 'the upgrade comes from an origin that is neither our own nor one that the route names');
  }
}
