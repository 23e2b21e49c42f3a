import type { BodyReading } from '../../src/waf/engine/transaction/facts.ts';
import type { Random } from './random.ts';
import type { TwinRequest } from './waf-twin.ts';

/**
 * Small sets of rules at random, in which everything touches everything: few names, few values, and all that one rule can leave behind for
 * another. And requests that many of them match.
 */

const NAMES = ['a', 'b', 'c', 'A', 'ab'];
const WORDS = [
  'evil',
  'x',
  'y',
  '1',
  '2',
  '10',
  '0',
  'EVIL',
  '%65vil',
  "' or 1=1",
  '&#101;vil',
  'e/**/vil',
  '<b>',
  '',
  '  x  ',
  '..\\..',
  '\xe9',
  'a=b;c',
  '\x00x',
];
const VARIABLES = ['v1', 'v2', 'v3', 'w_score', 'in_score'];
const PATTERNS = [
  'evil',
  '^x$',
  '[0-9]+',
  '(e)(v)(i)',
  '(?i)evil',
  '^.',
  'x*',
  '^$',
  '[^a-z]',
  "['<]",
  'evil|x',
  '^(?:1|2)$',
  'v.*l',
  '\\\\',
  '%',
  '([a-z])([0-9])?',
];
const TRANSFORMATIONS = [
  'lowercase',
  'urlDecodeUni',
  'htmlEntityDecode',
  'removeWhitespace',
  'compressWhitespace',
  'replaceComments',
  'length',
  'base64Decode',
  'cmdLine',
  'normalizePath',
  'removeNulls',
  'hexEncode',
  'trim',
  'jsDecode',
  'utf8toUnicode',
];
const PHASE1 = [
  'ARGS_GET',
  'ARGS_GET_NAMES',
  'REQUEST_HEADERS',
  'REQUEST_HEADERS_NAMES',
  'REQUEST_COOKIES',
  'REQUEST_COOKIES_NAMES',
  'ARGS',
  'ARGS_NAMES',
];
const SINGLE = [
  'REQUEST_URI',
  'REQUEST_METHOD',
  'REQUEST_LINE',
  'QUERY_STRING',
  'REQUEST_FILENAME',
  'REQUEST_BASENAME',
  'REMOTE_ADDR',
  'REQBODY_PROCESSOR',
  'UNIQUE_ID',
  'HIGHEST_SEVERITY',
  'MATCHED_VAR',
  'MATCHED_VAR_NAME',
  'ARGS_COMBINED_SIZE',
];
const PHASE2 = ['ARGS_POST', 'ARGS_POST_NAMES', 'FILES', 'FILES_NAMES', 'MULTIPART_PART_HEADERS'];
const SINGLE2 = [
  'REQUEST_BODY',
  'REQBODY_ERROR',
  'MULTIPART_STRICT_ERROR',
  'FILES_COMBINED_SIZE',
  'REQUEST_BODY_LENGTH',
  'XML:/*',
  'XML://@*',
  'FULL_REQUEST',
];
const PHASE3 = ['RESPONSE_STATUS', 'RESPONSE_HEADERS', 'RESPONSE_CONTENT_TYPE', 'RESPONSE_HEADERS:a'];

export function randomRules(random: Random): string {
  return new RuleWriter(random).text();
}

