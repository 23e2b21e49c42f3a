/** What must not be shown: the text, and what stands in its place. */
export interface Hidden {
  readonly text: string;
  readonly shown: string;
}

/** Values of fewer characters cannot be told from ordinary words, and replacing them would make every message unreadable. */
const SHORTEST = 4;

/** Takes values out of a message, longest first, so that a value inside another does not leave half of it. */
export function redact(message: string, hidden: readonly Hidden[]): string {
  let text = message;
  for (const { text: value, shown } of hidden) {
    if (value === '') continue;
    text = text.replaceAll(JSON.stringify(value), () => JSON.stringify(shown));
    if (value.length >= SHORTEST) text = replaceIgnoringCase(text, value, shown);
  }
  return text;
}

export const longestFirst = (a: Hidden, b: Hidden) => b.text.length - a.text.length;

/** Also finds what a room wrote in lower case, such as a host name. */
function replaceIgnoringCase(text: string, part: string, by: string): string {
  const lower = text.toLowerCase();
  const wanted = part.toLowerCase();
  // A few letters change their length; then positions say nothing.
  if (lower.length !== text.length) return text.replaceAll(part, () => by);
  let result = '';
  let from = 0;
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, from)) {
    result += text.slice(from, at) + by;
    from = at + wanted.length;
  }
  return result + text.slice(from);
}

/** True when a message holds a piece of a value, or may hold it: a message about a part of it (the host of a URL) shows that part. */
export function showsPart(message: string, value: string): boolean {
  const said = message.toLowerCase();
  const kept = value.toLowerCase();
  if (kept.length < SHORTEST) return said.includes(JSON.stringify(kept)) || said.split(/[^\p{L}\p{N}]+/u).includes(kept);
  const pieces = new Set<string>();
  for (let at = 0; at + SHORTEST <= said.length; at += 1) pieces.add(said.slice(at, at + SHORTEST));
  for (let at = 0; at + SHORTEST <= kept.length; at += 1) if (pieces.has(kept.slice(at, at + SHORTEST))) return true;
  return false;
}

/** The same in every text of a value that is about to be shown. */
export function redactAll<T>(value: T, hidden: readonly Hidden[]): T {
  if (hidden.length === 0) return value;
  if (typeof value === 'string') return redact(value, hidden) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => redactAll(item, hidden)) as T;
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactAll<unknown>(item, hidden)])) as T;
}
