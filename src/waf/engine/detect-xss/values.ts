import { byteAt } from '../detect-sqli/bytes.ts';
/** How much of an attribute's value is looked at: behind leading blanks and written in entities a scheme still fits in. */
const LOOK = 512;

const SCHEMES: readonly string[] = [
  'javascript:',
  'vbscript:',
  'livescript:',
  'view-source:',
  'mhtml:',
  'vbs:',
  'ecmascript:',
  'mocha:',
];
const LONGEST = 64;

/** What runs script, loads, or covers the page from within a style; looked for in lower case without blanks. */
const STYLES: readonly string[] =
  'expression( url( behavior behaviour binding javascript vbscript @import -o-link position: filter: progid \\'.split(' ');

/** Whether a browser that follows this value runs it. Entities are decoded, blanks and controls dropped, as browsers do. */
export function isActiveUrl(text: string, start: number, stop: number): boolean {
  if (!mayBeScheme(text, start, stop)) return false;
  const plain = decode(text, start, Math.min(stop, start + LOOK), LONGEST);
  if (SCHEMES.some((scheme) => plain.startsWith(scheme))) return true;
  return plain.startsWith('data:') && !isPlainData(plain);
}

/** Quickly: most values are paths and names. Schemes begin with one of these letters, or are hidden. */
function mayBeScheme(text: string, start: number, stop: number): boolean {
  if (stop - start < 4) return false;
  const byte = byteAt(text, start);
  const letter = byte | 0x20;
  return (
    !(letter >= 0x61 && letter <= 0x7a) ||
    letter === 0x6a ||
    letter === 0x76 ||
    letter === 0x64 ||
    letter === 0x6d ||
    letter === 0x6c ||
    letter === 0x65
  );
}

/** Pictures and sounds that hold no markup. */
function isPlainData(plain: string): boolean {
  const type = plain.slice(5);
  return (type.startsWith('image/') && !type.startsWith('image/svg')) || type.startsWith('audio/') || type.startsWith('font/');
}

/** Whether a style does more than look: it may run script, load, or cover the page. */
export function isActiveStyle(text: string, start: number, stop: number): boolean {
  // A comment hides words; an entity breaks out of a string.
  if (holdsPair(text, start, stop, 0x2f, 0x2a) || holdsPair(text, start, stop, 0x26, 0x23)) return true;
  for (let at = start; at < stop; at += LOOK) {
    // Pieces overlap by what the longest word takes when it is written in entities.
    const plain = decode(text, at, Math.min(stop, at + LOOK + 128), LOOK + 128);
    if (STYLES.some((word) => plain.includes(word))) return true;
  }
  return false;
}

/** Whether two bytes stand side by side. */
function holdsPair(text: string, start: number, stop: number, first: number, second: number): boolean {
  for (let i = start; i + 1 < stop; i++) if (byteAt(text, i) === first && byteAt(text, i + 1) === second) return true;
  return false;
}

/** Lower case; entities decoded; controls, blanks and a lead of bytes above ASCII dropped. At most `most` bytes. */
function decode(text: string, start: number, stop: number, most: number): string {
  let out = '';
  for (let i = start; i < stop && out.length < most; ) {
    const byte = byteAt(text, i);
    if (byte !== 0x26) {
      i++;
      if (byte > 0x20 && (byte < 0x7f || out !== ''))
        out += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
      continue;
    }
    const [code, next] = entity(text, i, stop);
    i = next;
    if (code > 0x20 && code < 0x7f) out += String.fromCharCode(code).toLowerCase();
  }
  return out;
}

const NAMED: readonly (readonly [name: string, code: number])[] = [
  ['tab', 9],
  ['newline', 10],
  ['colon', 0x3a],
  ['lpar', 0x28],
  ['rpar', 0x29],
  ['sol', 0x2f],
  ['bsol', 0x5c],
  ['amp', 0x26],
  ['quot', 0x22],
  ['apos', 0x27],
  ['lt', 0x3c],
  ['gt', 0x3e],
];

/** The code of an entity at `at`, and where the text goes on. */
function entity(text: string, at: number, stop: number): readonly [code: number, next: number] {
  if (byteAt(text, at + 1) === 0x23) return numeric(text, at + 2, stop);
  const first = byteAt(text, at + 1) | 0x20;
  for (const [name, code] of NAMED) {
    if (name.charCodeAt(0) !== first || text.slice(at + 1, at + 1 + name.length).toLowerCase() !== name) continue;
    const next = at + 1 + name.length;
    return [code, byteAt(text, next) === 0x3b ? next + 1 : next];
  }
  return [0x26, at + 1];
}

/** Browsers take any number of zeros, and need no semicolon. */
function numeric(text: string, from: number, stop: number): readonly [code: number, next: number] {
  const hex = (byteAt(text, from) | 0x20) === 0x78;
  let at = hex ? from + 1 : from;
  let code = 0;
  for (; at < stop; at++) {
    const digit = digitOf(byteAt(text, at), hex);
    if (digit === -1) break;
    code = Math.min(code * (hex ? 16 : 10) + digit, 0x110000);
  }
  return [code, byteAt(text, at) === 0x3b ? at + 1 : at];
}

function digitOf(byte: number, hex: boolean): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return hex && letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
