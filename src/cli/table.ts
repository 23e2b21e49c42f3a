/** How a cell is painted once its width is known; colours must not count as width. */
export type PaintCell = (text: string, column: number, header: boolean) => string;

/**
 * Lines up rows under their headers, two spaces between columns. Columns in which every cell is empty are left out.
 */
export function formatTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  paint: PaintCell = (text) => text,
): string {
  const columns = headers.map((_, i) => i).filter((i) => rows.length === 0 || rows.some((row) => row[i] !== ''));
  const widths = new Map(columns.map((i) => [i, Math.max(width(headers[i]), ...rows.map((row) => width(row[i])))]));
  const line = (cells: readonly string[], header: boolean) =>
    columns
      .map((i, position) => {
        const fill = position === columns.length - 1 ? '' : ' '.repeat((widths.get(i) ?? 0) - width(cells[i]));
        return paint(cells[i], i, header) + fill;
      })
      .join('  ')
      .trimEnd();
  return [line(headers, true), ...rows.map((row) => line(row, false))].map((text) => `${text}\n`).join('');
}

const segmenter = new Intl.Segmenter();
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

/** Columns that a text takes on a terminal. */
export function width(text: string): number {
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += WIDE.test(segment) ? 2 : 1;
  return columns;
}
