import { type Outcome, type Refusal, refuse, type Step } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Prepared } from '../pipeline/stage.ts';
import type { Gate, Waiter } from './gate.ts';

const PASS = 'limit.places';

/** A gate and what it is called in the record. */
export interface NamedGate {
  readonly name: string;
  readonly gate: Gate;
}

/**
 * The gates of one route, the narrowest first: who waits for a place at one service must not hold one of all meanwhile. All take them in
 * this order, so that nobody waits for a place whose holder waits for his.
 */
export class Concurrency implements Prepared {
  readonly #gates: readonly NamedGate[];

  constructor(gates: readonly NamedGate[]) {
    this.#gates = gates;
  }

  onRequestHead(x: Exchange): Step {
    const places = new Places(this.#gates);
    x.notes ??= new Map();
    x.notes.set(PASS, places);
    return places.enter();
  }

  /** Always runs, once, whatever became of the exchange: the only way in which places are given back. */
  onEnd(x: Exchange): void {
    const places = x.notes?.get(PASS) as Places | undefined;
    places?.end();
  }
}

/** The places that one exchange holds, and the one that it waits for. */
class Places implements Waiter {
  readonly #gates: readonly NamedGate[];
  #held = 0;
  #ended = false;
  #settle: ((outcome: Outcome | Promise<Outcome>) => void) | undefined;
  timer: NodeJS.Timeout | undefined = undefined;

  constructor(gates: readonly NamedGate[]) {
    this.#gates = gates;
  }

  enter(): Step {
    for (; this.#held < this.#gates.length; this.#held++) {
      if (!this.#gates[this.#held].gate.enter()) return this.#wait();
    }
    return undefined;
  }

  #wait(): Step {
    const { gate } = this.#gates[this.#held];
    if (!gate.join(this)) return this.#refusal('its queue is full');
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  granted(): void {
    this.#held++;
    this.#settle?.(this.enter());
  }

  expired(): void {
    this.#settle?.(this.#refusal(`no place came free in ${this.#gates[this.#held].gate.wait} ms`));
  }

  #refusal(why: string): Refusal {
    const { name, gate } = this.#gates[this.#held];
    return refuse('concurrency-exceeded', `the concurrency of ${name} is taken, and ${why}`, {
      headers: ['retry-after', String(Math.max(1, Math.ceil(gate.wait / 1000)))],
    });
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#held < this.#gates.length) this.#gates[this.#held].gate.quit(this);
    for (let i = 0; i < this.#held; i++) this.#gates[i].gate.leave();
    this.#settle?.(undefined);
  }
}
