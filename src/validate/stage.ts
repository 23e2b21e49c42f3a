import { bodyOf, refuseFlagged } from '../exchange/body/body.ts';
import type { BodyBounds, FlagCode } from '../exchange/body/parsed.ts';
import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Need, Prepared, RouteContext, Stage, World } from '../pipeline/stage.ts';
import type { ValidateOptions } from './options.ts';
import { MediaTypes } from './types.ts';
import { onlyReport } from './verdict.ts';

/** The room `validate`: what a request may hold. Absent from routes that say nothing about it. */
export const validateStage = {
  name: 'validate',
  async prepare(options: ValidateOptions, world: World, route: RouteContext): Promise<Prepared | undefined> {
    if (options.mode === 'off') return undefined;
    if (options.openapi !== undefined) return await preparedContract(options, options.openapi, world, route);
    return new PreparedValidate(options, route.bodyLimit);
  },
} satisfies Stage<ValidateOptions>;

/** The engine is loaded only where a route has a contract. */
async function preparedContract(options: ValidateOptions, file: string, world: World, route: RouteContext): Promise<Prepared> {
  const [{ contractOf }, { PreparedContract }] = await Promise.all([import('./documents.ts'), import('./contract.ts')]);
  return new PreparedContract(await contractOf(file, options, world.carry), options, route);
}

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
    return onlyReport(x, refusal);
  }
}
