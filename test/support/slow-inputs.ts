import type { Requirement } from '../../src/waf/engine/fast/requirement.ts';
import type { Program } from '../../src/waf/engine/program/program.ts';
import type { Random } from './random.ts';
import { type Sent, toldOf } from './waf-requests.ts';
import type { Told } from './waf-twin.ts';

/** Texts that, repeated, may be dear: what rules look for, what almost is that, and what parsers and decoders have to undo. */

const DECODERS = [
  '%',
  '%25',
  '%u0041',
  '%c0%ae',
  '%%2541',
  '&#x41;',
  '&#',
  '&amp;',
  '&lt',
  '\\',
  '\\\\',
  '\\x41',
  '\\u{41}',
  '\\0',
  '0x41',
  '+',
  'AAAA',
  'PHNj',
  '=',
  '\0',
  '\xff',
  '\xc3\xa9',
  '\xe2\x82\xac',
  '\x0b',
  '\t',
  '\n',
  '\r\n',
  ' ',
  '  ',
  '/*',
  '*/',
  '/**/',
  '--',
  '-- ',
  '#',
  '//',
  './',
  '../',
  '/./',
  '..\\',
  ';',
  "'",
  '"',
  '`',
  "''",
  '""',
  "\\'",
  '(',
  ')',
  '()',
  '((',
  '{',
  '}',
  '{{',
  '${',
  '$(',
  '<',
  '>',
  '<!',
  '<!--',
  '-->',
  '<a ',
  '<a b=',
  '</',
  '<?',
  ']]>',
  '<![CDATA[',
  '=',
  '==',
  '||',
  '&&',
  '|',
  '&',
  ',',
  ':',
  '://',
  '@',
  '1',
  '0',
  'a',
  'A',
  'e',
  '1e',
  '.',
  '1.',
  '^',
  '~',
  '!',
  '?',
  '*',
  '[',
  ']',
  '[[',
  '\x85',
  '\xa0',
];

const PHRASES = [
  "' or ",
  "' and '1'='1",
  'union select ',
  'select(',
  '1=1 ',
  "''='' ",
  'on=',
  'onx=',
  ' style=',
  'javascript:',
  'data:',
  '<svg/',
  'src=',
  'http://',
  'file://',
  'cat /',
  '$IFS',
  'a=b&',
  'a;b',
  'sleep(',
  'eval(',
  'base64,',
  'class.',
  '__proto__',
  'process.',
  'require(',
  '.exe ',
  'cmd /c ',
  'e.g. ',
  "it's ",
  'the ',
  'x.y.z.',
  'a-b-',
  'a_b_',
  '12345 ',
  'GET / HTTP/1.1\r\n',
  'Content-Type: ',
  'Set-Cookie: ',
];

/** Of these, inputs are made: repeated, mixed, nested. */
export function unitsOf(program: Program): string[] {
  const units = new Set([...DECODERS, ...PHRASES]);
  for (const { rules } of program.phases) {
    for (const { links } of rules) {
      for (const { operator, definition } of links) {
        if (operator?.requirement !== undefined) literalsOf(operator.requirement, units);
        for (const piece of fragments(definition.operator?.argument.text ?? '')) units.add(piece);
      }
    }
  }
  return [...units];
}

function literalsOf(requirement: Requirement, found: Set<string>): void {
  if (requirement.kind === 'literal') found.add(requirement.text);
  else if (requirement.kind === 'all' || requirement.kind === 'any') for (const one of requirement.of) literalsOf(one, found);
}

/** Words of a pattern with what stands around them: often the beginning of a match that never ends. */
function fragments(pattern: string): string[] {
  const plain = pattern
    .replace(/\\[sSbBwWdD]/g, ' ')
    .replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return (plain.replace(/[?*+|()[\]{}^$\\]/g, '\u0000').match(/[^\u0000]{2,12}/g) ?? []).slice(0, 40);
}

/** One input of about so many bytes: how it is put together, and where it stands in a request. */
export interface SlowInput {
  readonly text: string;
  readonly shape: number;
}

export function randomText(random: Random, units: readonly string[], length: number): string {
  const count = 1 + random.below(4);
  const chosen = Array.from({ length: count }, () => random.pick(units));
  if (random.chance(0.15)) return repeat(`${chosen.join('')}${String.fromCharCode(random.below(256))}`, length);
  if (random.chance(0.15)) return chosen[0] + repeat(chosen.slice(1).join('') || 'a', length);
  if (random.chance(0.15)) return repeat(chosen.join(''), length) + random.pick(units);
  if (random.chance(0.1)) return mixed(random, chosen, length);
  if (random.chance(0.1)) return mixed(random, units, length);
  return repeat(chosen.join(random.pick(['', '', ' ', '=', "'", '/'])), length);
}

function repeat(unit: string, length: number): string {
  return unit.repeat(Math.ceil(length / Math.max(1, unit.length))).slice(0, length);
}

