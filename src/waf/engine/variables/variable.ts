import type { Values } from '../transaction/facts.ts';
import type { Transaction } from '../transaction/transaction.ts';

/** One variable of the language. */
export interface Variable {
  /** Upper case. */
  readonly name: string;
  /** Whether it has named members; otherwise it is one value (or none), under the empty name. */
  readonly collection: boolean;
  /**
   * True when rules cannot change it and its values are known when its phase begins: it is then read once per transaction.
   * False for TX, MATCHED_VAR and the like.
   */
  readonly stable: boolean;
  /** True for what says more once the body is there. */
  readonly grows?: boolean;
  /** The first phase in which it says something. */
  readonly phase: 1 | 2 | 3 | 4 | 5;
  read(t: Transaction): Values;
  /** The member of this name, where finding one costs less than reading all. */
  lookUp?(t: Transaction, name: string): string | undefined;
}
