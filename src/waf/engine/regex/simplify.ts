import { addAll, type ByteSet, emptySet } from './byte-set.ts';
import { alternateOf, concatOf, emptyNode, type PatternNode } from './node.ts';

/**
 * A smaller pattern that is found in exactly the same values, for a search that only asks whether. Groups go; what may be left out at either end
 * goes (`.*`, `x?`, the copies of `x{2,9}` above two): a match with it contains one without. Nothing is taken from behind an assertion.
 */
export function simplifyForSearch(node: PatternNode): PatternNode {
  return trim(trim(withoutCaptures(node), 'front'), 'back');
}

function withoutCaptures(node: PatternNode): PatternNode {
  switch (node.kind) {
    case 'capture':
      return withoutCaptures(node.body);
    case 'concat':
      return concatOf(node.parts.map(withoutCaptures).flatMap((part) => (part.kind === 'concat' ? part.parts : [part])));
    case 'alternate':
      return joinSets(node.options.map(withoutCaptures));
    case 'repeat':
      return { ...node, body: withoutCaptures(node.body) };
    default:
      return node;
  }
}

/** `a|b|[cd]` is one set where order does not matter. */
function joinSets(options: readonly PatternNode[]): PatternNode {
  const kept: PatternNode[] = [];
  let joined: ByteSet | undefined;
  for (const option of options) {
    if (option.kind !== 'set') {
      kept.push(option);
    } else if (joined === undefined) {
      joined = emptySet();
      addAll(joined, option.set);
      kept.push({ kind: 'set', set: joined });
    } else {
      addAll(joined, option.set);
    }
  }
  return alternateOf(kept);
}

function trim(node: PatternNode, side: 'front' | 'back'): PatternNode {
  switch (node.kind) {
    case 'concat':
      return trimConcat(node.parts, side);
    case 'alternate': {
      const options = node.options.map((option) => trim(option, side));
      return options.some((option) => option.kind === 'empty') ? emptyNode : joinSets(options);
    }
    case 'repeat':
      return trimRepeat(node, side);
    default:
      return node;
  }
}

function trimConcat(parts: readonly PatternNode[], side: 'front' | 'back'): PatternNode {
  const rest = [...parts];
  while (rest.length > 0) {
    const at = side === 'front' ? 0 : rest.length - 1;
    const trimmed = trim(rest[at], side);
    if (trimmed.kind !== 'empty') {
      rest[at] = trimmed;
      break;
    }
    rest.splice(at, 1);
  }
  return concatOf(rest);
}

function trimRepeat(node: PatternNode & { kind: 'repeat' }, side: 'front' | 'back'): PatternNode {
  if (node.min === 0) return emptyNode;
  if (node.min === 1) return trim(node.body, side);
  return { ...node, max: node.min };
}
