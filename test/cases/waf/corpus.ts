import { placed, type Sent } from './place.ts';
import { type Folder, hashOf, readSamples, type Sample } from './read-cases.ts';

export interface CorpusCase {
  readonly sample: Sample;
  readonly place: string;
  readonly sent: Sent;
}

/** In how many places a text is tried: more of the harmless ones, because each place has its own ways to be mistaken. */
const PLACES_EACH = { attacks: 2, benign: 4, doubtful: 4 };

/** The whole corpus as requests: the same ones on every machine. */
export function corpus(folder: Folder): CorpusCase[] {
  return readSamples(folder).flatMap((sample) => casesOf(sample, folder));
}

function casesOf(sample: Sample, folder: Folder): CorpusCase[] {
  const { text, places } = sample;
  const first = hashOf(text) >>> 8;
  const cases: CorpusCase[] = [];
  for (let i = 0; i < places.length && cases.length < PLACES_EACH[folder]; i++) {
    const place = places[(first + i) % places.length];
    const sent = placed(text, place, folder === 'attacks');
    if (sent !== undefined) cases.push({ sample, place, sent });
  }
  return cases;
}
