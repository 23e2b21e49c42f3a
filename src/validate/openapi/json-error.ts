/**
 * Where JSON text that `JSON.parse` refused goes wrong: V8 tells the place of some mistakes only.
 */

const TOKEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 leaves them out of strings
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.]))/y;

type Wanted = 'a value' | 'a name' | 'a name or }' | 'a value or ]' | 'a colon' | 'a comma or }' | 'a comma or ]' | 'the end';

/** The first thing that cannot stand where it stands, and what could. */
export function findJsonError(text: string): { readonly offset: number; readonly wanted: string } {
  const open: string[] = [];
  let wanted: Wanted = 'a value';
  for (let at = 0; ; ) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const next: Wanted | undefined =
      match === null ? undefined : follow(wanted, match[1] ?? (match[2] === undefined ? 'scalar' : 'string'), open);
    if (match === null || next === undefined) return { offset: skipSpace(text, at), wanted };
    wanted = next;
    at += match[0].length;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text[at])) at++;
  return at;
}

/** What is wanted after a token; undefined: it was not wanted. */
function follow(wanted: Wanted, token: string, open: string[]): Wanted | undefined {
  if (token === '}' || token === ']') return wanted.endsWith(token) ? close(open) : undefined;
  if (wanted === 'a colon') return token === ':' ? 'a value' : undefined;
  if (wanted === 'a comma or }') return token === ',' ? 'a name' : undefined;
  if (wanted === 'a comma or ]') return token === ',' ? 'a value' : undefined;
  if (wanted === 'a name' || wanted === 'a name or }') return token === 'string' ? 'a colon' : undefined;
  if (wanted === 'the end' || token === ',' || token === ':') return undefined;
  if (token !== '{' && token !== '[') return after(open);
  open.push(token);
  return token === '{' ? 'a name or }' : 'a value or ]';
}

function close(open: string[]): Wanted {
  open.pop();
  return after(open);
}

function after(open: readonly string[]): Wanted {
  const around = open.at(-1);
  if (around === undefined) return 'the end';
  return around === '{' ? 'a comma or }' : 'a comma or ]';
}
