/**
 * Header fields as every room sees them: one flat list of name–value pairs, the same for HTTP/1 and HTTP/2.
 *
 * Invariants, held by the reader of the head and relied on everywhere: names are lower-case tokens; values hold one
 * character per byte (latin1), no CR, LF or NUL, and no white space at either end.
 */
export type HeaderList = string[];

/** The value of the first field called `name` (lower case), or undefined. */
export function headerValue(list: HeaderList, name: string): string | undefined {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) return list[i + 1];
  }
  return undefined;
}

/** All values of the fields called `name` (lower case), in the order in which they came. */
export function headerValues(list: HeaderList, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) values.push(list[i + 1]);
  }
  return values;
}

/** True when a field called `name` (lower case) is there. */
export function hasHeader(list: HeaderList, name: string): boolean {
  return headerValue(list, name) !== undefined;
}

/** Takes every field called `name` (lower case) out of the list, in place. */
export function removeHeader(list: HeaderList, name: string): void {
  let kept = 0;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) continue;
    list[kept] = list[i];
    list[kept + 1] = list[i + 1];
    kept += 2;
  }
  list.length = kept;
}

/** Leaves exactly one field called `name` (lower case) in the list, with this value. */
export function setHeader(list: HeaderList, name: string, value: string): void {
  removeHeader(list, name);
  list.push(name, value);
}
