import type { Macro, MacroPart } from '../rule-set.ts';

const REFERENCE = /%\{([A-Za-z_]+)(?:[.:]([^}]*))?\}/g;

/** Takes `%{collection.name}` out of a text. What is no reference stays as it is written. */
export function parseMacro(text: string): Macro {
  const parts: MacroPart[] = [];
  let from = 0;
  for (const match of text.matchAll(REFERENCE)) {
    if (match.index > from) parts.push(text.slice(from, match.index));
    parts.push({ variable: match[1].toUpperCase(), name: match[2]?.toLowerCase() });
    from = match.index + match[0].length;
  }
  if (from < text.length || parts.length === 0) parts.push(text.slice(from));
  return { text, parts };
}
