import type { Segment } from '../../route/pattern.ts';
import { type Check, met, open } from '../model.ts';
import { eachRoute } from '../scopes.ts';

/** What may stand under `waf`: this version knows `mode: off` alone, and the check is right when there is more. */
interface Waf {
  readonly mode?: string;
  readonly rules?: readonly unknown[];
}

const takesInput = (segments: readonly Segment[], unsafe: boolean) => unsafe || segments.some(({ kind }) => kind !== 'literal');

export const waf: readonly Check[] = [
  {
    name: 'waf',
    title: 'The web application firewall blocks attacks',
    heading: 'waf',
    owasp: ['API8', 'API10'],
    why: 'A contract says what a value may look like; that it holds no attack on what stands behind only a firewall says.',
    fix: 'waf: { mode: block } (a later version has the firewall; until then accept this with a reason)',
    applies: 'routes with bodies or parameters in their path',
    judge: eachRoute(({ route, segments, unsafe }, { options }) => {
      if (!takesInput(segments, unsafe)) return undefined;
      const [own, whole]: (Waf | undefined)[] = [route.waf, options.waf];
      const mode = own?.mode ?? whole?.mode;
      if (mode === undefined) return open('no firewall', ['waf']);
      const [at, where] = own?.mode === undefined ? ['of the section `waf`', ['waf', 'mode']] : ['of the route', undefined];
      if (mode !== 'block') return { ...open(`the mode ${at} is ${mode}`, ['waf', 'mode']), where };
      const rules = own?.rules ?? whole?.rules;
      return rules !== undefined && rules.length > 0
        ? { ...met('blocks', 'waf', 'mode'), where }
        : { ...open('blocks by no rules', ['waf', 'mode']), where };
    }),
  },
];
