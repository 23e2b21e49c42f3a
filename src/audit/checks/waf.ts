import type { Segment } from '../../route/pattern.ts';
import { effectiveWaf } from '../../waf/effective.ts';
import type { WafOptions } from '../../waf/options.ts';
import type { Audited } from '../audited.ts';
import { type Check, type Judgement, met, open } from '../model.ts';
import { all, eachRoute, section } from '../scopes.ts';

/** One finding of the highest severity counts 5; an attack in one value often makes one or two of them. */
const MOST_SCORE = 10;
/** Rules of one class of attacks have ids within a thousand; a handful of false alarms never needs so many. */
const MOST_IDS = 100;
/** The rules that compare the score, of the Core Rule Set and the built-in ones. Without them no score refuses anything. */
const DECIDING = [
  [949_000, 949_999],
  [959_000, 959_999],
  [1_090_000, 1_099_999],
] as const;

type Exclusion = WafOptions['exclude'][number];
type Condition = WafOptions['allow'][number];
/** What the section and a route both say. */
type Words = Pick<WafOptions, 'exclude' | 'allow' | 'threshold'>;

const takesInput = (segments: readonly Segment[], unsafe: boolean) => unsafe || segments.some(({ kind }) => kind !== 'literal');

/** Judges the words of the section, where they hold for some route, and those that routes add. */
function words(judge: (words: Words) => readonly Judgement[]): Check['judge'] {
  return all(
    section('waf', ({ options, routes }: Audited) => {
      const holds = routes.some(({ route }) => effectiveWaf(options.waf, route.waf) !== undefined);
      return options.waf !== undefined && holds ? judge(options.waf) : undefined;
    }),
    eachRoute(({ route }, { options }) => {
      if (route.waf === undefined || effectiveWaf(options.waf, route.waf) === undefined) return undefined;
      return judge(route.waf).map((one) => ({ ...one, at: ['waf', ...one.at] }));
    }),
  );
}

/** Why an exclusion takes more away than a false alarm needs; undefined: it does not. */
function tooWide({ id, tag, target }: Exclusion): string | undefined {
  if (id !== undefined) {
    const [from, to = from] = String(id).split('-').map(Number);
    const decides = DECIDING.some(([first, last]) => from <= last && to >= first);
    if (decides && target === undefined) return 'the rules that refuse by the score are left out';
    if (to - from < MOST_IDS) return undefined;
  }
  const what = tag === undefined ? `rules ${id}` : `rules with the tag ${tag}`;
  if (target === undefined) return `all ${what} are left out`;
  return target.includes(':') ? undefined : `all ${what} look at nothing in ${target}`;
}

/** Why anybody can get past the rules by it; undefined: not anybody can. */
function forAnybody({ addresses, headers, paths }: Condition): string | undefined {
  if (addresses !== undefined) return addresses.some((one) => one.endsWith('/0')) ? 'no rule looks at any client' : undefined;
  if (headers !== undefined) return `no rule looks at who sends the fields ${Object.keys(headers).join(', ')}`;
  if (paths === undefined || paths.includes('/**')) return 'no rule looks at whole methods or paths of the gateway';
  return undefined;
}

function exceptions({ exclude, allow }: Words): Judgement[] {
  const judged = [
    ...exclude.map((one, i) => [tooWide(one), ['exclude', i]] as const),
    ...allow.map((one, i) => [forAnybody(one), ['allow', i]] as const),
  ].map(([problem, at]) => (problem === undefined ? met('narrow', ...at) : open(problem, at)));
  return judged.length === 0 ? [met('no exceptions')] : judged;
}

export const waf: readonly Check[] = [
  {
    name: 'waf',
    title: 'The web application firewall blocks attacks',
    heading: 'waf',
    owasp: ['API8', 'API10'],
    why: 'A contract says what a value may look like; that it holds no attack on what stands behind only a firewall says.',
    fix: 'waf: { mode: block }',
    applies: 'routes with bodies or parameters in their path',
    judge: eachRoute(({ route, segments, unsafe }, { options }) => {
      if (!takesInput(segments, unsafe)) return undefined;
      if (options.waf === undefined && route.waf === undefined) return open('no firewall', ['waf']);
      const own = route.waf?.mode !== undefined || options.waf === undefined;
      const where = own ? undefined : ['waf', 'mode'];
      const mode = effectiveWaf(options.waf, route.waf)?.mode ?? 'off';
      if (mode === 'block') return { ...met('blocks', 'waf', 'mode'), where };
      return { ...open(`the mode of the ${own ? 'route' : 'section `waf`'} is ${mode}`, ['waf', 'mode']), where };
    }),
  },
  {
    name: 'waf-threshold',
    title: 'One attack is enough to be refused',
    heading: 'waf',
    owasp: ['API8'],
    why: 'An attack in one value scores 5 or 10. A threshold above that lets single attacks pass, and the record full of findings looks as if it did not.',
    fix: 'threshold: 5',
    applies: 'the section `waf` and routes with `waf`',
    judge: words(({ threshold }) => {
      if (threshold === undefined) return [met('the threshold of the rules', 'threshold')];
      const says = `a request may score ${threshold - 1}`;
      return [threshold <= MOST_SCORE ? met(says, 'threshold') : open(says, ['threshold'])];
    }),
  },
  {
    name: 'waf-exceptions',
    title: 'Exceptions from the firewall are narrow',
    heading: 'waf',
    owasp: ['API8'],
    why: 'A false alarm is one rule and one parameter. Whole classes of attacks, or whatever a client says of itself, are a way around the firewall.',
    fix: 'exclude: [{ id: 942100, target: ARGS:comment }]',
    applies: 'the section `waf` and routes with `waf`',
    judge: words(exceptions),
  },
  {
    name: 'waf-data',
    title: 'The record holds no values that clients sent',
    heading: 'waf',
    owasp: ['API8'],
    why: 'What a rule matched can be a password in the wrong field. It helps to tune rules, and does not belong into a record that is kept.',
    fix: 'waf: { data: false }',
    applies: 'configurations with a section `waf`',
    judge: section('waf', ({ options }) => {
      if (options.waf === undefined) return undefined;
      return options.waf.data ? open('what rules matched is recorded', ['data']) : met('ids and targets only', 'data');
    }),
  },
];
