import { isMap, isScalar, isSeq, type Node, visit, type YAMLError } from 'yaml';
import type { Findings } from './findings.ts';
import { isMergeKey, resolved, type Source } from './source.ts';
import { yamlWords } from './yaml-words.ts';

/** Only the first error of syntax is worth showing, the others mostly follow from it; doubled keys are shown all. */
export function checkSyntax(source: Source, findings: Findings): boolean {
  const { errors, warnings, contents } = source.document;
  for (const error of errors.filter((one) => one.code === 'DUPLICATE_KEY')) {
    findings.reportOffset(
      error.pos[0],
      `duplicate key ${JSON.stringify(source.text.slice(error.pos[0], keyEnd(source.text, error.pos[0])))}`,
    );
  }
  const first = [...errors, ...warnings].find((one) => one.code !== 'DUPLICATE_KEY');
  if (first !== undefined) findings.reportOffset(syntaxOffset(source, first), syntaxMessage(first), syntaxHint(source, first));
  else if (contents === null || (isScalar(contents) && contents.value === null)) findings.reportOffset(0, 'the file is empty');
  else return true;
  return false;
}

function keyEnd(text: string, from: number): number {
  const end = text.slice(from, from + 80).search(/["']?\s*:|\n/);
  return end === -1 ? from : from + end;
}

function syntaxMessage(error: YAMLError): string {
  if (error.code === 'RESOURCE_EXHAUSTION' || error.message.startsWith('Maximum call stack')) return 'nested too deeply';
  if (error.code === 'MULTIPLE_DOCS') return 'a configuration is one YAML document: no second one after `---`';
  return `not valid YAML: ${yamlWords(error.message)}`;
}

/** A quote that is never closed is found at the end of the file; it has to be mended where it was opened. */
function syntaxOffset(source: Source, error: YAMLError): number {
  let offset = error.pos[0];
  // The indentation is wrong, but what people look for is what is indented.
  if (error.code === 'BAD_INDENT') return offset + (/^ */.exec(source.text.slice(offset, offset + 200))?.[0].length ?? 0);
  if (error.code !== 'MISSING_CHAR' || offset < source.text.trimEnd().length) return offset;
  visit(source.document, {
    Scalar(_, { type, range }) {
      if (type?.startsWith('QUOTE') && range && range[1] >= error.pos[0]) offset = range[0];
    },
  });
  return offset;
}

/** What a reference to the environment looks like to the parser, where it stands without quotes. */
function syntaxHint(source: Source, error: YAMLError): string | undefined {
  const line = source.text.slice(source.text.lastIndexOf('\n', error.pos[0]) + 1).split('\n', 1)[0];
  if (!line.includes('${') || /quote/.test(yamlWords(error.message))) return undefined;
  return 'inside { } and [ ], a value with ${…} must stand in quotes';
}

/** An alias to nothing, to what contains it, or a merge of what is no mapping: the parser finds these too late. */
export function checkAliases(source: Source, findings: Findings): boolean {
  const before = findings.found.length;
  visit(source.document, {
    Alias(_, alias, ancestors) {
      const target = source.targets.get(alias);
      if (target === undefined)
        findings.reportOffset(alias.range?.[0] ?? 0, `no anchor &${alias.source} stands before this alias`);
      else if (ancestors.includes(target))
        findings.reportOffset(alias.range?.[0] ?? 0, `the alias *${alias.source} stands inside what it stands for`);
    },
    Pair(_, pair) {
      if (!isMergeKey(pair)) return;
      const merged = isSeq(pair.value) ? pair.value.items : [pair.value];
      const targets = merged.map((item) => resolved(source, item));
      if (targets.every((target) => target === undefined || isMap(target))) return;
      findings.reportOffset((pair.key as Node).range?.[0] ?? 0, '`<<` takes a mapping, or a list of mappings');
    },
  });
  return findings.found.length === before;
}
