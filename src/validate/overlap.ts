type Segments = readonly (string | readonly string[])[];

/**
 * Whether a route's path pattern and a document's path can mean the same request. Patterns were checked when the configuration loaded;
 * where this is in doubt the answer is yes: a body is read that need not be.
 * @param segments texts of the template, a list of texts where it has parameters
 */
export function mayServe(pattern: string, segments: Segments): boolean {
  const parts = pattern.slice(1).split('/');
  for (const [index, part] of parts.entries()) {
    if (part === '**') return true;
    if (index >= segments.length) return false;
    const segment = segments[index];
    const isLiteral = !part.startsWith('{') && part !== '*' && PLAIN.test(part);
    if (isLiteral && typeof segment === 'string' && PLAIN.test(segment) && segment !== part) return false;
  }
  return parts.length === segments.length;
}

/** What has one spelling only. */
const PLAIN = /^[A-Za-z0-9_.-]*$/;

/** Whether a pattern and a template mean the same requests: then neither stands back behind a more exact one. */
export function isSame(pattern: string, segments: Segments): boolean {
  const parts = pattern.slice(1).split('/');
  return (
    parts.length === segments.length &&
    parts.every((part, i) => {
      const open = part === '*' || part.startsWith('{');
      return open ? typeof segments[i] !== 'string' : segments[i] === part;
    })
  );
}
