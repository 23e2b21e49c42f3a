import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { attributeType, type DistinguishedName, nameKey, nameText, parseName, readName } from './distinguished-name.ts';

/** DER of a name: each part a list of `[identifier in hexadecimal, tag, value]`. */
function der(...parts: (readonly [string, number, string | Buffer])[][]): Buffer {
  const one = ([id, tag, value]: readonly [string, number, string | Buffer]): Buffer =>
    tlv(0x30, tlv(6, Buffer.from(id, 'hex')), tlv(tag, Buffer.isBuffer(value) ? value : Buffer.from(value)));
  return tlv(0x30, ...parts.map((part) => tlv(0x31, ...part.map(one))));
}

function tlv(tag: number, ...values: Buffer[]): Buffer {
  const value = Buffer.concat(values);
  const length =
    value.length < 128
      ? [value.length]
      : value.length < 256
        ? [0x81, value.length]
        : [0x82, value.length >> 8, value.length & 255];
  return Buffer.concat([Buffer.of(tag, ...length), value]);
}

const CN = '550403';
const O = '55040a';
const OU = '55040b';
const UTF8 = 0x0c;
const PRINTABLE = 0x13;
const TELETEX = 0x14;
const BMP = 0x1e;

describe('a name is read from DER', () => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['the last part first', der([[O, UTF8, 'Example']], [[CN, UTF8, 'orders']]), 'CN=orders,O=Example'],
    ['a comma is no separator', der([[CN, UTF8, 'a,O=Evil']]), 'CN=a\\,O\\=Evil'],
    ['a plus is no separator', der([[CN, UTF8, 'a+CN=admin']]), 'CN=a\\+CN\\=admin'],
    ['slashes mean nothing', der([[CN, UTF8, 'a/CN=admin']]), 'CN=a/CN\\=admin'],
    ['a NUL stays', der([[CN, UTF8, 'admin\0.evil']]), 'CN=admin\\00.evil'],
    ['a line feed stays', der([[CN, UTF8, 'a\nCN=admin']]), 'CN=a\\0ACN\\=admin'],
    ['quotes and backslashes', der([[CN, UTF8, '"a\\b"']]), 'CN=\\"a\\\\b\\"'],
    ['blanks at the ends', der([[CN, UTF8, ' a ']]), 'CN=\\ a\\ '],
    ['one blank', der([[CN, UTF8, ' ']]), 'CN=\\ '],
    ['nothing', der([[CN, UTF8, '']]), 'CN='],
    ['a # at the beginning is no hexadecimal', der([[CN, UTF8, '#04']]), 'CN=\\#04'],
    [
      'several attributes in one part, in one order',
      der([
        [OU, UTF8, 'x'],
        [CN, UTF8, 'y'],
      ]),
      'OU=x+CN=y',
    ],
    ['two parts of one kind', der([[CN, UTF8, 'admin']], [[CN, UTF8, 'x']]), 'CN=x,CN=admin'],
    ['another string type is the same name', der([[CN, PRINTABLE, 'orders']]), 'CN=orders'],
    ['two bytes to a character', der([[CN, BMP, Buffer.from('ä', 'utf16le').swap16()]]), 'CN=ä'],
    ['letters beyond ASCII', der([[CN, UTF8, 'Zoë 🦊']]), 'CN=Zoë 🦊'],
    ['an unknown type', der([['2a0304', UTF8, 'x']]), '1.2.3.4=x'],
    // What has two readings is no text, and equals none.
    ['TeletexString', der([[CN, TELETEX, 'admin']]), 'CN=#140561646d696e'],
    ['UTF-8 that is none', der([[CN, UTF8, Buffer.from([0x61, 0xff])]]), 'CN=#0c0261ff'],
    ['overlong UTF-8', der([[CN, UTF8, Buffer.from([0xc0, 0xae])]]), 'CN=#0c02c0ae'],
    ['ASCII that is none', der([[CN, PRINTABLE, Buffer.from([0x61, 0xe4])]]), 'CN=#130261e4'],
    ['half a character', der([[CN, BMP, Buffer.from([0xd8, 0x00])]]), 'CN=#1e02d800'],
    ['a sequence', der([[CN, 0x30, Buffer.from([5, 0])]]), 'CN=#30020500'],
  ];
  for (const [what, bytes, text] of cases) {
    it(what, () => assert.equal(nameText(readName(bytes)), text));
  }

  for (const [what, bytes] of [
    ['cut off', der([[CN, UTF8, 'orders']]).subarray(0, -1)],
    ['a longer form of a length', Buffer.from('30810b310930070603550403130161'.replace('810b', '810b'), 'hex')],
    ['an indefinite length', Buffer.from('3080310930070603550403130161', 'hex')],
    ['an empty part', Buffer.from('30023100', 'hex')],
    ['a long tag', Buffer.from('301f8101', 'hex')],
    ['an identifier with a leading zero', der([['558003', UTF8, 'x']])],
  ] as const) {
    it(`refused: ${what}`, () => assert.throws(() => readName(bytes), { name: 'DerError' }));
  }

  it('whatever the bytes, it is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          nameText(readName(Buffer.from(bytes)));
        } catch (error) {
          assert.equal((error as Error).name, 'DerError');
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a name is read from the configuration', () => {
  for (const [text, expected] of [
    ['CN=orders,O=Example', 'CN=orders,O=Example'],
    ['cn = orders , o = Example ', 'CN=orders,O=Example'],
    ['2.5.4.3=orders', 'CN=orders'],
    ['CN=Müller\\, Inc.,O=x', 'CN=Müller\\, Inc.,O=x'],
    ['CN=a\\2CO=b', 'CN=a\\,O\\=b'],
    ['CN=Lu\\C4\\8Di\\C4\\87', 'CN=Lučić'],
    ['CN=y+OU=x', 'OU=x+CN=y'],
    ['CN=a=b', 'CN=a\\=b'],
    ['CN=\\ a\\ ', 'CN=\\ a\\ '],
    ['CN=#0C0161', 'CN=#0c0161'],
    ['CN=admin\\00', 'CN=admin\\00'],
    ['DC=test,DC=example', 'DC=test,DC=example'],
  ] as const) {
    it(text, () => {
      const name = parseName(text);
      assert.ok(typeof name !== 'string', name as string);
      assert.equal(nameText(name), expected);
    });
  }

  for (const text of [
    '',
    'orders',
    '/CN=orders',
    'CN=a,',
    'CN="a"',
    'CN=a;O=b',
    'CN=a\\',
    'CN=a\\g',
    'CN=#0',
    'CN=#xyz',
    'X=1',
    'CN=a,,O=b',
    'CN=\\ff',
  ]) {
    it(`refused: ${JSON.stringify(text)}`, () => assert.equal(typeof parseName(text), 'string'));
  }

  const attribute = fc.record(
    {
      type: fc.constantFrom('2.5.4.3', '2.5.4.10', '2.5.4.11', '1.2.3.4'),
      value: fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.toWellFormed()),
      text: fc.constant(true),
    },
    { noNullPrototype: true },
  );
  const anyName = fc.array(fc.array(attribute, { minLength: 1, maxLength: 1 }), { minLength: 1, maxLength: 4 });

  it('what is written is read as the same name', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        assert.deepEqual(parseName(nameText(name)), name);
      }),
    );
  });

  it('two names have one text only when they are the same', () => {
    fc.assert(
      fc.property(anyName, anyName, (a: DistinguishedName, b: DistinguishedName) => {
        assert.equal(nameText(a) === nameText(b), JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});

it('attributes have names without letter case, and no other', () => {
  assert.equal(attributeType('cn'), '2.5.4.3');
  assert.equal(attributeType('__proto__'), undefined);
  assert.equal(attributeType('constructor'), undefined);
  assert.equal(attributeType('1.2.3'), '1.2.3');
});

it('issuers are found without regard to letter case and blanks', () => {
  assert.equal(nameKey(readName(der([[CN, UTF8, 'My  Root']]))), nameKey(readName(der([[CN, PRINTABLE, 'my root ']]))));
  assert.notEqual(nameKey(readName(der([[CN, UTF8, 'a,b']]))), nameKey(readName(der([[CN, UTF8, 'a']], [[CN, UTF8, 'b']]))));
});
