import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Clock } from '../pipeline/stage.ts';
import type { Rule } from './rule.ts';

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

const DAY_MINUTES = 24 * 60;

/** One entry of `time`; the minutes are those of the day in the zone. */
export interface WindowOptions {
  readonly days: readonly Day[];
  /** The first minute that is in. */
  readonly from: number;
  /** The first minute that is out; at most 1440. Not behind `from`: the window ends on the next day. */
  readonly to: number;
  readonly zone: string;
}

/** `08:30` → 510; `24:00` is the end of a day. */
export function parseTime(text: string): number | undefined {
  const match = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text);
  const minutes = match === null ? Number.NaN : Number(match[1]) * 60 + Number(match[2]);
  return minutes <= DAY_MINUTES ? minutes : undefined;
}

/** True for a name of the IANA time zone database that this system knows. An offset such as `+01:00` is none: it has no summer. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new WallClock(name).at(0);
    return true;
  } catch {
    return false;
  }
}

/** `time`: one of the windows is open. */
export class Time implements Rule {
  readonly #windows: readonly Window[];
  readonly #clock: Clock;
  readonly #closed: Refusal;

  constructor(windows: readonly WindowOptions[], clock: Clock) {
    this.#windows = windows.map((options) => new Window(options));
    this.#clock = clock;
    this.#closed = refuse('outside-hours', 'no window of `time` is open');
  }

  check(): Refusal | undefined {
    const now = this.#clock.now();
    for (const window of this.#windows) if (window.isOpen(now)) return undefined;
    return this.#closed;
  }
}

class Window {
  readonly #days: readonly boolean[];
  readonly #from: number;
  readonly #to: number;
  readonly #overnight: boolean;
  readonly #wall: WallClock;

  constructor({ days, from, to, zone }: WindowOptions) {
    this.#days = DAYS.map((day) => days.includes(day));
    this.#from = from;
    this.#to = to;
    this.#overnight = to <= from;
    this.#wall = new WallClock(zone);
  }

  isOpen(now: number): boolean {
    const { day, minute } = this.#wall.at(now);
    if (!this.#overnight) return this.#days[day] && minute >= this.#from && minute < this.#to;
    // Behind midnight it is still the window of the day before.
    return minute >= this.#from ? this.#days[day] : minute < this.#to && this.#days[(day + 6) % 7];
  }
}

/** Offsets of zones are whole quarters of an hour and change at one: within a quarter only minutes have to be counted. */
const QUARTER_MS = 15 * 60_000;

/** Day of the week (0 = Monday) and minute of the day in a zone. */
class WallClock {
  readonly #format: Intl.DateTimeFormat;
  #quarter = Number.NaN;
  #start = { day: 0, minute: 0 };

  constructor(timeZone: string) {
    const options = { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    this.#format = new Intl.DateTimeFormat('en-US', options);
  }

  at(now: number): { day: number; minute: number } {
    const quarter = Math.floor(now / QUARTER_MS);
    if (quarter !== this.#quarter) this.#read(quarter);
    const { day, minute } = this.#start;
    return { day, minute: minute + Math.floor((now - quarter * QUARTER_MS) / 60_000) };
  }

  #read(quarter: number): void {
    const parts = new Map(this.#format.formatToParts(quarter * QUARTER_MS).map(({ type, value }) => [type, value]));
    const day = DAYS.indexOf(parts.get('weekday')?.toLowerCase() as Day);
    this.#start = { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
    this.#quarter = quarter;
  }
}
