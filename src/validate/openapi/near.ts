/** The known name that a misspelt one is nearest to, at most two letters away. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = name.length > 4 ? 3 : 2;
  for (const one of known) {
    if (Math.abs(one.length - name.length) >= least) continue;
    const away = distance(name, one);
    if (away >= least) continue;
    least = away;
    best = one;
  }
  return best;
}

/** Letters to change, add or leave out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1].toLowerCase() !== b[j - 1].toLowerCase())));
    row = next;
  }
  return row[b.length];
}