function mixed(random: Random, units: readonly string[], length: number): string {
  let text = '';
  while (text.length < length) text += random.pick(units);
  return text.slice(0, length);
}

type Shape = (text: string) => Sent;

const HEADERS = ['host', 'localhost', 'user-agent', 'Mozilla/5.0', 'accept', '*/*'];
const post = (type: string, body: string): Sent => ({ method: 'POST', headers: [...HEADERS, 'content-type', type], body });
/** Units are bytes, JSON is text: what is above ASCII comes as UTF-8, or the body would be refused unread. */
const json = (value: unknown) => post('application/json', Buffer.from(JSON.stringify(value), 'utf8').toString('latin1'));
const escaped = (text: string) => text.replace(/[^A-Za-z0-9_.~-]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
const pieces = (text: string, size: number) => text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
const oneLine = (text: string) => text.replace(/[\0\r\n]/g, ' ').trim();
/** What a head may hold: the bounds of listeners. */
const HEAD = 8000;

/** Ways of putting a text into a request. */
export const SHAPES: readonly (readonly [name: string, make: Shape])[] = [
  ['JSON, one value', (text) => json({ a: text })],
  ['JSON, values of 8', (text) => json(pieces(text, 8))],
  ['JSON, values of 60', (text) => json(pieces(text, 60))],
  ['JSON, values of 600', (text) => json(pieces(text, 600))],
  ['JSON, names of 24', (text) => json(Object.fromEntries(pieces(text, 24).map((name, i) => [`${i}${name}`, i])))],
  ['JSON, other words each', (text) => json(pieces(text, 40).map((piece, i) => otherWord(piece, i)))],
  ['JSON, other words twice', (text) => json([0, 1].flatMap(() => pieces(text.slice(0, text.length / 2), 40).map(otherWord)))],
  ['form, one value', (text) => post('application/x-www-form-urlencoded', `a=${escaped(text)}`)],
  ['form, as it is', (text) => post('application/x-www-form-urlencoded', text)],
  [
    'form, values of 12',
    (text) =>
      post(
        'application/x-www-form-urlencoded',
        pieces(text, 12)
          .map((piece, i) => `a${i}=${escaped(piece)}`)
          .join('&'),
      ),
  ],
  ['XML, one text', (text) => post('text/xml', `<a>${text.replace(/[^ -;=-~]/g, '')}</a>`)],
  [
    'XML, attributes',
    (text) =>
      post(
        'text/xml',
        `<a>${pieces(text.replace(/[^ !#-%'-;=?-~]/g, ''), 40)
          .map((piece) => `<b c="${piece}"/>`)
          .join('')}</a>`,
      ),
  ],
  ['XML, as it is', (text) => post('text/xml', text)],
  [
    'multipart, one field',
    (text) =>
      post('multipart/form-data; boundary=xx', `--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\n${text}\r\n--xx--\r\n`),
  ],
  [
    'multipart, file name',
    (text) =>
      post(
        'multipart/form-data; boundary=xx',
        `--xx\r\nContent-Disposition: form-data; name="a"; filename="${oneLine(text).replaceAll('"', "'")}"\r\n\r\nx\r\n--xx--\r\n`,
      ),
  ],
  ['multipart, as it is', (text) => post('multipart/form-data; boundary=xx', `--xx\r\n${text}`)],
  ['text', (text) => post('text/plain', text)],
  ['query, one value', (text) => ({ target: `/?a=${escaped(text).slice(0, HEAD)}`, headers: HEADERS })],
  ['query, as it is', (text) => ({ target: `/?${text.replace(/[^!-~]/g, '+').slice(0, HEAD)}`, headers: HEADERS })],
  ['path', (text) => ({ target: `/${escaped(text).slice(0, HEAD)}`, headers: HEADERS })],
  ['cookie', (text) => ({ headers: [...HEADERS, 'cookie', oneLine(text).slice(0, HEAD)] })],
  ['header', (text) => ({ headers: [...HEADERS, 'referer', oneLine(text).slice(0, HEAD)] })],
  [
    'headers, many',
    (text) => ({
      headers: [...HEADERS, ...pieces(oneLine(text).slice(0, HEAD), 90).flatMap((piece, i) => [`x-${i}`, piece.trim()])],
    }),
  ],
];

/** Another set of kinds of bytes in each piece: no plan for one serves the next. */
function otherWord(piece: string, i: number): string {
  const marks = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ \t';
  let text = piece;
  for (let bit = 0; bit < 12; bit++) if (((i * 2654435761) >>> bit) & 1) text += marks[(bit * 7 + i) % marks.length];
  return text;
}

export function slowRequest({ text, shape }: SlowInput): { told: Told; bytes: number } {
  const sent = SHAPES[shape][1](text);
  const bytes = (sent.target ?? '').length + (sent.headers ?? []).join('').length + (sent.body ?? '').length;
  return { told: toldOf(sent), bytes };
}
