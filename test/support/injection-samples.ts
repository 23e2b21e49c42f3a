import { existsSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../../shared/injection/', import.meta.url);

export type SampleKind = 'sqli' | 'xss' | 'benign';

/** Why there are no samples; false: there are. */
export const samplesMissing: string | false = existsSync(FOLDER) ? false : 'needs ../shared/injection, which is not here';

/** The labelled samples as the application would see them: URL-decoded where they hold `%` or `+`. */
export function samplesOf(kind: SampleKind): string[] {
  const lines = readFileSync(new URL(`${kind}.txt`, FOLDER), 'latin1').split('\n');
  return lines.filter((line) => line !== '').map(decoded);
}

function decoded(line: string): string {
  return line.replaceAll('+', ' ').replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Which half a sample is in, by its bytes: 0 is looked at while the detectors are made, 1 only counted. */
export function halfOf(sample: string): 0 | 1 {
  let hash = 0;
  for (let i = 0; i < sample.length; i++) hash = (Math.imul(hash, 33) + sample.charCodeAt(i)) | 0;
  return ((hash >>> 7) & 1) === 0 ? 0 : 1;
}
