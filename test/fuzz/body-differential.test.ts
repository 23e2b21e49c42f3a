/**
 * Bodies and content types, made from the pieces of which they are made and broken in a few spots: what the gateway reads without a flag,
 * the parsers of Node and Python read alike, or not at all.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { readBody } from '../../src/exchange/body/body.ts';
import { DEFAULT_BOUNDS } from '../../src/exchange/body/parsed.ts';
import { refuseUnreadable } from '../../src/exchange/body/readable.ts';
import { Random } from '../support/random.ts';
import { canonical, valueOf } from '../support/readings.ts';
import { readWithNode, readWithPython } from '../support/standard-readers.ts';

const python = spawnSync('python3', ['--version']).status === 0;
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const BODIES = Number(process.env.BODIES ?? 20_000);

const B = 'x-42';
/** What parsers trip over. */
const SPLINTERS = [
  '\r\n', '\n', '\r', ' ', '\t', '\0', '\x0b', '\x0c', '\x1c', '\x85', '\xa0', '\xe9', '\xc3\xa9', '\xef\xbb\xbf', '\xe2\x80\xa8', '"', "'", '\\', ';', ',', ':', '=', '&', '+', '?',
  '%', '%00', '%41', '%zz', '%C3', '%22', '%0D%0A', '--', '-', '*', '(x)', '<a>', '[]', '[a]', '.', '/', '\\"', '=?utf-8?Q?b?=', '\x7f', '\x01', 'a', '0', '__proto__',
  `--${B}`, `--${B}--`, `\r\n--${B}`, `\r\n--${B}--\r\n`, `\r\n\r\n`,
  'name="b"', '; name=c', '; filename="f"', "; filename*=utf-8''g", '; charset=utf-7', '; charset="utf-8"', 'Content-Type: text/html\r\n', 'Content-Type: message/http\r\n',
  'Content-Type: multipart/mixed; boundary=y\r\n', 'Content-Transfer-Encoding: base64\r\n', 'Content-Length: 1\r\n', 'Content-Disposition: form-data; name="d"\r\n', 'From x\r\n', 'From: x\r\n', ' folded\r\n',
  '; boundary=y', "; boundary*=''y", '; boundary*0=y', 'utf-8', 'form-data', 'text/plain',
]; // biome-ignore format: pieces

const PARTS = [
  'Content-Disposition: form-data; name="a"\r\n\r\n1\r\n',
  'Content-Disposition: form-data; name="b"; filename="f.txt"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nx\r\ny\r\n',
  'content-type: application/octet-stream\r\ncontent-disposition: form-data; filename="g"; name="c"\r\n\r\n\xff\0\r\n',
  'Content-Disposition: form-data; name="\xc3\xa9"\r\nX-Other: y\r\n\r\n\r\n',
  'Content-Disposition: form-data; name="m"\r\nContent-Type: application/json\r\n\r\n{"a":1}\r\n',
];
const FIELDS = ['a=1', 'b=2&b=3', 'c', 'd=', '=e', '%66=%C3%A9', 'g+h=+i', 'j[k]=l', 'm.n=\xc3\xa9', 'o=p%3Bq'];

function broken(random: Random, text: string): string {
  let made = text;
  for (let i = random.below(3); i > 0; i -= 1) {
    const at = random.below(made.length + 1);
    const cut = random.chance(0.4) ? random.below(4) : 0;
    made = made.slice(0, at) + (random.chance(0.85) ? random.pick(SPLINTERS) : '') + made.slice(at + cut);
  }
  return made;
}

function some(random: Random, list: readonly string[]): string[] {
  return Array.from({ length: 1 + random.below(3) }, () => random.pick(list));
}

function make(random: Random): [type: string, body: string] {
  const kind = random.below(10);
  if (kind < 6) {
    const body = `${some(random, PARTS)
      .map((part) => `--${B}\r\n${part}`)
      .join('')}--${B}--\r\n`;
    const type = `multipart/form-data; boundary=${B}`;
    return [random.chance(0.2) ? broken(random, type) : type, broken(random, body)];
  }
  const isForm = kind < 9;
  const type = isForm
    ? 'application/x-www-form-urlencoded'
    : random.pick(['text/plain', 'text/html; charset=utf-8', 'application/json']);
  const body = isForm ? some(random, FIELDS).join('&') : random.pick(['{"a":[1,"b"]}', 'text \xc3\xa9', '"x"']);
  return [random.chance(0.2) ? broken(random, type) : type, broken(random, body)];
}

/** In a header these cannot stand. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const NO_VALUE = /[\x00-\x08\x0a-\x1f\x7f]|^\s|\s$/;

const random = new Random(SEED);
const read = Array.from({ length: BODIES }, () => make(random))
  .filter(([type]) => !NO_VALUE.test(type) && refuseUnreadable(['content-type', type]) === undefined)
  .map(([type, text]) => {
    const body = Buffer.from(text, 'latin1');
    return { type, body, parsed: readBody(body, type, DEFAULT_BOUNDS) };
  })
  .filter(({ parsed }) => parsed.flags.length === 0);

function compare(one: (typeof read)[number], kind: string, readings: Readonly<Record<string, unknown>>): number {
  const { type, body, parsed } = one;
  const shown = `SEED=${SEED} ${JSON.stringify(type)} ${JSON.stringify(body.toString('latin1'))}`;
  assert.equal(kind, parsed.kind, shown);
  let deaf = 0;
  for (const [parser, reading] of Object.entries(readings)) {
    if (reading === null) deaf += 1;
    else assert.deepEqual(canonical(kind, reading), canonical(kind, valueOf(parsed, body)), `${parser} ${shown}`);
  }
  return deaf;
}

describe('what has one reading for the gateway', () => {
  test('is a good part of what was made, of every kind', () => {
    for (const kind of ['multipart', 'form', 'text', 'json']) {
      const count = read.filter(({ parsed }) => parsed.kind === kind).length;
      assert.ok(count > BODIES / 200, `${kind}: ${count} of ${BODIES}`);
    }
  });

  test('has the same for the parsers of Node, which nearly always read it', async () => {
    let deaf = 0;
    for (const one of read) deaf += compare(one, ...(await readWithNode(one.type, one.body)));
    assert.ok(deaf < read.length / 100, `${deaf} of ${read.length} readings refused`);
  });

  test('has the same for the parsers of Python', { skip: python ? false : 'python3 is not installed' }, () => {
    const readings = readWithPython(read.map(({ type, body }) => [type, body]));
    let deaf = 0;
    for (const [index, one] of read.entries()) deaf += compare(one, ...readings[index]);
    assert.ok(deaf < read.length / 100, `${deaf} of ${read.length} readings refused`);
  });
});
