/**
 * Metrics as plain data, how those of several processes become one, and the text that Prometheus reads (exposition format
 * 0.0.4).
 */

export interface MetricsSnapshot {
  readonly families: readonly Family[];
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** How the values of several processes become one; `sum` when left out. */
  readonly merge?: 'sum' | 'max' | 'min';
  /** Upper bounds of a histogram's buckets, in seconds; +Inf comes by itself. */
  readonly bounds?: readonly number[];
  readonly series: readonly Series[];
}

export interface Series {
  readonly labels: Record<string, string>;
  /** Of a histogram: the sum of all observations. */
  readonly value: number;
  /** Of a histogram: observations per bucket, not cumulative, the one above all bounds last. */
  readonly buckets?: readonly number[];
}

/** Content type of what `render` makes. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * One snapshot out of those of several processes. Counters must not fall when a worker dies: whoever collects keeps the
 * last snapshot of each dead worker in the list, reduced by `countersOf`.
 */
export function mergeSnapshots(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const families = new Map<string, { family: Family; series: Map<string, Series> }>();
  for (const family of snapshots.flatMap((snapshot) => snapshot.families)) {
    let merged = families.get(family.name);
    if (merged === undefined) families.set(family.name, (merged = { family, series: new Map() }));
    for (const series of family.series) {
      const key = labelText(series.labels);
      const found = merged.series.get(key);
      merged.series.set(key, found === undefined ? series : mergeSeries(found, series, family.merge ?? 'sum'));
    }
  }
  return { families: [...families.values()].map(({ family, series }) => ({ ...family, series: [...series.values()] })) };
}

/** What stays true of a process that is gone: its counters and histograms. */
export function countersOf(snapshot: MetricsSnapshot): MetricsSnapshot {
  return { families: snapshot.families.filter((family) => family.type !== 'gauge') };
}

function mergeSeries(a: Series, b: Series, how: 'sum' | 'max' | 'min'): Series {
  const value = how === 'sum' ? a.value + b.value : how === 'max' ? Math.max(a.value, b.value) : Math.min(a.value, b.value);
  if (a.buckets === undefined) return { labels: a.labels, value };
  return { labels: a.labels, value, buckets: a.buckets.map((count, i) => count + (b.buckets?.[i] ?? 0)) };
}

/** The text of a snapshot. */
export function render(snapshot: MetricsSnapshot): string {
  let text = '';
  for (const family of snapshot.families) {
    text += `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`;
    for (const series of family.series)
      text += family.bounds === undefined ? line(family.name, series) : histogramLines(family, series);
  }
  return text;
}

function line(name: string, series: Series): string {
  const labels = labelText(series.labels);
  return `${name}${labels === '' ? '' : `{${labels}}`} ${number(series.value)}\n`;
}

function histogramLines(family: Family, series: Series): string {
  const bounds = family.bounds ?? [];
  const labels = labelText(series.labels);
  const separator = labels === '' ? '' : ',';
  let text = '';
  let below = 0;
  (series.buckets ?? []).forEach((count, i) => {
    below += count;
    text += `${family.name}_bucket{${labels}${separator}le="${i < bounds.length ? number(bounds[i]) : '+Inf'}"} ${below}\n`;
  });
  const braces = labels === '' ? '' : `{${labels}}`;
  return `${text}${family.name}_sum${braces} ${number(series.value)}\n${family.name}_count${braces} ${below}\n`;
}

function labelText(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',');
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
