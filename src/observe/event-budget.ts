/**
 * How many events may be told: a few of each kind from each address in a minute, and so many in all. Whoever makes a flood of refusals
 * must not make one of events; what is not told is counted, and told as one number when the minute is over.
 */
export interface BudgetOptions {
  /** Events of one kind from one address in one window. */
  readonly each: number;
  readonly windowMs: number;
  /** Events of all kinds and addresses in one second. */
  readonly perSecond: number;
  /** Kinds and addresses that are kept apart; more are counted together, by kind. */
  readonly windows: number;
}

export const BUDGET: BudgetOptions = { each: 5, windowMs: 60_000, perSecond: 100, windows: 5000 };

/** What was not told of one kind from one address. */
export interface Suppressed {
  readonly code: string;
  /** Empty where there were too many addresses to keep them apart. */
  readonly about: string;
  readonly count: number;
}

interface Window {
  readonly code: string;
  readonly about: string;
  readonly until: number;
  told: number;
  silent: number;
}

export class EventBudget {
  /** Events that were not told since the start. */
  suppressed = 0;
  readonly #options: BudgetOptions;
  readonly #windows = new Map<string, Window>();
  #second = 0;
  #inSecond = 0;

  constructor(options: BudgetOptions = BUDGET) {
    this.#options = options;
  }

  /**
   * Whether this one may be told.
   * @param about - whom it comes from: an address, or what else tells events of one kind apart
   * @param now - milliseconds of a clock that only goes forward
   */
  take(code: string, about: string, now: number): boolean {
    const window = this.#window(code, about, now);
    if (window.told < this.#options.each && this.#secondHasRoom(now)) {
      window.told++;
      return true;
    }
    window.silent++;
    this.suppressed++;
    return false;
  }

  /** What was not told in windows that are over; these are forgotten. To be called now and then. */
  sweep(now: number): Suppressed[] {
    const over: Suppressed[] = [];
    for (const [key, { code, about, until, silent }] of this.#windows) {
      if (now < until) continue;
      this.#windows.delete(key);
      if (silent > 0) over.push({ code, about, count: silent });
    }
    return over;
  }

  /** One that is over counts on until it is swept: its number must not get lost. */
  #window(code: string, about: string, now: number): Window {
    const key = `${code} ${networkKey(about)}`;
    const found = this.#windows.get(key);
    if (found !== undefined) return found;
    if (this.#windows.size >= this.#options.windows && about !== '') return this.#window(code, '', now);
    const made = { code, about, until: now + this.#options.windowMs, told: 0, silent: 0 };
    this.#windows.set(key, made);
    return made;
  }

  #secondHasRoom(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    return this.#inSecond++ < this.#options.perSecond;
  }
}

/** Of IPv6 the /64, which is what one customer has: else an attacker would have more budgets than anyone could count. */
function networkKey(about: string): string {
  if (!about.includes(':')) return about;
  const [head, tail] = about.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? 0 : tail.split(':').length;
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after);
  return [...before, ...Array.from({ length: zeros }, () => '0')].slice(0, 4).join(':');
}
