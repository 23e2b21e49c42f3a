import { isJson } from '../exchange/body/body.ts';
import { mediaTypeOf, readContentType } from '../exchange/body/content-type.ts';
import { type BodyBounds, DEFAULT_BOUNDS } from '../exchange/body/parsed.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { headerValue } from '../exchange/headers.ts';
import type { Need, Prepared, World } from '../pipeline/stage.ts';
import { RequestBody } from './body-facts.ts';
import { anyHolds, WrittenCondition } from './conditions.ts';
import type { EffectiveWaf } from './effective.ts';
import { Engine } from './engine/engine.ts';
import type { LoadedProgram } from './programs.ts';
import type { BodyProcessor } from './engine/transaction/facts.ts';
import { PersistentCollections } from './engine/transaction/persistent.ts';
import type { Transaction } from './engine/transaction/transaction.ts';
import { wafNote } from './record.ts';
import { refusalOf, responseRefusalOf } from './refusal.ts';
import { requestFacts } from './request-facts.ts';

/** Under which a request keeps what its rules found so far. */
const NOTE = 'waf.transaction';

const DEFAULT_BODY_LIMIT = 13_107_200;
const DEFAULT_NO_FILES_LIMIT = 131_072;
const DEFAULT_RESPONSE_LIMIT = 1_048_576;

/** The room on one route. */
export class PreparedWaf implements Prepared {
  readonly needs: { readonly request: Need; readonly response?: Need };
  readonly #engine: Engine;
  readonly #options: EffectiveWaf;
  readonly #deny: readonly WrittenCondition[];
  readonly #allow: readonly WrittenCondition[];
  /** The largest body that is read, and the largest one that is no multipart body, whose files are not looked at. */
  readonly #limit: number;
  readonly #noFilesLimit: number;
  readonly #bounds: BodyBounds;
  readonly #mostArguments: number | undefined;
  readonly #types: ReadonlySet<string>;

  constructor(options: EffectiveWaf, { program, fast }: LoadedProgram, bodyLimit: number, carry: World['carry']) {
    const { settings } = program;
    const collections = carry.take(
      `waf.collections:${settings.collectionTimeout ?? ''}`,
      () => new PersistentCollections(settings.collectionTimeout),
    );
    this.#engine = new Engine(program, collections, options.mode === 'block' ? 'On' : 'DetectionOnly', fast);
    this.#options = options;
    this.#deny = options.deny.map((one) => new WrittenCondition(one));
    this.#allow = options.allow.map((one) => new WrittenCondition(one));
    this.#noFilesLimit = options.body ?? settings.requestBodyNoFilesLimit ?? DEFAULT_NO_FILES_LIMIT;
    this.#bounds = { ...DEFAULT_BOUNDS, depth: settings.jsonDepthLimit ?? 512 };
    this.#mostArguments = settings.argumentsLimit;
    this.#types = new Set(settings.responseBodyTypes ?? []);
    this.#limit = options.body ?? settings.requestBodyLimit ?? DEFAULT_BODY_LIMIT;
    // Not the rules' own limit: what only is watched, or what no rule looks at, is not refused for it.
    this.needs = { request: { kind: 'whole', limit: bodyLimit }, response: responseNeed(program) };
  }

  onRequestHead(x: Exchange): Refusal | undefined {
    if (anyHolds(this.#allow, x)) return undefined;
    if (anyHolds(this.#deny, x)) return this.#denied(x);
    const t = this.#engine.begin(requestFacts(x), processorOf(x));
    x.notes ??= new Map();
    x.notes.set(NOTE, t);
    return t.interruption ? refusalOf(t, t.interruption) : this.#tooLarge(t, x.source?.length ?? 0);
  }

  onRequestBody(x: Exchange): Refusal | undefined {
    const t = transactionOf(x);
    if (t === undefined) return undefined;
    const body = new RequestBody(x, this.#bounds, this.#mostArguments);
    const refusal = this.#tooLarge(t, body.length);
    if (refusal !== undefined) return refusal;
    const interruption = this.#engine.judgeRequestBody(t, body);
    return interruption && refusalOf(t, interruption);
  }

  onResponseHead(x: Exchange): Refusal | undefined {
    const t = transactionOf(x);
    if (t === undefined || x.response === undefined) return undefined;
    const { status, headers } = x.response;
    const interruption = this.#engine.judgeResponseHead(t, { status, protocol: t.request.protocol, headers });
    return interruption && responseRefusalOf(t, interruption);
  }

  onResponseBody(x: Exchange): Refusal | undefined {
    const t = transactionOf(x);
    if (t === undefined || x.response === undefined) return undefined;
    const type = mediaTypeOf(headerValue(x.response.headers, 'content-type') ?? '');
    const interruption = this.#engine.judgeResponseBody(
      t,
      this.#types.has(type) ? x.response.body?.toString('latin1') : undefined,
    );
    return interruption && responseRefusalOf(t, interruption);
  }

  onEnd(x: Exchange): void {
    const t = transactionOf(x);
    if (t === undefined) return;
    this.#engine.finish(t);
    const note = wafNote(t, this.#options.data);
    if (note !== undefined) x.notes?.set('waf', note);
  }

  /** Asked twice: by the length that the head declares, before anything is read, and by the one that came. */
  #tooLarge(t: Transaction, length: number): Refusal | undefined {
    const limit = t.processor === 'MULTIPART' ? this.#limit : Math.min(this.#limit, this.#noFilesLimit);
    if (length <= limit || !t.requestBodyAccess) return undefined;
    if (t.mode === 'On') return refuse('waf-body', `a body of ${length} bytes where rules read ${limit}`);
    t.inboundDataError = true;
    return undefined;
  }

  #denied(x: Exchange): Refusal | undefined {
    if (this.#options.mode === 'block') return refuse('waf-denied', 'a condition of `waf.deny` holds');
    x.notes ??= new Map();
    x.notes.set('waf', { would: 'waf-denied' });
    return undefined;
  }
}

function transactionOf(x: Exchange): Transaction | undefined {
  return x.notes?.get(NOTE) as Transaction | undefined;
}

/** Answers are held only where a rule of phase 4 looks at them. */
function responseNeed({ phases, settings }: LoadedProgram['program']): Need | undefined {
  if (settings.responseBodyAccess === false || phases[4].rules.length === 0) return undefined;
  return {
    kind: 'whole',
    limit: settings.responseBodyLimit ?? DEFAULT_RESPONSE_LIMIT,
    over: settings.responseBodyLimitAction === 'Reject' ? 'refuse' : 'pass',
    types: settings.responseBodyTypes ?? [],
  };
}

/** What is read by its type alone, without a rule that chooses: forms and JSON. XML is chosen by a rule. */
function processorOf(x: Exchange): BodyProcessor | undefined {
  const type = readContentType(headerValue(x.head.headers, 'content-type') ?? '')?.type;
  if (type === 'application/x-www-form-urlencoded') return 'URLENCODED';
  if (type === 'multipart/form-data') return 'MULTIPART';
  return type !== undefined && isJson(type) ? 'JSON' : undefined;
}