class RuleWriter {
  readonly #random: Random;
  #id = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  text(): string {
    const count = 2 + this.#random.below(9);
    const lines = ['SecCollectionTimeout 600'];
    for (let i = 0; i < count; i++) lines.push(...this.#entry());
    // What rules leave in variables has to be seen by somebody, or it would not matter.
    for (const phase of [1, 2, 5]) {
      const seen = VARIABLES.map((name) => `${name}=%{tx.${name}}`).join(' ');
      if (this.#random.chance(0.5))
        lines.push(`SecAction "id:${900 + phase},phase:${phase},pass,log,logdata:'${seen} %{tx.1} %{ip.c}'"`);
    }
    return lines.join('\n');
  }

  #entry(): string[] {
    if (this.#random.chance(0.15)) return [`SecMarker "M${this.#random.below(3)}"`];
    const phase = this.#random.pick([1, 1, 2, 2, 2, 3, 4, 5]);
    const links = this.#random.chance(0.3) ? 2 + this.#random.below(2) : 1;
    if (links === 1 && this.#random.chance(0.2)) return [`SecAction "${this.#actions(phase, false).join(',')}"`];
    return Array.from({ length: links }, (_, i) => this.#link(phase, i, links));
  }

  #link(phase: number, i: number, links: number): string {
    const actions = i === 0 ? this.#actions(phase, true) : [...this.#judging(), ...this.#effects()];
    if (i < links - 1) actions.push('chain');
    return `SecRule ${this.#targets(phase)} "${this.#operator()}" "${actions.join(',')}"`;
  }

  #actions(phase: number, judging: boolean): string[] {
    const random = this.#random;
    const actions = [`id:${++this.#id}`, `phase:${phase}`, this.#disruption(phase)];
    if (judging) actions.push(...this.#judging());
    actions.push(...this.#effects());
    actions.push(random.pick(['log', 'log', 'nolog']));
    if (random.chance(0.3)) actions.push(`msg:'m %{matched_var_name} %{tx.0}'`, `logdata:'%{matched_var} %{tx.v1} %{rule.id}'`);
    if (random.chance(0.3)) actions.push(`severity:${random.below(8)}`);
    if (random.chance(0.4)) actions.push(`tag:'t${random.below(2)}'`);
    if (random.chance(0.12)) actions.push(`skipAfter:M${random.below(3)}`);
    else if (random.chance(0.06)) actions.push(`skip:${1 + random.below(3)}`);
    return actions;
  }

  #disruption(phase: number): string {
    const choices =
      phase <= 2
        ? ['deny,status:403', 'block', 'allow', 'allow:phase', 'allow:request', 'drop', 'redirect:/%{tx.v1}']
        : ['deny', 'allow:phase'];
    return this.#random.chance(0.15) ? this.#random.pick(choices) : 'pass';
  }

  #judging(): string[] {
    const random = this.#random;
    const actions: string[] = [];
    if (random.chance(0.5)) actions.push('t:none');
    while (random.chance(0.4)) actions.push(`t:${random.pick(TRANSFORMATIONS)}`);
    if (random.chance(0.15)) actions.push('multiMatch');
    if (random.chance(0.25)) actions.push('capture');
    return actions;
  }

  #effects(): string[] {
    const effects: string[] = [];
    while (this.#random.chance(0.45)) effects.push(this.#effect());
    return effects;
  }

  #effect(): string {
    const random = this.#random;
    const name = random.pick([...VARIABLES, 'v%{tx.v1}', '%{tx.1}']);
    const value = random.pick(['1', '2', 'evil', '%{matched_var}', '%{tx.v1}', '%{tx.1}', '%{args.a}', '%{request_headers.a}']);
    const id = 1 + random.below(12);
    return random.pick([
      `setvar:'tx.${name}=${value}'`,
      `setvar:'tx.${name}=${value}'`,
      `setvar:'tx.${name}=+${random.pick(['1', '5', '%{tx.v1}'])}'`,
      `setvar:'tx.${name}=+1'`,
      `setvar:'tx.${name}=-1'`,
      `setvar:'!tx.${random.pick(VARIABLES)}'`,
      `initcol:ip=%{remote_addr}`,
      `setvar:'ip.c=+1'`,
      `expirevar:'ip.c=60'`,
      `ctl:ruleRemoveById=${id}`,
      `ctl:ruleRemoveById=${id}-${id + random.below(3)}`,
      `ctl:ruleRemoveByTag=t${random.below(2)}`,
      `ctl:ruleRemoveTargetById=${id};${random.pick(['ARGS', 'ARGS:a', 'ARGS:b', 'REQUEST_HEADERS:a', 'TX:v1', 'REQUEST_COOKIES'])}`,
      `ctl:ruleRemoveTargetByTag=t${random.below(2)};${random.pick(['ARGS:a', 'ARGS:/a/', 'ARGS_NAMES'])}`,
      random.pick([
        'ctl:ruleEngine=DetectionOnly',
        'ctl:ruleEngine=Off',
        'ctl:ruleEngine=On',
        'ctl:requestBodyAccess=Off',
        'ctl:forceRequestBodyVariable=On',
        'ctl:requestBodyProcessor=JSON',
      ]),
    ]);
  }

  #targets(phase: number): string {
    const random = this.#random;
    const targets: string[] = [];
    do targets.push(this.#target(phase));
    while (random.chance(0.3));
    if (random.chance(0.15))
      targets.push(`!${random.pick(['ARGS:a', 'REQUEST_HEADERS:b', 'TX:v1', 'ARGS:/^a/', 'REQUEST_COOKIES'])}`);
    return targets.join('|');
  }

  #target(phase: number): string {
    const random = this.#random;
    if (random.chance(0.3)) return this.#state();
    if (phase >= 3 && random.chance(0.5)) return random.pick(phase >= 4 ? [...PHASE3, 'RESPONSE_BODY'] : PHASE3);
    if (random.chance(0.25)) return random.pick(phase >= 2 ? [...SINGLE, ...SINGLE2] : SINGLE);
    const collection = random.pick(phase >= 2 ? [...PHASE1, ...PHASE2] : PHASE1);
    const selector = random.chance(0.4) ? `:${random.pick([...NAMES, '/^a/', '/b/'])}` : '';
    return `${random.chance(0.15) ? '&' : ''}${collection}${selector}`;
  }

