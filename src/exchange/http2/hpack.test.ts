import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HpackDecoder as PlainDecoder } from '../../../test/support/hpack.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { COMPRESSION_ERROR, Http2Error } from './http2-error.ts';
import { decodeHuffman, longestDecoded } from './huffman.ts';

const MOST = 1_000_000;
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function decode(decoder: HpackDecoder, bytes: Buffer, most = MOST): string[] {
  const fields: string[] = [];
  decoder.decode(bytes, 0, bytes.length, fields, most);
  return fields;
}

const get = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];
const custom = [
  ':method',
  'GET',
  ':scheme',
  'https',
  ':path',
  '/index.html',
  ':authority',
  'www.example.com',
  'custom-key',
  'custom-value',
];
const moved = ['cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:21 GMT', 'location', 'https://www.example.com'];
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';

/** The examples of RFC 7541 appendix C: sections of one connection each. */
const examples: Record<string, [hex: string, fields: string[]][]> = {
  'C.2.1, a literal that is remembered': [
    ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key', 'custom-header']],
  ],
  'C.2.2, a literal that is not': [['040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path']]],
  'C.2.3, a literal that nobody may remember': [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret']]],
  'C.2.4, an index': [['82', [':method', 'GET']]],
  'C.3, requests': [
    ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', get],
    ['8286 84be 5808 6e6f 2d63 6163 6865', [...get, 'cache-control', 'no-cache']],
    ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', custom],
  ],
  'C.4, requests in Huffman code': [
    ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', get],
    ['8286 84be 5886 a8eb 1064 9cbf', [...get, 'cache-control', 'no-cache']],
    ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', custom],
  ],
  'C.6, answers in Huffman code, with a table of 256 bytes': [
    [
      '3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      [':status', '302', ...moved],
    ],
    ['4883 640e ffc1 c0bf', [':status', '307', ...moved]],
    [
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      [
        ':status',
        '200',
        'cache-control',
        'private',
        'date',
        'Mon, 21 Oct 2013 20:13:22 GMT',
        'location',
        'https://www.example.com',
        'content-encoding',
        'gzip',
        'set-cookie',
        COOKIE,
      ],
    ],
  ],
};

describe('the decoder reads', () => {
  for (const [name, sections] of Object.entries(examples)) {
    test(name, () => {
      const decoder = new HpackDecoder();
      for (const [hex, fields] of sections) assert.deepEqual(decode(decoder, bytesOf(hex)), fields);
    });
  }

  test('all bytes in Huffman code, as another library writes it (golang.org/x/net)', () => {
    const coded = bytesOf(
      'ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabffffffdfffffebfffffecfffffedfffffe' +
        'efffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffffd7fffffdbfffffdffffffe3fffffe7fffffebfffffed4fe3f9ffaffcabf1febf' +
        'afefe7fdfd2cbb00089969b71d79fb9f7fff20ffbff3ff50ddbd7f061c58f265cd9f469d5af66dddbf871e5f9cff7ff7fffc3ff9ffe45fff4719242c' +
        'b34e6e9d68a6a3d7dac426defe3cfaf7fffbfe7ffbffdffffffcfffe6ffff4bfff9ffffa3fffd3ffff53fffd5ffffb3fffeb7fffdaffffb7ffff73ff' +
        'feeffffdeffffebffffbfffffd9ffffdbfffebffffe0ffffeeffffc3ffff8bffff1ffffe4fffee7fffb1ffff97fffd9ffffcdffff9fffffbffffdaff' +
        'feeffff4ffffb7fffee7fffe8ffffd3fffdeffffd5fffeeffffbdffffe1fffdfffff7fffff5ffffecffff07fff87fffe0ffff17fffedffff87ffff77' +
        'fffeffffeaffff8bfffe3ffff93ffff87fffcbffff37ffff1fffff83ffffe1fffebfffe3ffff3fffff2ffffa3ffffd9fffff17ffffc7fffff27ffffd' +
        'efffffbffffff2fffff8fffffb7fff97fff8fffffe6fffffc1fffff87ffffe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9' +
        'fffff97fffb3ffffcffffb7fffcdffff4ffff9ffffd1ffffcffffeaffffafffffddffffeffffff4fffff5fffffabffffa7ffffd7fffff9bffffecfff' +
        'ffb7fffff3fffffe8fffffd3fffffabfffff5fffffff7ffffecfffffdbfffffbbfffff7ffffff0fffffbbf',
    );
    const out = Buffer.alloc(longestDecoded(coded.length));
    assert.equal(decodeHuffman(coded, 0, coded.length, out), 256);
    assert.deepEqual(
      [...out.subarray(0, 256)],
      Array.from({ length: 256 }, (_, i) => i),
    );
  });

  test('as many fields as are wanted, and the size of all', () => {
    const decoder = new HpackDecoder();
    const bytes = bytesOf(`4001 6101 62${' be'.repeat(99)}`);
    assert.deepEqual(decode(decoder, bytes, 18), ['a', 'b', 'a', 'b', 'a', 'b']);
    assert.equal(decoder.size, 600);
    assert.deepEqual(decode(decoder, bytesOf('be')), ['a', 'b'], 'what was left out is in the table all the same');
  });
});

