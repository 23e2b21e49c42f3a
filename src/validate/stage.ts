import { bodyOf, refuseFlagged } from '../exchange/body/body.ts';
import type { BodyBounds, FlagCode } from '../exchange/body/parsed.ts';
import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Need, Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import type { ValidateOptions } from './options.ts';
import { MediaTypes } from './types.ts';

/** The room `validate`: what a request may hold. Absent from routes that say nothing about it. */
export const validateStage = {
  name: 'validate',
  async prepare(
    options: ValidateOptions,
    _world: World,
    route: Pick<RouteContext, 'path' | 'bodyLimit'>,
  ): Promise<Prepared | undefined> {
    if (options.mode === 'off') return undefined;
    if (options.openapi !== undefined) throw new Error(`${route.path}: contracts are not there yet`);
    return new PreparedValidate(options, route.bodyLimit);
  },
} satisfies Stage<ValidateOptions>;

const BIG_NUMBERS: ReadonlySet<FlagCode> = new Set(['json-number-precision']);

/** The room on a route without a contract: media types, and bodies that have one reading and keep their bounds. */
class PreparedValidate implements Prepared {
  readonly needs: { readonly request: Need };
  readonly #types: MediaTypes | undefined;
  readonly #bounds: BodyBounds;
  readonly #pass: ReadonlySet<FlagCode> | undefined;
  readonly #report: boolean;

  constructor(options: ValidateOptions, bodyLimit: number) {
    this.needs = { request: { kind: 'whole', limit: bodyLimit } };
    this.#types = options.types && new MediaTypes(options.types);
    this.#bounds = options.json;
    this.#pass = options.json['big-numbers'] === 'pass' ? BIG_NUMBERS : undefined;
    this.#report = options.mode === 'report';
  }

  onRequestHead(x: Exchange): Refusal | undefined {
    return this.#judge(x, this.#types?.check(x));
  }

  onRequestBody(x: Exchange): Refusal | undefined {
    return this.#judge(x, refuseFlagged(bodyOf(x, this.#bounds), this.#pass));
  }

  #judge(x: Exchange, refusal: Refusal | undefined): Refusal | undefined {
    if (refusal === undefined || !this.#report) return refusal;
    report(x, refusal);
    return undefined;
  }
}

/** Where nothing is refused, the record says what would have been: once, the first. */
function report(x: Exchange, refusal: Refusal): void {
  x.notes ??= new Map();
  if (!x.notes.has('validate'))
    x.notes.set('validate', { would_refuse: refusal.code, status: refusal.status, ...refusal.members });
}
