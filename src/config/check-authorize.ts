import { isInPath } from '../authorize/owner.ts';
import { looksLike } from '../authorize/parameter-names.ts';
import { list, mapping } from './checks.ts';
import type { Report } from './findings.ts';
import { didYouMean } from './messages.ts';
import type { Path } from './schema-tree.ts';
import { nearest } from './suggest.ts';

/** Rules that are about somebody; the others are about the request. */
const OF_CALLERS = ['callers', 'scopes', 'any-scope', 'roles', 'claims', 'owner'];

/** What `authorize` of a route says that can never hold there. */
export function checkAuthorize(raw: unknown, report: Report): void {
  for (const [index, value] of list(mapping(raw).routes).entries()) {
    const route = mapping(value);
    checkRules(route.authorize, ['routes', index, 'authorize'], route, report);
  }
}

function checkRules(value: unknown, at: Path, route: Readonly<Record<string, unknown>>, report: Report): void {
  const rules = mapping(value);
  if (route.authentication === 'none') refuseRulesOfCallers(rules, at, report);
  else checkCallers(rules, at, list(route.authentication), report);
  checkOwner(mapping(rules.owner), [...at, 'owner', 'parameter'], route.path, report);
  for (const key of ['all-of', 'any-of']) {
    for (const [index, nested] of list(rules[key]).entries()) checkRules(nested, [...at, key, index], route, report);
  }
}

function refuseRulesOfCallers(rules: Readonly<Record<string, unknown>>, at: Path, report: Report): void {
  for (const key of OF_CALLERS.filter((word) => rules[word] !== undefined)) {
    report([...at, key], `\`${key}\` needs a caller, but the route is open: \`authentication: none\` looks at no credential`, {
      at: 'key',
    });
  }
}

function checkCallers(rules: Readonly<Record<string, unknown>>, at: Path, methods: readonly unknown[], report: Report): void {
  for (const [index, name] of list(rules.callers).entries()) {
    if (typeof name !== 'string' || methods.length === 0 || methods.includes(name)) continue;
    report(
      [...at, 'callers', index],
      `nobody comes to this route by ${JSON.stringify(name)}: its \`authentication\` does not name it`,
    );
  }
}

/** With a slip in a name of the path the parameter would be one of the query, where whoever calls writes his own name. */
function checkOwner({ parameter }: Readonly<Record<string, unknown>>, at: Path, path: unknown, report: Report): void {
  if (typeof parameter !== 'string' || typeof path !== 'string' || isInPath(parameter, path)) return;
  const names = path
    .split('/')
    .filter((part) => /^\{.+\}$/.test(part))
    .map((part) => part.slice(1, -1));
  const near = names.find((name) => looksLike(name, parameter)) ?? nearest(parameter, names);
  if (near !== undefined) report(at, `the path has no parameter ${JSON.stringify(parameter)}`, { hint: didYouMean(near) });
}
