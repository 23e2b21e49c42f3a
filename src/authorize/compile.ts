import type { Clock } from '../pipeline/stage.ts';
import { Addresses } from './addresses.ts';
import { Callers } from './callers.ts';
import { Claim } from './claims.ts';
import { AllOf, AnyOf } from './combine.ts';
import type { AuthorizeOptions } from './options.ts';
import { Owner } from './owner.ts';
import { Roles } from './roles.ts';
import type { Rule } from './rule.ts';
import { AnyScope, Scopes } from './scopes.ts';
import { Time } from './time.ts';

/** Makes one rule of what a mapping says: who calls first, what it may touch last. */
export function compile(options: AuthorizeOptions, path: string, clock: Clock): Rule {
  const rules: Rule[] = [];
  if (options.callers) rules.push(new Callers(options.callers));
  if (options.scopes) rules.push(new Scopes(options.scopes));
  if (options['any-scope']) rules.push(new AnyScope(options['any-scope']));
  if (options.roles) rules.push(new Roles(options.roles.any, options.roles.claim));
  for (const [name, values] of Object.entries(options.claims ?? {})) rules.push(new Claim(name, [values].flat()));
  if (options.addresses) rules.push(new Addresses(options.addresses));
  if (options.time) rules.push(new Time(options.time, clock));
  if (options.owner) rules.push(new Owner(options.owner, path));
  for (const nested of options['all-of'] ?? []) rules.push(compile(nested, path, clock));
  if (options['any-of']) rules.push(new AnyOf(options['any-of'].map((nested) => compile(nested, path, clock))));
  // The schema sees to it; a rule of nothing would let everybody pass.
  if (rules.length === 0) throw new Error(`${path}: \`authorize\` says nothing`);
  return rules.length === 1 ? rules[0] : new AllOf(rules);
}
