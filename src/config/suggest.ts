/** Longer words are typed by nobody; the bound keeps the cost of a hostile file small. */
const LONGEST = 64;

/** Fewer letters begin too much. */
const SHORTEST_BEGINNING = 4;

/**
 * The nearest of `candidates` to what was written, or undefined when none is near: at most a third of the longer word
 * may differ, counted in insertions, deletions, substitutions and swaps of neighbours. Where none is, the one that it begins.
 */
export function nearest(written: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  if (written.length > LONGEST) return undefined;
  for (const candidate of candidates) {
    const allowed = Math.floor(Math.max(written.length, candidate.length) / 3);
    if (Math.abs(written.length - candidate.length) > allowed) continue;
    const distance = editDistance(written.toLowerCase(), candidate.toLowerCase());
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? beginning(written.toLowerCase(), candidates);
}

/** The one candidate that a shortened word begins, such as `cert` for `certificate`. */
function beginning(written: string, candidates: readonly string[]): string | undefined {
  if (written.length < SHORTEST_BEGINNING) return undefined;
  const found = new Set(candidates.filter((candidate) => candidate.toLowerCase().startsWith(written)));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Damerau–Levenshtein distance in its restricted form: no part of a word is edited twice. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, substitution);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}
