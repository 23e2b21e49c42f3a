import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readContentType } from './content-type.ts';
import { readMultipart } from './multipart.ts';
import type { FlagCode } from './parsed.ts';

const B = 'x-42';
const part = (name: string, content: string, more = '') =>
  `--${B}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
const END = `--${B}--\r\n`;
const read = (text: string, boundary: string | undefined = B, most = 100) =>
  readMultipart(Buffer.from(text, 'latin1'), boundary, most);

/** What a lenient reader sees, and where parsers differ. */
const ODD: [string, string, FlagCode, string[]?][] = [
  ['a preamble', `hello\r\n${part('a', '1')}${END}`, 'multipart-preamble', ['1']],
  ['an empty line before', `\r\n${part('a', '1')}${END}`, 'multipart-preamble', ['1']],
  ['an epilogue', `${part('a', '1')}${END}more`, 'multipart-epilogue', ['1']],
  ['two ends of line behind the end', `${part('a', '1')}${END}\r\n`, 'multipart-epilogue', ['1']],
  ['parts behind the end', `${part('a', '1')}${END}${part('b', '2')}${END}`, 'multipart-epilogue', ['1']],
  ['no end', part('a', '1'), 'multipart-unfinished'],
  ['nothing', '', 'multipart-unfinished', []],
  ['another boundary', part('a', '1').replaceAll(B, 'y'), 'multipart-unfinished', []],
  ['line feeds alone', `${part('a', '1')}${END}`.replaceAll('\r', ''), 'multipart-line', ['1']],
  ['a line feed alone before the boundary', `${part('a', '1').slice(0, -2)}\n${END}`, 'multipart-line', ['1']],
  ['a line feed alone behind a header', part('a', '1').replace('"\r\n\r\n', '"\n\r\n') + END, 'multipart-line', ['1']],
  ['a boundary in the middle of a line', `${part('a', `1--${B}\r\n2`)}${END}`, 'multipart-boundary'],
  ['a longer boundary', `${part('a', `1\r\n--${B}y\r\n2`)}${END}`, 'multipart-boundary'],
  ['padding behind the boundary', `${part('a', '1').replace(`--${B}`, `--${B} `)}${END}`, 'multipart-boundary', ['1']],
  ['a tab behind the last boundary', `${part('a', '1')}--${B}--\t\r\n`, 'multipart-epilogue', ['1']],
  [
    'a doubled header',
    part('a', '1').replace('\r\n\r\n', '\r\nContent-Disposition: form-data; name="b"\r\n\r\n') + END,
    'multipart-duplicate-header',
    ['1'],
  ],
  ['a folded header', part('a', '1').replace('; name', ';\r\n name') + END, 'multipart-header'],
  ['white space before the colon', part('a', '1').replace('Disposition:', 'Disposition :') + END, 'multipart-header'],
  ['a header without a colon', part('a', '1').replace('\r\n\r\n', '\r\nnothing\r\n\r\n') + END, 'multipart-header', ['1']],
  ['NUL in a header', part('a\0', '1') + END, 'multipart-header', ['1']],
  ['no empty line', `--${B}\r\nContent-Disposition: form-data; name="a"\r\n${END}`, 'multipart-header', ['']],
  ['no disposition', `--${B}\r\nContent-Type: text/plain\r\n\r\n1\r\n${END}`, 'multipart-disposition', ['1']],
  ['another disposition', part('a', '1').replace('form-data', 'attachment') + END, 'multipart-disposition', ['1']],
  ['no name', part('a', '1').replace('; name="a"', '') + END, 'multipart-disposition', ['1']],
  ['two names', part('a', '1', '; name="b"') + END, 'multipart-disposition', ['1']],
  ['two names in two cases', part('a', '1', '; NAME="b"') + END, 'multipart-disposition', ['1']],
  ['name*', part('a', '1', "; name*=utf-8''b") + END, 'multipart-disposition', ['1']],
  ['filename*', part('a', '1', `; filename="a.txt"; filename*=utf-8''a.php`) + END, 'multipart-disposition', ['1']],
  ['two file names', part('a', '1', '; filename="a.txt"; filename="a.php"') + END, 'multipart-disposition', ['1']],
  ['an escaped quote', part('a', '1', '; filename="a\\"; name=\\"b"') + END, 'multipart-disposition', ['1']],
  ['a name without quotes', part('a', '1').replace('"a"', 'a') + END, 'multipart-disposition', ['1']],
  ['an open quote', part('a', '1').replace('"a"', '"a') + END, 'multipart-disposition', ['1']],
  [
    'a transfer encoding',
    part('a', 'MQ==').replace('\r\n\r\n', '\r\nContent-Transfer-Encoding: base64\r\n\r\n') + END,
    'multipart-transfer-encoding',
  ],
  [
    'a foreign charset',
    part('a', '1').replace('\r\n\r\n', '\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n') + END,
    'charset',
  ],
  [
    'us-ascii that is none',
    part('a', '\xc3\xa9').replace('\r\n\r\n', '\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n') + END,
    'charset',
  ],
  [
    'a message in a part',
    part('a', 'x: y\r\n\r\n1').replace('\r\n\r\n', '\r\nContent-Type: message/rfc822\r\n\r\n') + END,
    'multipart-nested',
  ],
  ['an escaped quote in a name', part('a%22b', '1') + END, 'multipart-disposition'],
  ['an escaped end of line in a name', part('a%0Ab', '1') + END, 'multipart-disposition'],
  ['a tab in a name', part('a\tb', '1') + END, 'multipart-disposition'],
  ['a blank before the name of a file', part('a', '1', '; filename=" f"') + END, 'multipart-disposition'],
  ['a no-break space behind the name of a file', part('a', '1', '; filename="f\xc2\xa0"') + END, 'multipart-disposition'],
  ['two blanks behind a colon', part('a', '1').replace(': ', ':  ') + END, 'multipart-header'],
  ['a blank behind a value', part('a', '1').replace('"\r\n\r\n', '" \r\n\r\n') + END, 'multipart-header'],
  ['a no-break space around a value', part('a', '1').replace(': ', ': \xa0') + END, 'multipart-disposition'],
  ['a byte order mark in a name', part('\xef\xbb\xbfa', '1') + END, 'bom'],
  [
    'the name of a file in the type',
    part('a', '1').replace('\r\n\r\n', '\r\nContent-Type: text/plain; name=f\r\n\r\n') + END,
    'multipart-header',
  ],
  ['an encoded word', part('=?utf-8?Q?b?=', '1') + END, 'multipart-disposition'],
  ['an encoded word for a file name', part('a', '1', '; filename="=?utf-8?B?Yg==?="') + END, 'multipart-disposition'],
  ['a name that is not UTF-8', part('\xe9', '1') + END, 'utf8-invalid'],
  ['half a character in name and file name', part('\xc3', '1', '; filename="\xa9"') + END, 'utf8-invalid'],
  ['a text that is not UTF-8', part('a', '\xe9') + END, 'utf8-invalid'],
  ['NUL in a text', part('a', 'x\0y') + END, 'nul'],
  ['_charset_', part('_charset_', 'utf-7') + END, 'charset'],
  [
    'a multipart in a part',
    part('a', '1').replace('\r\n\r\n', '\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n') + END,
    'multipart-nested',
  ],
  ['an odd type', part('a', '1').replace('\r\n\r\n', '\r\nContent-Type: text\r\n\r\n') + END, 'multipart-header'],
];

describe('multipart/form-data', () => {
  for (const [name, text, code, contents] of ODD) {
    test(`${name}: ${code}`, () => {
      const { parts, flags } = read(text);
      assert.ok(
        flags.some((flag) => flag.code === code),
        JSON.stringify(flags),
      );
      if (contents !== undefined)
        assert.deepEqual(
          parts.map(({ from, to }) => text.slice(from, to)),
          contents,
        );
    });
  }

  test('odd boundaries', () => {
    for (const boundary of [undefined, '', ' a', 'a b', 'a,b', 'a"b', 'a\\b', 'a;b', 'é', 'x'.repeat(71)]) {
      assert.equal(
        read(part('a', '1') + END, boundary).flags[0]?.code,
        boundary === undefined ? undefined : 'multipart-boundary',
        boundary,
      );
    }
    assert.equal(readMultipart(Buffer.from(END), undefined, 9).flags[0]?.code, 'multipart-boundary');
  });

  test('what browsers and libraries write has no flag', () => {
    const text =
      part('user', '\xc3\xa9\r\n\r\n--x\r\n') +
      part('file', '\x00\xff\r\n', '; filename="a%22 b;=.txt"').replace(
        '\r\n\r\n',
        '\r\nContent-Type: application/octet-stream\r\n\r\n',
      ) +
      part('empty', '') +
      part('curl', '1').replace(
        '\r\n\r\n',
        '\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: binary\r\n\r\n',
      ) +
      END;
    const { parts, flags } = read(text);
    assert.deepEqual(flags, []);
    assert.deepEqual(
      parts.map(({ name, filename, from, to }) => [name, filename, text.slice(from, to)]),
      [
        ['user', undefined, '\xc3\xa9\r\n\r\n--x\r\n'],
        ['file', 'a%22 b;=.txt', '\x00\xff\r\n'],
        ['empty', undefined, ''],
        ['curl', undefined, '1'],
      ],
    );
    assert.deepEqual(parts[3].headers.slice(2), [
      'content-type',
      'text/plain; charset=UTF-8',
      'content-transfer-encoding',
      'binary',
    ]);
    assert.deepEqual(read(text.slice(0, -2)).flags, []);
  });

  test('bounds: parts, headers, flags', () => {
    assert.equal(read(part('a', '1').repeat(101) + END).flags.at(-1)?.code, 'multipart-parts');
    assert.equal(read(part('a', '1').repeat(101) + END).parts.length, 100);
    const began = performance.now();
    read(`--${B}\r\n${'a: b\r\n'.repeat(100_000)}\r\n\r\n${END}`);
    read(`--${B}\n`.repeat(100_000), B, 1e6);
    read('\n'.repeat(1_000_000));
    read(`--${B}\r\n${`a:${' \t'.repeat(1500)}b\r\n`.repeat(300)}\r\n${END}`);
    assert.ok(performance.now() - began < 2000);
  });

  test('whatever the parts hold: they come out as they went in', () => {
    const content = fc
      .array(fc.constantFrom('\r', '\n', '--', 'x-4', 'a', '\0', '\r\n'), { maxLength: 10 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 5 }), (contents) => {
        const text = contents.map((one, i) => part(`n${i}`, one, '; filename="f"')).join('') + END;
        const { parts, flags } = read(text);
        assert.deepEqual(flags, []);
        assert.deepEqual(
          parts.map(({ from, to }) => text.slice(from, to)),
          contents,
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('whatever the bytes: it ends, and parts lie within the body', () => {
    const pieces = fc.constantFrom('--x-42', '--', '\r\n', '\n', '\r', 'Content-Disposition: form-data; name="a"', ':', 'b', ' ');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (all) => {
        const text = all.join('');
        const { parts } = read(text);
        for (const { from, to } of parts) assert.ok(0 <= from && from <= to && to <= text.length);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('Content-Type', () => {
  test('has one reading', () => {
    const type = readContentType('Multipart/Form-Data; Boundary="a b"; charset=UTF-8');
    assert.equal(type?.type, 'multipart/form-data');
    assert.deepEqual(
      [...(type?.parameters ?? [])],
      [
        ['boundary', 'a b'],
        ['charset', 'UTF-8'],
      ],
    );
    assert.equal(readContentType('text/html')?.parameters.size, 0);
    assert.equal(readContentType('application/problem+json ; a=b')?.type, 'application/problem+json');
  });

  test('or none', () => {
    for (const value of [
      '',
      'text',
      'text/',
      '/html',
      'text/html;',
      'text/html; ',
      'text/html, text/plain',
      'text/html;charset',
      'text/html; charset=',
      'text/html; charset =utf-8',
      'text/html; charset=utf-8; charset=utf-7',
      'text/html; a=1; A=2',
      "text/html; charset*=utf-8''utf-7",
      'multipart/form-data; boundary*0=a; boundary*1=b',
      'multipart/form-data; boundary=a; boundary*=b',
      'text/html;; a=b',
      'text/html; a="b',
      'text/html; a="b\\"c"',
      'text/html x',
      ' text/html',
      'text/html ',
      'text /html',
      `text/html; a=${'b'.repeat(300)}`,
      'application/json\t',
      'te\u0000xt/html',
      '*/*;q=é',
    ]) {
      assert.equal(readContentType(value), undefined, JSON.stringify(value));
    }
  });
});
