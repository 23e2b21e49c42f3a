import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Path } from './schema-tree.ts';

/** A configuration file as text and as a tree whose nodes know where they stand. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly lines: LineCounter;
  readonly document: Document.Parsed;
  /** What each alias stands for; undefined where no anchor of its name stands before it. */
  readonly targets: ReadonlyMap<Alias, Node | undefined>;
}

/** Where something stands. `via` is the outermost alias or merge through which it was reached. */
export interface Place {
  readonly offset: number;
  readonly via: Alias | undefined;
  readonly node: Node | undefined;
}

/** Reads YAML 1.2, and with it JSON; merge keys work. Never throws: `document.errors` has what is wrong. */
export function readSource(file: string, text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: 'core',
    merge: true,
    uniqueKeys: true,
    prettyErrors: false,
  });
  return { file, text, lines, document, targets: aliasTargets(document) };
}

/** One walk for all aliases: `Alias.resolve` walks the whole file for each of them. */
function aliasTargets(document: Document.Parsed): Map<Alias, Node | undefined> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) targets.set(node, anchors.get(node.source));
      else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** The node itself, or what it stands for. */
export function resolved(source: Source, node: unknown): unknown {
  return isAlias(node) ? source.targets.get(node) : node;
}

/** The place of the value at `path`; where there is none, the place of the nearest thing around it. */
export function placeOfValue(source: Source, path: Path): Place {
  return walk(source, path).value;
}

/** The place of the key at the end of `path`. */
export function placeOfKey(source: Source, path: Path): Place {
  return walk(source, path).key;
}

/** What stands at exactly this path, aliases followed; undefined when nothing does. */
export function nodeAt(source: Source, path: Path): unknown {
  let place: Place = { offset: 0, via: undefined, node: source.document.contents ?? undefined };
  for (const step of path) {
    const next = stepInto(source, place, step);
    if (next === undefined) return undefined;
    place = next.value;
  }
  return resolved(source, place.node);
}

interface Walk {
  readonly key: Place;
  readonly value: Place;
}

function walk(source: Source, path: Path): Walk {
  const start: Place = {
    offset: source.document.contents?.range?.[0] ?? 0,
    via: undefined,
    node: source.document.contents ?? undefined,
  };
  let at: Walk = { key: start, value: start };
  for (const step of path) {
    const next = stepInto(source, at.value, step);
    // Something is missing here: the key of the mapping around it tells a reader more than the mapping's first line.
    if (next === undefined) return { key: at.key, value: at.key };
    at = next;
  }
  return at;
}

function stepInto(source: Source, from: Place, step: string | number): Walk | undefined {
  const { node, via } = through(source, from.node, from.via);
  if (isSeq(node)) return walkTo(node.items[Number(step)] as Node | undefined, via);
  if (!isMap(node)) return undefined;
  const found = findPair(source, node, String(step), via);
  if (found === undefined) return undefined;
  const key = placeOf(found.pair.key as Node, found.via);
  return { key, value: isNode(found.pair.value) && found.pair.value.range ? placeOf(found.pair.value, found.via) : key };
}

function walkTo(node: Node | undefined, via: Alias | undefined): Walk | undefined {
  if (node === undefined) return undefined;
  const place = placeOf(node, via);
  return { key: place, value: place };
}

function placeOf(node: Node, via: Alias | undefined): Place {
  return { offset: node.range?.[0] ?? 0, via, node };
}

function through(
  source: Source,
  node: Node | undefined,
  via: Alias | undefined,
): { node: Node | undefined; via: Alias | undefined } {
  return isAlias(node) ? { node: source.targets.get(node), via: via ?? node } : { node, via };
}

interface FoundPair {
  readonly pair: Pair;
  readonly via: Alias | undefined;
}

function findPair(source: Source, map: YAMLMap, key: string, via: Alias | undefined): FoundPair | undefined {
  const own = map.items.find((pair) => isScalar(pair.key) && !isMergeKey(pair) && String(pair.key.value) === key);
  if (own !== undefined) return { pair: own, via };
  for (const merge of map.items.filter(isMergeKey)) {
    const list = isSeq(merge.value) ? merge.value.items : [merge.value];
    for (const item of list) {
      const target = through(source, item as Node, via);
      const found = isMap(target.node) ? findPair(source, target.node, key, target.via) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** True for the pair `<<: …` that takes in another mapping. */
export function isMergeKey(pair: Pair): boolean {
  return isScalar(pair.key) && typeof pair.key.value === 'symbol';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}
