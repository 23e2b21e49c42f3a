import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';

/** One rule, compiled when the configuration loads. It closes what it does not know: no caller, no claim, no parameter is a refusal. */
export interface Rule {
  /** The rule is checked a second time with the whole body in `x.body`: what it says of the head has to hold in the body too. */
  readonly needsBody?: boolean;
  /** undefined: the rule holds. Refusals are made beforehand and shared: nobody changes them. */
  check(x: Exchange): Refusal | undefined;
}
