import type { WafOptions, WafRouteOptions } from './options.ts';

/** What holds on one route, after the section `waf` and the route's own words. */
export interface EffectiveWaf {
  readonly mode: 'block' | 'detect';
  readonly rules: readonly string[];
  readonly paranoia: number | undefined;
  readonly threshold: number | undefined;
  readonly exclude: WafOptions['exclude'];
  readonly extra: readonly string[];
  readonly deny: WafOptions['deny'];
  readonly allow: WafOptions['allow'];
  readonly body: number | undefined;
  readonly data: boolean;
}

/** A route's word comes before the section's; lists add up. undefined: no firewall on this route. */
export function effectiveWaf(section: WafOptions | undefined, route: WafRouteOptions | undefined): EffectiveWaf | undefined {
  if (section === undefined && route === undefined) return undefined;
  const mode = route?.mode ?? section?.mode ?? 'block';
  if (mode === 'off') return undefined;
  const both = <K extends 'exclude' | 'extra' | 'deny' | 'allow'>(key: K) => [
    ...((section?.[key] ?? []) as WafOptions[K]),
    ...((route?.[key] ?? []) as WafOptions[K]),
  ];
  return {
    mode,
    rules: section?.rules ?? ['builtin'],
    paranoia: route?.paranoia ?? section?.paranoia,
    threshold: route?.threshold ?? section?.threshold,
    exclude: both('exclude') as WafOptions['exclude'],
    extra: both('extra') as string[],
    deny: both('deny') as WafOptions['deny'],
    allow: both('allow') as WafOptions['allow'],
    body: route?.body ?? section?.body,
    data: section?.data ?? false,
  };
}
