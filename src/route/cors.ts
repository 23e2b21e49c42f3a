import { type Answer, type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { OriginSet, readOrigin, readOrigins } from '../exchange/origins.ts';
import { type Preflight, readPreflight } from './conditions.ts';
import type { CorsOptions } from './options.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

/** CORS for one route (Fetch standard, section 3.2). Whatever does not depend on the request is written once. */
export class Cors {
  readonly origins: OriginSet;
  /** `*`, or undefined where the answer depends on the request's origin. */
  private readonly everyone: string | undefined;
  private readonly methods: ReadonlySet<string>;
  /** undefined: every header. */
  private readonly headers: ReadonlySet<string> | undefined;
  /** Fields of every answer to an allowed origin, and of every granted preflight. */
  private readonly onAnswer: HeaderList = [];
  private readonly onPreflight: HeaderList = [];

  constructor(options: CorsOptions, routeMethods: readonly string[]) {
    this.origins = new OriginSet(readOrigins(options.origins));
    this.everyone = this.origins.any ? '*' : undefined;
    const methods = options.methods ?? routeMethods;
    this.methods = new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods);
    this.headers = options.headers === '*' ? undefined : new Set(options.headers.map((name) => name.toLowerCase()));
    if (options.credentials) this.onAnswer.push('access-control-allow-credentials', 'true');
    this.onPreflight.push(...this.onAnswer);
    this.onPreflight.push('access-control-allow-methods', [...this.methods].join(', '));
    this.onPreflight.push('access-control-max-age', String(Math.floor(options['max-age'] / 1000)));
    if (this.headers !== undefined && this.headers.size > 0) {
      this.onPreflight.push('access-control-allow-headers', [...this.headers].join(', '));
    }
    const expose = options.expose === '*' ? '*' : options.expose.join(', ');
    if (expose !== '') this.onAnswer.push('access-control-expose-headers', expose);
  }

  /** The answer to a preflight; undefined when this is none. A refused one gets no CORS field at all. */
  preflight(x: Exchange): Answer | Refusal | undefined {
    const preflight = readPreflight(x.head.headers);
    if (preflight === undefined) return undefined;
    const origin = readOrigin(x.head.headers) ?? '';
    const problem = this.problem(origin, preflight);
    if (problem !== undefined) return refuse('cors-refused', problem, { headers: ['vary', PREFLIGHT_VARY] });
    const headers = ['access-control-allow-origin', this.everyone ?? origin, ...this.onPreflight, 'vary', PREFLIGHT_VARY];
    if (this.headers === undefined && preflight.headers.length > 0) {
      headers.push('access-control-allow-headers', preflight.headers.join(', '));
    }
    return { kind: 'answer', status: 204, headers };
  }

  private problem(origin: string, preflight: Preflight): string | undefined {
    if (!this.origins.allows(origin)) return 'the origin of the preflight is not one of `cors.origins`';
    if (!this.methods.has(preflight.method)) return 'the preflight asks for a method that is not in `cors.methods`';
    // What is not a name must not come back in `Access-Control-Allow-Headers`, whatever is allowed.
    const { headers } = this;
    if (!preflight.headers.every((name) => TOKEN.test(name) && (headers === undefined || headers.has(name)))) {
      return 'the preflight asks for a header that is not in `cors.headers`';
    }
    return undefined;
  }

  /**
   * Adds what an answer needs, also a refusal, so that the page can read why. `Vary` goes on every answer that could
   * have been another one for another origin; caches would otherwise serve one origin's answer to all.
   */
  addTo(x: Exchange, headers: HeaderList, variesAlready: boolean): void {
    if (this.everyone === undefined && !variesAlready) headers.push('vary', 'Origin');
    const origin = readOrigin(x.head.headers);
    if (origin === undefined || !this.origins.allows(origin)) return;
    if (x.head.method === 'OPTIONS' && readPreflight(x.head.headers) !== undefined) return;
    headers.push('access-control-allow-origin', this.everyone ?? origin);
    for (let i = 0; i < this.onAnswer.length; i++) headers.push(this.onAnswer[i]);
  }
}
