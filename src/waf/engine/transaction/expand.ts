import type { Macro, MacroReference } from '../rule-set.ts';
import { variableNamed } from '../variables/catalogue.ts';
import type { Transaction } from './transaction.ts';

/** The text of a macro; a reference to something that is not there is empty. */
export function expandMacro(macro: Macro, t: Transaction): string {
  const { parts } = macro;
  if (parts.length === 1) return expandPart(parts[0], t);
  let text = '';
  for (const part of parts) text += expandPart(part, t);
  return text;
}

function expandPart(part: string | MacroReference, t: Transaction): string {
  return typeof part === 'string' ? part : resolveReference(part, t);
}

function resolveReference({ variable, name }: MacroReference, t: Transaction): string {
  if (variable === 'TX') return name === undefined ? '' : (t.tx.get(name) ?? '');
  const found = variableNamed(variable);
  if (found === undefined) return '';
  const { names, values } = t.valuesOf(found);
  if (name === undefined) return values[0] ?? '';
  for (let i = 0; i < names.length; i++) if (names[i].toLowerCase() === name) return values[i];
  return '';
}
