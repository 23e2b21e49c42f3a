import type { Match } from '../operator.ts';
import type { Program } from '../program/program.ts';
import type { Macro, RuleDefinition } from '../rule-set.ts';
import type { Variable } from '../variables/variable.ts';
import { expandMacro } from './expand.ts';
import type { BodyFacts, BodyProcessor, BodyReading, RequestFacts, ResponseFacts, Values } from './facts.ts';
import type { OpenCollections } from './persistent.ts';
import { Removals } from './removals.ts';
import { TxVariables } from './tx.ts';

/** A rule that matched, as the record tells it. */
export interface MatchRecord {
  readonly rule: RuleDefinition;
  /** Name of the variable that matched last: `ARGS:q`. */
  readonly variable: string;
  /** `msg` and `logdata` with their macros expanded: these may hold what the client sent. */
  readonly message: string;
  readonly data: string;
}

/** What a rule wants done about the request. */
export interface Interruption {
  readonly rule: RuleDefinition;
  readonly kind: 'deny' | 'drop' | 'redirect';
  readonly status: number;
  readonly location: string | undefined;
}

const NOTHING_CARRIED: readonly number[] = [];

export type EngineMode = 'On' | 'DetectionOnly' | 'Off';

/**
 * What has been found out about one request while rules judge it. Nothing of it is shared with another request.
 * `base`: the variables of TX that are known before any rule has run.
 */
export class Transaction implements Match {
  readonly program: Program;
  readonly request: RequestFacts;
  readonly tx: TxVariables;
  readonly collections: OpenCollections;
  readonly removals = new Removals();

  /** What the configuration says; rules may do less. */
  readonly fullMode: EngineMode;
  mode: EngineMode;
  body: BodyFacts | undefined;
  processor: BodyProcessor | undefined;
  reading: BodyReading | undefined;
  requestBodyAccess: boolean;
  responseBodyAccess: boolean;
  forceBodyVariable = false;
  response: ResponseFacts | undefined;
  responseBody: string | undefined;
  /** The body of the request, of the response, was cut at its bound. */
  inboundDataError = false;
  outboundDataError = false;

  readonly matches: MatchRecord[] = [];
  interruption: Interruption | undefined;
  /** What would have been done, had the engine not only detected. */
  detected: Interruption | undefined;
  /** `allow`: no phase up to this one runs any more. */
  allowedThrough = 0;
  phase: 1 | 2 | 3 | 4 | 5 = 1;

  /** Of the operator that matched last: what MATCHED_VAR says. */
  matchedName = '';
  matchedValue = '';
  matchedVars: { readonly names: string[]; readonly values: string[] } = { names: [], values: [] };
  /** The rule that is being judged, for RULE and for messages. */
  rule: RuleDefinition | undefined;
  highestSeverity = 255;

  /** How many rules matched. */
  matched = 0;
  /** How often rules changed what later ones are judged by. */
  changes = 0;
  /** The phase in which a rule last changed how the request is read; 0: none did. */
  readingChangedIn = 0;
  /** Ids of what was found out in phase 1 for phase 2, by the fast way of judging. */
  carried: readonly number[] = NOTHING_CARRIED;
  /** The last phase that was begun. */
  ranThrough = 0;
  /** Something happened that was not foreseen when the program was made: from here on every rule is run. */
  plain = false;

  capturing = false;
  groups: readonly (string | undefined)[] | undefined;

  /** What is known from the head on, and what a phase brings. */
  readonly #lasting = new Map<Variable, Values>();
  readonly #values = new Map<Variable, Values>();

  constructor(
    program: Program,
    request: RequestFacts,
    collections: OpenCollections,
    mode: EngineMode,
    base: ReadonlyMap<string, string> = program.pinned,
  ) {
    this.program = program;
    this.request = request;
    this.collections = collections;
    this.fullMode = mode;
    this.mode = mode;
    this.tx = new TxVariables(base);
    this.requestBodyAccess = program.settings.requestBodyAccess ?? true;
    this.responseBodyAccess = program.settings.responseBodyAccess ?? true;
  }

  /** The values of a variable; what rules cannot change is read once in a phase. */
  valuesOf(variable: Variable): Values {
    if (!variable.stable) return variable.read(this);
    const known = variable.phase === 1 && variable.grows !== true ? this.#lasting : this.#values;
    let values = known.get(variable);
    if (values === undefined) {
      values = variable.read(this);
      known.set(variable, values);
    }
    return values;
  }

  /** A phase begins: variables say more than before. */
  enter(phase: 1 | 2 | 3 | 4 | 5): void {
    this.phase = phase;
    this.#values.clear();
  }

  /** A rule changed which rules hold. */
  rulesChanged(): void {
    this.changes++;
  }

  /** A rule changed how the request is read. */
  readingChanged(): void {
    this.changes++;
    this.readingChangedIn = this.phase;
    this.#values.clear();
  }

  /** Whether nothing of this phase is left to do. Phase 5 runs always. */
  isOver(phase: number): boolean {
    return this.mode === 'Off' || (phase !== 5 && (this.interruption !== undefined || this.allowedThrough >= phase));
  }

  expand(macro: Macro): string {
    return expandMacro(macro, this);
  }

  setTx(name: string, value: string): void {
    if (!this.program.pinned.has(name)) this.tx.set(name, value);
  }

  deleteTx(name: string): void {
    if (!this.program.pinned.has(name)) this.tx.delete(name);
  }
}
