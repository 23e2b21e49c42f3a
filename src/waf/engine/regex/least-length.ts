import type { PatternNode } from './node.ts';

/** The least bytes that a match takes. */
export function leastLengthOf(node: PatternNode): number {
  switch (node.kind) {
    case 'empty':
    case 'assert':
      return 0;
    case 'set':
      return 1;
    case 'capture':
      return leastLengthOf(node.body);
    case 'concat':
      return node.parts.reduce((sum, part) => sum + leastLengthOf(part), 0);
    case 'alternate':
      return Math.min(...node.options.map(leastLengthOf));
    case 'repeat':
      return node.min * leastLengthOf(node.body);
  }
}
