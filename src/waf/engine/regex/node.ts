import type { ByteSet } from './byte-set.ts';

/** What holds between two bytes. */
export type Assertion =
  /** `\A`, and `^` without `(?m)`. */
  | 'begin'
  /** `\z`, and `$` without `(?m)`: the very end only. */
  | 'end'
  /** `\Z`: the end, or before a newline that ends the value. */
  | 'end-or-final-newline'
  /** `^` under `(?m)`: not after a newline that ends the value. */
  | 'line-begin'
  /** `$` under `(?m)`. */
  | 'line-end'
  /** `\b` */
  | 'word-edge'
  /** `\B` */
  | 'no-word-edge'
  /** Within `\R`, which never takes only the first half of `\r\n`. */
  | 'no-newline-next';

/** A pattern as a tree over bytes. Flags are already applied: nothing in it depends on anything outside. */
export type PatternNode =
  /** Matches nothing but the empty string. */
  | { readonly kind: 'empty' }
  /** One byte out of the set; an empty set never matches. */
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'concat'; readonly parts: readonly PatternNode[] }
  /** The first option that leads to a match wins. */
  | { readonly kind: 'alternate'; readonly options: readonly PatternNode[] }
  /** `max` is Infinity where there is none. */
  | { readonly kind: 'repeat'; readonly body: PatternNode; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: 'capture'; readonly index: number; readonly name: string | undefined; readonly body: PatternNode }
  | { readonly kind: 'assert'; readonly assertion: Assertion };

/** Something wrong with a pattern, or that a linear engine cannot do. */
export class PatternError extends Error {
  /** Bytes before the place in the pattern. */
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(message: string, offset: number, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

export const emptyNode: PatternNode = { kind: 'empty' };

export function concatOf(parts: readonly PatternNode[]): PatternNode {
  const kept = parts.filter((part) => part.kind !== 'empty');
  if (kept.length === 0) return emptyNode;
  return kept.length === 1 ? kept[0] : { kind: 'concat', parts: kept };
}

export function alternateOf(options: readonly PatternNode[]): PatternNode {
  return options.length === 1 ? options[0] : { kind: 'alternate', options };
}

/** Whether a node can match without taking a byte. */
export function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'empty':
    case 'assert':
      return true;
    case 'set':
      return false;
    case 'concat':
      return node.parts.every(isNullable);
    case 'alternate':
      return node.options.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.body);
    case 'capture':
      return isNullable(node.body);
  }
}
