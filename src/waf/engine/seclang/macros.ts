import type { Macro, MacroPart } from '../rule-set.ts';
import { variableNamed } from '../variables/catalogue.ts';
import type { Reading } from './reading.ts';
import type { Span } from './span.ts';
import { readVariable } from './variables.ts';

const REFERENCE = /%\{([A-Za-z_]\w*)(?:[.:]([^}%]+))?\}/g;

export const EMPTY: Macro = { text: '', parts: [''] };

/** Text with `%{…}`. A name that no variable has is reported. */
export function readMacro(written: Span, reading: Reading): Macro {
  return macroOf(
    written.text,
    (match) => readVariable(written.slice(match.index + 2, match.index + 2 + match[1].length), reading)?.name,
  );
}

/** The same for text in which `%{` may mean something else, as in patterns: only what names a variable is a reference. */
export function readLooseMacro(written: Span): Macro {
  return macroOf(written.text, (match) => variableNamed(match[1].toUpperCase())?.name);
}

function macroOf(text: string, nameOf: (match: RegExpExecArray) => string | undefined): Macro {
  if (!text.includes('%{')) return { text, parts: [text] };
  const parts: MacroPart[] = [];
  let from = 0;
  for (const match of text.matchAll(REFERENCE)) {
    const variable = nameOf(match);
    if (variable === undefined) continue;
    if (match.index > from) parts.push(text.slice(from, match.index));
    parts.push({ variable, name: match[2]?.toLowerCase() });
    from = match.index + match[0].length;
  }
  if (from < text.length || parts.length === 0) parts.push(text.slice(from));
  return { text, parts };
}
