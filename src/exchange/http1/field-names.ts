/** How many different spellings of names are remembered: real traffic has some dozen, an attacker gets no more than this. */
const MOST_NAMES = 4096;

/** Longer names are never remembered, so that the memory of a full table is bounded too. */
const LONGEST_NAME = 64;

const known = new Map<string, string>();

/**
 * The lower-case form of a field name that is a token. Remembered, so that the usual names cost one look-up and are the
 * same string object everywhere.
 */
export function lowerCaseName(name: string): string {
  return known.get(name) ?? learn(name);
}

function learn(name: string): string {
  const lower = name.toLowerCase();
  if (name.length > LONGEST_NAME || known.size >= MOST_NAMES) return lower;
  // A slice keeps the whole head alive that it was cut from; the table must hold copies of its own.
  const copy = Buffer.from(lower, 'latin1').toString('latin1');
  known.set(Buffer.from(name, 'latin1').toString('latin1'), copy);
  return copy;
}
