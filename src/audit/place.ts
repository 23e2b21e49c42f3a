import { isAlias } from 'yaml';
import type { Path } from '../config/schema-tree.ts';
import { nodeAt, placeOfValue, type Source } from '../config/source.ts';

/** A spot in the file; both count from 1. */
export interface Spot {
  readonly line: number;
  readonly column: number;
}

/**
 * Where the value at `path` stands: behind an alias or a merge, the line that it is written on. Where nothing stands there, the nearest
 * thing around it.
 */
export function spotOf(source: Source, path: Path): Spot {
  const { node, offset } = placeOfValue(source, path);
  const written = isAlias(node) ? source.targets.get(node)?.range?.[0] : undefined;
  return spotAt(source, written ?? offset);
}

/** Whether the user wrote something there. */
export function isWritten(source: Source, path: Path): boolean {
  return nodeAt(source, path) !== undefined;
}

/** Where entry `index` of `tls` stands below `base`: it may be written alone, without a list. */
export function entryAt(source: Source, base: Path, index: number): Path {
  return isWritten(source, [...base, 'tls', index]) ? ['tls', index] : ['tls'];
}

export function spotAt(source: Source, offset: number): Spot {
  const { line, col } = source.lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
