/** One `${NAME}` or `${NAME:-default}` that could not be replaced. */
export interface UnresolvedReference {
  /** Index in the text. */
  readonly index: number;
  readonly message: string;
}

/** A text after its references to the environment were replaced. */
export interface Interpolated {
  readonly text: string;
  /** The values that came from the environment: they may be secret. */
  readonly values: readonly { readonly name: string; readonly value: string }[];
  readonly unresolved: readonly UnresolvedReference[];
}

// No quantifier here can match what its neighbour matches, so the cost is linear.
const REFERENCE = /\$\$\{|\$\{([^}]*)(\})?/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Replaces `${NAME}` and `${NAME:-default}` by what the environment holds; `$${` stands for `${` itself. As in a shell,
 * the default is taken when the variable is unset or empty. What comes in is not looked at again.
 */
export function interpolate(text: string, environment: Readonly<Record<string, string | undefined>>): Interpolated {
  const values: { name: string; value: string }[] = [];
  const unresolved: UnresolvedReference[] = [];
  const replaced = text.replace(REFERENCE, (whole: string, inner: string | undefined, end: string | undefined, index: number) => {
    if (inner === undefined) return '${';
    const found = end === undefined ? undefined : lookUp(inner, environment);
    if (found === undefined) {
      unresolved.push({
        index,
        message: 'malformed reference to the environment: write ${NAME}, ${NAME:-default}, or $${ for the characters themselves',
      });
      return whole;
    }
    if (found.value === undefined) unresolved.push({ index, message: `the environment variable ${found.name} is not set` });
    else if (found.fromEnvironment) values.push({ name: found.name, value: found.value });
    return found.value ?? whole;
  });
  return { text: replaced, values, unresolved };
}

interface Found {
  readonly name: string;
  readonly value: string | undefined;
  readonly fromEnvironment: boolean;
}

function lookUp(inner: string, environment: Readonly<Record<string, string | undefined>>): Found | undefined {
  const split = inner.indexOf(':-');
  const name = split === -1 ? inner : inner.slice(0, split);
  if (!NAME.test(name)) return undefined;
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  if (split !== -1 && (value === undefined || value === ''))
    return { name, value: inner.slice(split + 2), fromEnvironment: false };
  return { name, value, fromEnvironment: true };
}
