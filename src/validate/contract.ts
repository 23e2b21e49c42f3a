import { type BodyBounds, DEFAULT_BOUNDS, type FlagCode, type ParsedBody } from '../exchange/body/parsed.ts';
import { bodyOf, refuseFlagged } from '../exchange/body/body.ts';
import { readContentType } from '../exchange/body/content-type.ts';
import { readJson } from '../exchange/body/json.ts';
import { refuseUnreadable } from '../exchange/body/readable.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { headerValue } from '../exchange/headers.ts';
import { canonicalPath } from '../exchange/path.ts';
import { queryOf } from '../exchange/query.ts';
import type { Need, Prepared, RouteContext } from '../pipeline/stage.ts';
import type { LoadOptions, MediaType, SchemaViolation, Violation } from './openapi/contract.ts';
import type { Call, Contract, EnforceOptions, OperationCheck } from './openapi/enforce.ts';
import type { ValidateOptions } from './options.ts';
import { mayServe } from './overlap.ts';
import { onlyReport, Verdict, verdictOf } from './verdict.ts';

/** How a document is to be read. */
export function documentOptions({ 'read-only': readOnly }: Pick<ValidateOptions, 'read-only'>): LoadOptions {
  return readOnly === undefined ? {} : { readOnly };
}

/** What the engine needs of the house: its one reading of paths, media types and JSON. */
export function enforceOptions({ json, base }: Pick<ValidateOptions, 'json' | 'base'>): EnforceOptions {
  const bigNumbers = json['big-numbers'] === 'pass';
  return {
    base,
    bigNumbers,
    canonicalPath,
    readContentType,
    parseJson: (bytes) => {
      const { value, flags } = readJson(bytes, json);
      return flags.every(({ code }) => bigNumbers && code === 'json-number-precision') ? value : undefined;
    },
  };
}

/** What the room keeps of a request between its head and its body; the record takes the rest of it. */
class Judged extends Verdict {
  check: OperationCheck | undefined = undefined;
  media: MediaType | undefined = undefined;
}

/** The room on a route with a contract. The head is judged before anything of the body is read. */
export class PreparedContract implements Prepared {
  readonly needs: { readonly request?: Need };
  readonly onRequestBody: ((x: Exchange) => Refusal | undefined) | undefined;
  readonly #contract: Contract;
  readonly #bounds: BodyBounds;
  readonly #pass: ReadonlySet<FlagCode> | undefined;
  readonly #report: boolean;
  readonly #readsBodies: boolean;

  constructor(contract: Contract, options: Pick<ValidateOptions, 'json' | 'mode'>, route: RouteContext) {
    this.#contract = contract;
    this.#bounds = options.json ?? DEFAULT_BOUNDS;
    this.#pass = options.json['big-numbers'] === 'pass' ? new Set(['json-number-precision']) : undefined;
    this.#report = options.mode === 'report';
    this.#readsBodies = contract.paths.some(
      ({ segments, operations }) =>
        operations.some(({ method, requestBody }) => requestBody !== undefined && route.methods.includes(method)) &&
        mayServe(route.path, segments),
    );
    this.needs = this.#readsBodies ? { request: { kind: 'whole', limit: route.bodyLimit } } : {};
    this.onRequestBody = this.#readsBodies ? (x) => this.#settle(x, this.#judgeBody(x)) : undefined;
  }

  onRequestHead(x: Exchange): Refusal | undefined {
    const judged = new Judged();
    x.notes ??= new Map();
    x.notes.set('validate', judged);
    return this.#settle(x, this.#judgeHead(x, judged));
  }

  #settle(x: Exchange, refusal: Refusal | undefined): Refusal | undefined {
    return refusal === undefined || !this.#report ? refusal : onlyReport(x, refusal);
  }

  // ---- the head

  #judgeHead(x: Exchange, judged: Judged): Refusal | undefined {
    const { method, path, headers } = x.head;
    const call = this.#contract.find(method, path);
    if (typeof call === 'string')
      return refuse('contract-operation', `the contract does not declare this ${call}`, {
        members: { errors: [{ in: call, rule: 'undeclared' }] },
      });
    judged.check = call.check;
    judged.operation = call.check.operation.operationId;
    const violations = call.check.parameters(call, queryOf(x), headers);
    if (violations.length > 0) return refuseViolations('contract-parameter', violations);
    return this.#judgePresence(x, call, judged);
  }

  #judgePresence(x: Exchange, { check }: Call, judged: Judged): Refusal | undefined {
    const { source } = x;
    if (source === undefined || source.length === 0) return check.needsBody ? missing() : undefined;
    if (check.takesBody) return this.#judgeType(x, check, judged);
    // Without a declared length it may turn out to be empty, where somebody waits to see.
    return source.length === undefined && this.#readsBodies ? undefined : undeclared();
  }

  #judgeType(x: Exchange, check: OperationCheck, judged: Judged): Refusal | undefined {
    const unreadable = refuseUnreadable(x.head.headers);
    if (unreadable !== undefined) return unreadable;
    const value = headerValue(x.head.headers, 'content-type');
    const type = value === undefined ? undefined : readContentType(value);
    if (value !== undefined && type === undefined) return refuse('content-type', 'a Content-Type that cannot be read');
    judged.media = type && check.mediaType(type);
    if (judged.media !== undefined) return undefined;
    const reason = type === undefined ? 'a body without Content-Type' : 'a media type that the contract does not declare';
    return refuse('contract-media-type', reason, {
      members: { errors: [{ in: 'header', parameter: 'content-type', rule: 'undeclared' }] },
    });
  }

  // ---- the body

  #judgeBody(x: Exchange): Refusal | undefined {
    const { check, media, refusal } = verdictOf(x) as Judged;
    // Only where nothing is refused does a request come here that is none of the contract's.
    if (check === undefined || refusal !== undefined) return undefined;
    const bytes = x.body;
    if (bytes === undefined || bytes.length === 0) return check.needsBody ? missing() : undefined;
    if (media === undefined) return undeclared();
    const body = bodyOf(x, this.#bounds);
    return refuseFlagged(body, this.#pass) ?? this.#judgeValue(check, media, body, bytes);
  }

  #judgeValue(check: OperationCheck, media: MediaType, body: ParsedBody, bytes: Buffer): Refusal | undefined {
    const violations = check.body(body, bytes, media);
    if (violations.length === 0) return undefined;
    return refuseViolations(
      'contract-body',
      violations.map((one) => ({ ...one, in: 'body' })),
    );
  }
}

const missing = () =>
  refuse('contract-body-presence', 'a required body is missing', { members: { errors: [{ in: 'body', rule: 'required' }] } });

const undeclared = () =>
  refuse('contract-body-presence', 'a body where the contract declares none', {
    members: { errors: [{ in: 'body', rule: 'undeclared' }] },
  });

/** Places and rules go to the client; where the rule stands is for the record. */
function refuseViolations(code: 'contract-parameter' | 'contract-body', violations: readonly Violation[]): Refusal {
  const errors = violations.map(toldOf);
  const [{ in: place, rule, schema }] = violations;
  return refuse(code, `${place}: ${rule}${schema === undefined ? '' : ` (${schema})`}`, { members: { errors } });
}

function toldOf({ in: place, parameter, pointer, rule }: Violation & SchemaViolation): Record<string, unknown> {
  if (parameter === undefined) return { in: place, pointer: place === 'body' ? pointer : undefined, rule };
  return { in: place, parameter, pointer: pointer === '' ? undefined : pointer, rule };
}