  #state(): string {
    const random = this.#random;
    const name = random.pick(VARIABLES);
    return random.pick([
      `TX:${name}`,
      `TX:${name}`,
      `TX:${name}`,
      `&TX:${name}`,
      'TX:/^v/',
      'TX:1',
      'MATCHED_VARS',
      'MATCHED_VARS_NAMES',
      'IP:c',
      '&IP:c',
      'TX',
    ]);
  }

  #operator(): string {
    const random = this.#random;
    const not = random.chance(0.2) ? '!' : '';
    const word = random.pick(['evil', 'x', '1', '2', '%{tx.v1}', '%{tx.v2}', '%{request_headers.a}', '%{args.b}', 'evil x 1']);
    const number = random.pick(['0', '1', '2', '10', '%{tx.v1}', '%{tx.in_score}']);
    return random
      .pick([
        ...Array.from({ length: 6 }, () => `${not}@rx ${random.pick(PATTERNS)}`),
        `${not}@${random.pick(['eq', 'ge', 'gt', 'lt', 'le'])} ${number}`,
        `${not}@${random.pick(['eq', 'ge', 'gt', 'lt', 'le'])} ${number}`,
        `${not}@${random.pick(['streq', 'contains', 'beginsWith', 'endsWith', 'within', 'containsWord'])} ${word}`,
        `${not}@pm evil x 1=1 <b`,
        `${not}@validateByteRange 32-126`,
        '@unconditionalMatch',
        `@noMatch`,
      ])
      .replaceAll('"', '\\"');
  }
}

/** A request that these rules have something to say about. */
export function randomRequest(random: Random): TwinRequest {
  const processor = random.pick([undefined, 'URLENCODED', 'JSON', 'MULTIPART', 'XML'] as const);
  return {
    method: random.pick(['GET', 'POST', 'evil']),
    path: random.pick(['/', '/evil', '/x/y.php', '/1/%65vil']),
    query: fields(random),
    headers: ['host', 'h', ...fields(random).flat(), ...(random.chance(0.4) ? ['cookie', cookies(random)] : [])],
    processor,
    body: random.pick(['', 'evil', 'a=evil&b=1', 'x']),
    reading: reading(random),
    status: random.chance(0.7) ? random.pick([200, 404, 500]) : undefined,
    answerHeaders: ['content-type', 'text/html', ...fields(random).flat()],
    answer: random.pick([undefined, '', 'evil', 'x 1']),
  };
}

function fields(random: Random): [string, string][] {
  return Array.from({ length: random.below(4) }, () => [random.pick(NAMES), value(random)]);
}

function value(random: Random): string {
  if (random.chance(0.8)) return random.pick(WORDS);
  return random.pick(WORDS) + random.pick([' ', '', '/', "'"]) + random.pick(WORDS);
}

const cookies = (random: Random) =>
  fields(random)
    .map(([name, text]) => `${name}=${text}`)
    .join('; ');

function reading(random: Random): BodyReading {
  const pairs = fields(random);
  const list = { names: pairs.map(([name]) => name), values: pairs.map(([, text]) => text) };
  if (random.chance(0.2)) return { arguments: list, error: 'json body: broken' };
  if (random.chance(0.3)) return { arguments: list, xml: { texts: [value(random)], attributes: [value(random)] } };
  if (random.chance(0.5)) return { arguments: list };
  return {
    arguments: list,
    files: {
      fields: ['a'],
      names: [value(random)],
      sizes: [random.below(3)],
      partHeaders: { names: ['a'], values: [value(random)] },
    },
    multipart: random.chance(0.3) ? ['LF_LINE'] : [],
  };
}