const malformed: Record<string, string> = {
  'index 0': '80',
  'an index beyond the static table': 'be',
  'an index far beyond': 'ff ff ff 7f',
  'an index of a name beyond the table': '7e 01 61',
  'an integer without end': 'ff ff ff ff ff ff ff ff ff ff',
  'an integer that is cut off': 'ff 80',
  'an integer with leading nothing': 'ff 80 80 80 80 80 00',
  'a literal without a name': '40',
  'a literal without a value': '40 01 61',
  'a name longer than the section': '40 0a 61',
  'a value longer than the section': '40 01 61 7f ff ff 03',
  'a table larger than it may be': '3f e2 1f',
  'three changes of the table': '20 20 20 82',
  'a change of the table behind a field': '82 20',
  'Huffman code that is padded with zeros': '40 01 61 81 18',
  'Huffman code that is padded with a whole byte': '40 01 61 82 1f ff',
  'Huffman code with EOS': '40 01 61 84 ff ff ff ff',
  'Huffman code that is cut off': '40 01 61 82 ff ff',
};

describe('the decoder refuses', () => {
  for (const [name, hex] of Object.entries(malformed)) {
    test(name, () => {
      assert.throws(
        () => decode(new HpackDecoder(), bytesOf(hex)),
        (error) => error instanceof Http2Error && error.code === COMPRESSION_ERROR,
      );
    });
  }

  test('any bytes or reads them, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (sections) => {
        const decoder = new HpackDecoder();
        for (const section of sections) {
          try {
            const fields = decode(decoder, Buffer.from(section));
            assert.ok(fields.length % 2 === 0 && fields.every((text) => typeof text === 'string'));
          } catch (error) {
            assert.ok(error instanceof Http2Error);
            return;
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

const name = fc.constantFrom(
  'content-type',
  'x-a',
  'x-request-id',
  'set-cookie',
  'etag',
  'cache-control',
  'a'.repeat(40),
  'vary',
);
const value = fc.oneof(
  fc.constantFrom('', 'a', 'no-store', 'b'.repeat(200)),
  fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
);
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      status: fc.constantFrom(200, 204, 404, 418, 599),
      fields: fc.array(fc.tuple(name, value), { maxLength: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ tableSize: fc.constantFrom(0, 100, 300, 4096, 65_536) }) },
);

describe('the encoder', () => {
  test('writes what both decoders read, whatever the table does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder();
        const plain = new PlainDecoder();
        for (const one of steps) {
          if ('tableSize' in one) {
            encoder.setTableSize(one.tableSize);
            continue;
          }
          encoder.begin();
          encoder.status(one.status);
          for (const [field, text] of one.fields) encoder.field(field, text);
          const section = Buffer.from(encoder.bytes.subarray(0, encoder.length));
          const expected = [':status', String(one.status), ...one.fields.flat()];
          assert.deepEqual(decode(decoder, section), expected);
          assert.deepEqual(plain.decode(section).flat(), expected);
        }
      }),
    );
  });

  test('repeats a field in one byte, but no secret and nothing that changes with each answer', () => {
    const encoder = new HpackEncoder();
    const lengthOf = (field: string, text: string): number => {
      encoder.begin();
      encoder.field(field, text);
      return encoder.length;
    };
    assert.ok(lengthOf('x-frame-options', 'DENY') > 1);
    assert.equal(lengthOf('x-frame-options', 'DENY'), 1);
    for (const field of ['set-cookie', 'content-length', 'etag']) assert.equal(lengthOf(field, 'abc'), lengthOf(field, 'abc'));
    encoder.begin();
    encoder.field('set-cookie', 'a=b');
    assert.equal(encoder.bytes[0] & 0xf0, 0x10, 'nobody on the way may remember it');
  });

  test('throws on a value that could break a head', () => {
    for (const text of ['a\rb', 'a\nb', 'a\0b']) {
      const encoder = new HpackEncoder();
      encoder.begin();
      assert.throws(() => encoder.field('x-a', text), /holds CR, LF or NUL/);
    }
  });
});
