import { NO_VALUES, type Values } from '../transaction/facts.ts';
import type { Transaction } from '../transaction/transaction.ts';
import type { Variable } from './variable.ts';

/** The two ways into an XML body that rules use; the names of its values. */
export const XML_TEXTS = '/*';
export const XML_ATTRIBUTES = '//@*';

/** All texts and all attributes, each under the path that selects it. */
function read(t: Transaction): Values {
  const xml = t.reading?.xml;
  if (xml === undefined) return NO_VALUES;
  const names = [...xml.texts.map(() => XML_TEXTS), ...xml.attributes.map(() => XML_ATTRIBUTES)];
  return { names, values: [...xml.texts, ...xml.attributes] };
}

export const XML_VARIABLES: readonly Variable[] = [{ name: 'XML', collection: true, stable: true, phase: 2, read }];
