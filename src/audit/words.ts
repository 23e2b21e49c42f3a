/** `1 route`, `3 routes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** Milliseconds as the configuration would say them. */
export function span(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** The first few of a list. */
export function someOf(texts: readonly string[], most = 3): string {
  return texts.slice(0, most).join(', ') + (texts.length > most ? `, and ${texts.length - most} more` : '');
}
