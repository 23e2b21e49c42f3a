import { byteAt } from '../detect-sqli/bytes.ts';
import { addByte, HASH_SEED, WordTable } from '../detect-sqli/word-table.ts';

/** Runs script, or draws what does, as it stands. */
export const ACTIVE = 1;
/** The same with attributes only: `List<Object>` and "put the <link> here" are prose. */
export const ACTIVE_WITH_ATTRIBUTES = 2;

/** Its value is text that no browser follows or runs. */
export const TEXTUAL = 1;
/** Binds data or foreign markup, whatever its value. */
export const BINDING = 2;
export const STYLE = 3;

const TAGS = table([
  [
    ACTIVE,
    'script iframe frameset svg applet embed style vmlframe xss vbscript layer ilayer isindex bgsound plaintext portal noembed',
  ],
  [ACTIVE, 'event-source foreignobject xsl:stylesheet stylesheet scriptlet ecmascript htmlfile noscript'],
  [ACTIVE_WITH_ATTRIBUTES, 'object link base meta param set comment xml frame import handler listener animate animation math'],
  [ACTIVE_WITH_ATTRIBUTES, 'animatecolor animatetransform animatemotion use template discard feimage image media-source'],
]);

const ATTRIBUTES = table([
  [TEXTUAL, 'title alt value placeholder name id class label summary content lang dir rel type width height border target'],
  [TEXTUAL, 'aria-label data-title data-text'],
  [BINDING, 'srcdoc datasrc datafld dataformatas xmlns xlink attributename fscommand seeksegmenttime handler formaction'],
  [STYLE, 'style'],
]);

/** How events' names go on behind `on`. */
const EVENTS =
  'abort activate after animation append auxclick autocomplete before begin blur bounce cancel canplay cell change click close color ' +
  'contextmenu contentready contentsave controlselect copy cuechange cut dataavailable datasetchanged dblclick deactivate devicemotion ' +
  'deviceorientation drag drop durationchange emptied end error filterchange finish focus form fullscreen gesture gotpointer hashchange ' +
  'help input invalid key languagechange layoutcomplete load loose losecapture lostpointer media message mouse move outofsync page paste ' +
  'pause play pointer popstate popup progress propertychange ratechange readystate rejection repeat reset resize resume reverse row ' +
  'scroll search seek select show slotchange stalled start stop storage submit suspend syncrestored time toggle touch track transition ' +
  'unhandled unload urlflip volumechange waiting webkit wheel zoom';

/** By the third letter, so that a name is compared with a few. */
const EVENTS_BY_LETTER: readonly (readonly string[])[] = Array.from({ length: 26 }, (_, letter) =>
  EVENTS.split(' ').filter((event) => event.charCodeAt(0) - 0x61 === letter),
);

function table(groups: readonly (readonly [kind: number, words: string])[]): WordTable {
  return new WordTable(new Map(groups.flatMap(([kind, list]) => list.split(' ').map((word) => [word, kind] as const))));
}

/** What a tag of this name does; 0: nothing of itself. A prefix (`x:script`) does not hide it. */
export function tagKind(text: string, start: number, stop: number): number {
  const kind = find(TAGS, text, start, stop);
  return kind !== 0 ? kind : find(TAGS, text, afterPrefix(text, start, stop), stop);
}

/** What an attribute of this name does; 0: what its value says. */
export function attributeKind(text: string, start: number, stop: number): number {
  const from = afterPrefix(text, start, stop);
  const kind = find(ATTRIBUTES, text, from, stop);
  if (kind !== 0 || from === start) return kind;
  return find(ATTRIBUTES, text, start, from - 1) === BINDING ? BINDING : 0;
}

/** `on` and letters. @param known Only what browsers know: in prose other words begin so ("one=", "only="). */
export function isEvent(text: string, start: number, stop: number, known: boolean): boolean {
  const from = afterPrefix(text, start, stop);
  if (stop - from < 5 || (byteAt(text, from) | 0x20) !== 0x6f || (byteAt(text, from + 1) | 0x20) !== 0x6e) return false;
  for (let i = from + 2; i < stop; i++) if (!isLetter(byteAt(text, i))) return false;
  return !known || isKnownEvent(text, from + 2, stop);
}

function isKnownEvent(text: string, from: number, stop: number): boolean {
  for (const event of EVENTS_BY_LETTER[(byteAt(text, from) | 0x20) - 0x61]) if (beginsWith(text, from, stop, event)) return true;
  return false;
}

function beginsWith(text: string, from: number, stop: number, word: string): boolean {
  if (stop - from < word.length) return false;
  for (let i = 1; i < word.length; i++) if ((byteAt(text, from + i) | 0x20) !== byteAt(word, i)) return false;
  return true;
}

/** Names of more than 40 bytes are nobody's. */
function find(words: WordTable, text: string, start: number, stop: number): number {
  if (stop - start > 40) return 0;
  let hash = HASH_SEED;
  for (let i = start; i < stop; i++) hash = addByte(hash, byteAt(text, i));
  return words.find(text, start, stop, hash);
}

function afterPrefix(text: string, start: number, stop: number): number {
  const last = Math.max(start, stop - 40);
  for (let i = stop - 1; i >= last; i--) if (byteAt(text, i) === 0x3a) return i + 1;
  return start;
}

export function isLetter(byte: number): boolean {
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x7a;
}
