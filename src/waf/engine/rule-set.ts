/**
 * What a set of rule files says, as data: read once when the configuration loads, with default actions, updates and removals already
 * applied. Byte strings throughout: one character per byte. Nothing here runs; `program/` makes of it what runs.
 */

/** Where something stands in a rule file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Something that is wrong with a rule file, or that this engine does not support. */
export interface RuleProblem extends Place {
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

export type Phase = 1 | 2 | 3 | 4 | 5;

/** Text with `%{collection.name}` in it. A macro without references is one string. */
export interface Macro {
  /** As written. */
  readonly text: string;
  readonly parts: readonly MacroPart[];
}
export type MacroPart = string | MacroReference;
export interface MacroReference {
  /** Upper case: `TX`, `ARGS`, `MATCHED_VAR`, `UNIQUE_ID`, … */
  readonly variable: string;
  /** Lower case; undefined where there is none. */
  readonly name: string | undefined;
}

/** Which members of a collection are meant. Names compare without case. */
export type Selector =
  | { readonly kind: 'name'; readonly name: string }
  /** `/…/`: names that match the pattern, without case. */
  | { readonly kind: 'pattern'; readonly pattern: string }
  /** Of XML: `/*` and `//@*`. */
  | { readonly kind: 'xpath'; readonly path: string };

/** One of the targets of a rule, `|` taken apart. */
export interface Target {
  /** Upper case, aliases resolved. */
  readonly variable: string;
  readonly selector: Selector | undefined;
  /** `&NAME`: how many there are, instead of their values. */
  readonly count: boolean;
  /** `!NAME`: not these. */
  readonly exclude: boolean;
}

export interface OperatorUse {
  /** Canonical spelling, `rx`, `pmFromFile`, `detectSQLi`, … */
  readonly name: string;
  readonly negated: boolean;
  readonly argument: Macro;
  readonly place: Place;
}

/** What changes a variable. `value` is empty for `delete`. */
export interface SetVar {
  readonly kind: 'setvar';
  /** Upper case: `TX`, or one that `initcol` makes: `GLOBAL`, `IP`, `SESSION`, `USER`, `RESOURCE`. */
  readonly collection: string;
  readonly name: Macro;
  readonly operation: 'set' | 'add' | 'subtract' | 'delete';
  readonly value: Macro;
}
export interface InitCol {
  readonly kind: 'initcol';
  readonly collection: string;
  readonly key: Macro;
}
export interface ExpireVar {
  readonly kind: 'expirevar';
  readonly collection: string;
  readonly name: Macro;
  readonly seconds: Macro;
}
/** `ctl:` changes how the rest of this transaction is judged. */
export interface Ctl {
  readonly kind: 'ctl';
  readonly change:
    | { readonly option: 'ruleEngine'; readonly value: 'On' | 'Off' | 'DetectionOnly' }
    | { readonly option: 'auditEngine'; readonly value: string }
    | { readonly option: 'auditLogParts'; readonly value: string }
    | { readonly option: 'debugLogLevel'; readonly value: string }
    | { readonly option: 'requestBodyAccess' | 'responseBodyAccess'; readonly value: boolean }
    | { readonly option: 'forceRequestBodyVariable'; readonly value: boolean }
    | { readonly option: 'requestBodyProcessor'; readonly value: 'URLENCODED' | 'MULTIPART' | 'JSON' | 'XML' | 'RAW' }
    | { readonly option: 'ruleRemoveById'; readonly ranges: readonly IdRange[] }
    | { readonly option: 'ruleRemoveByTag' | 'ruleRemoveByMsg'; readonly value: string }
    | { readonly option: 'ruleRemoveTargetById'; readonly ranges: readonly IdRange[]; readonly target: Target }
    | { readonly option: 'ruleRemoveTargetByTag' | 'ruleRemoveTargetByMsg'; readonly value: string; readonly target: Target };
}
/** Both ends belong to it. */
export interface IdRange {
  readonly from: number;
  readonly to: number;
}
export interface SetEnv {
  readonly kind: 'setenv';
  readonly name: Macro;
  readonly value: Macro;
}
/** What a link does when it matches, in the order in which it is written. */
export type Effect = SetVar | InitCol | ExpireVar | Ctl | SetEnv;

/** One link of a chain; a rule that is no chain has one. */
export interface Link {
  readonly place: Place;
  /** Empty for SecAction. */
  readonly targets: readonly Target[];
  /** undefined: SecAction, which always matches. */
  readonly operator: OperatorUse | undefined;
  /** Canonical spelling, `urlDecodeUni`, …; `t:none` and default actions already applied. */
  readonly transformations: readonly string[];
  readonly multiMatch: boolean;
  readonly capture: boolean;
  readonly effects: readonly Effect[];
}

/** What ends a transaction, or part of it. `block` is resolved to what SecDefaultAction says. */
export type Disruption =
  | { readonly kind: 'pass' }
  | { readonly kind: 'deny'; readonly status: number }
  | { readonly kind: 'drop' }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: Macro }
  | { readonly kind: 'allow'; readonly scope: 'transaction' | 'phase' | 'request' };

export interface RuleDefinition {
  readonly kind: 'rule';
  /** 0 where a SecAction has none (older files); otherwise unique in the set. */
  readonly id: number;
  readonly phase: Phase;
  readonly place: Place;
  readonly links: readonly Link[];
  readonly disruption: Disruption;
  /** Written as `block`: per-route modes and thresholds speak of these. */
  readonly block: boolean;
  readonly log: boolean;
  readonly auditLog: boolean;
  readonly message: Macro | undefined;
  readonly logData: Macro | undefined;
  /** 0 (emergency) to 7 (debug). */
  readonly severity: number | undefined;
  readonly tags: readonly string[];
  readonly version: string | undefined;
  readonly revision: string | undefined;
  /** `skip:N`: so many of the following rules of this phase are passed over. */
  readonly skip: number;
  readonly skipAfter: string | undefined;
}

export interface MarkerDefinition {
  readonly kind: 'marker';
  readonly label: string;
}

/** What directives set; undefined where no file says it. */
export interface RuleSettings {
  readonly engine?: 'On' | 'Off' | 'DetectionOnly';
  readonly requestBodyAccess?: boolean;
  readonly responseBodyAccess?: boolean;
  /** Bytes. */
  readonly requestBodyLimit?: number;
  readonly requestBodyNoFilesLimit?: number;
  readonly requestBodyLimitAction?: 'Reject' | 'ProcessPartial';
  readonly responseBodyLimit?: number;
  readonly responseBodyLimitAction?: 'Reject' | 'ProcessPartial';
  readonly responseBodyTypes?: readonly string[];
  readonly jsonDepthLimit?: number;
  readonly argumentsLimit?: number;
  readonly argumentSeparator?: string;
  readonly collectionTimeout?: number;
  readonly uploadFileLimit?: number;
}

/** Rules and markers in the order in which they are written; a phase runs those of its number and stops at all markers. */
export interface RuleSet {
  readonly entries: readonly (RuleDefinition | MarkerDefinition)[];
  readonly settings: RuleSettings;
  /** `SecComponentSignature`. */
  readonly components: readonly string[];
  /** Files that were read, `@pmFromFile` data included: to be watched. */
  readonly files: readonly string[];
}
