import assert from 'node:assert/strict';
import { Engine } from '../../src/waf/engine/engine.ts';
import { makeFast } from '../../src/waf/engine/fast/fast-program.ts';
import { FastRunner } from '../../src/waf/engine/fast/run-fast.ts';
import type { Program } from '../../src/waf/engine/program/program.ts';
import type { BodyFacts, BodyProcessor, BodyReading, RequestFacts } from '../../src/waf/engine/transaction/facts.ts';
import { PersistentCollections } from '../../src/waf/engine/transaction/persistent.ts';
import type { EngineMode, Interruption, Transaction } from '../../src/waf/engine/transaction/transaction.ts';
import { CRS } from '../conformance/crs.ts';
import { loadRules } from '../../src/waf/load-rules.ts';

/** A request with its answer, as the engine is told of it. */
export interface TwinRequest {
  readonly method?: string;
  readonly path?: string;
  readonly query?: readonly (readonly [string, string])[];
  readonly rawQuery?: string;
  /** Name, value, name, value. */
  readonly headers?: readonly string[];
  readonly processor?: BodyProcessor;
  readonly body?: string;
  readonly reading?: BodyReading;
  readonly status?: number;
  readonly answerHeaders?: readonly string[];
  readonly answer?: string;
}

/** What the engine is told, whoever made it. */
export interface Told {
  readonly facts: RequestFacts;
  readonly processor: BodyProcessor | undefined;
  readonly body: BodyFacts;
  readonly response?: { readonly status: number; readonly headers: readonly string[]; readonly body: string | undefined };
}

export interface TwinOptions {
  readonly mode?: EngineMode;
  readonly paranoia?: number;
  readonly threshold?: number;
}

/** The Core Rule Set as it comes, beside the repository where there is one. */
export const CRS_RULES = ['crs-setup.conf.example', 'rules/*.conf'].map((file) => `${CRS}/${file}`);

/** The program of some rule texts or files; fails with their problems. */
export function programOf(parts: { rules?: string[]; extra?: string[] }, { paranoia, threshold }: TwinOptions = {}): Program {
  const loaded = loadRules({
    mode: 'block',
    rules: parts.rules ?? [],
    extra: parts.extra ?? [],
    paranoia,
    threshold,
    exclude: [],
    deny: [],
    allow: [],
    body: undefined,
    data: true,
  });
  if (loaded.ok) return loaded.program;
  throw new Error(loaded.problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n'));
}

/** The same rules run in both ways: by what is known beforehand, and plainly. */
export class Twins {
  readonly #plain: Engine;
  readonly #fast: Engine;

  constructor(program: Program, mode: EngineMode = 'On') {
    this.#plain = new Engine(program, new PersistentCollections(), mode, undefined);
    this.#fast = new Engine(program, new PersistentCollections(), mode, new FastRunner(makeFast(program)));
  }

  /** Fails where the two differ; gives what both say. */
  check(request: TwinRequest | Told, what = ''): Outcome {
    const [plain, fast] = this.both(request);
    assert.deepEqual(fast, plain, `${what}\n${JSON.stringify(request)}`);
    return plain;
  }

  both(request: TwinRequest | Told): [plain: Outcome, fast: Outcome] {
    const told = 'facts' in request ? request : toldOf(request);
    return [outcome(run(this.#plain, told)), outcome(run(this.#fast, told))];
  }
}

/** What can be seen of a judgement from outside. */
export interface Outcome {
  readonly matches: readonly string[];
  readonly interruption: string | undefined;
  readonly detected: string | undefined;
  readonly severity: number;
  readonly scores: Readonly<Record<string, string>>;
}

function outcome(t: Transaction): Outcome {
  const { names, values } = t.tx.entries();
  const scores = names.flatMap((name, i) => (name.includes('score') ? [[name, values[i]] as const] : []));
  return {
    matches: t.matches.map(({ rule, variable, message, data }) => JSON.stringify([rule.id, variable, message, data])),
    interruption: ended(t.interruption),
    detected: ended(t.detected),
    severity: t.highestSeverity,
    scores: Object.fromEntries(scores.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

const ended = (one: Interruption | undefined) => one && `${one.rule.id} ${one.kind} ${one.status} ${one.location ?? ''}`;

/** As the room does: what is refused goes no further, phase 5 runs always. */
export function run(engine: Engine, { facts, processor, body, response }: Told): Transaction {
  const t = engine.begin(facts, processor);
  if (t.interruption === undefined) engine.judgeRequestBody(t, body);
  if (t.interruption === undefined && response !== undefined) {
    engine.judgeResponseHead(t, { status: response.status, protocol: 'HTTP/1.1', headers: response.headers });
    if (t.interruption === undefined) engine.judgeResponseBody(t, response.body);
  }
  engine.finish(t);
  return t;
}

function toldOf(request: TwinRequest): Told {
  const { body = '', reading = NOTHING, processor, status, answer } = request;
  const headers = request.answerHeaders ?? ['content-type', 'text/html'];
  return {
    facts: factsOf(request),
    processor,
    body: { length: body.length, text: () => body, read: () => reading },
    response: status === undefined ? undefined : { status, headers, body: answer },
  };
}

const NOTHING: BodyReading = { arguments: { names: [], values: [] } };
const TIME = Date.UTC(2026, 10, 24, 10);

function factsOf({ method = 'GET', path = '/', query = [], rawQuery, headers = [] }: TwinRequest): RequestFacts {
  const text = rawQuery ?? query.map((pair) => pair.map(encoded).join('=')).join('&');
  return {
    method,
    rawTarget: text === '' ? path : `${path}?${text}`,
    rawPath: path,
    path,
    query: text,
    protocol: 'HTTP/1.1',
    headers,
    queryFields: { names: query.map(([name]) => name), values: query.map(([, value]) => value) },
    clientAddress: '192.0.2.1',
    clientPort: 40_000,
    serverName: 'api.example.com',
    serverPort: 443,
    id: 'an-id',
    time: TIME,
    user: '',
  };
}

const encoded = (text: string) =>
  text.replace(/[^A-Za-z0-9._~'"()*!;:@,/-]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
