import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSFORMATIONS } from './index.ts';

type Case = readonly [value: string, result: string];

/** What each transformation makes of a value, and what it must leave alone. Most are documented cases of the reference engines. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  base64Decode: [
    ['', ''],
    ['VGVzdENhc2U=', 'TestCase'],
    ['VGVzdABDYXNl', 'Test\0Case'],
    ['VGVzdENhc2U', 'TestCase'],
    ['PHNjcmlwdD4=trailing', '<script>'],
    ['PHNj cmlwdD4=', '<sc'],
    ['PHNjcmlwdD4-', '<script>'],
    ['PHNjc', '<sc'],
    ['/+/+', '\xff\xef\xfe'],
    ['%', ''],
  ],
  base64DecodeExt: [
    ['', ''],
    ['VGVzdENhc2U=', 'TestCase'],
    ['P.HNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==', '<script>alert(1)</script>'],
    ['PFR FU1Q+', '<TEST>'],
    ['P H\nN-j_c%m&lwdD4', '<script>'],
  ],
  base64Encode: [
    ['', ''],
    ['TestCase', 'VGVzdENhc2U='],
    ['Test\0Case', 'VGVzdABDYXNl'],
    ['\xff\xef\xfe', '/+/+'],
  ],
  cmdLine: [
    ['', ''],
    ['test', 'test'],
    ['C^OMMAND /C DIR', 'command/c dir'],
    ['"command" /c DiR', 'command/c dir'],
    ["c\\om'mand", 'command'],
    ['cmd,;\t\r\n/x', 'cmd/x'],
    ['a (b', 'a(b'],
    ['a ^/b', 'a/b'],
    ['a  b', 'a b'],
    [' a ', ' a '],
    ['a\vb', 'a\vb'],
  ],
  compressWhitespace: [
    ['', ''],
    ['TestCase', 'TestCase'],
    ['Test Case', 'Test Case'],
    ['Test \t\n\v\f\r\xa0Case', 'Test Case'],
    ['\t', ' '],
    ['  ', ' '],
    ['a\x85b', 'a\x85b'],
  ],
  cssDecode: [
    ['', ''],
    ['Test\0Case', 'Test\0Case'],
    [
      'test\\a\\b\\f\\n\\r\\t\\v\\?\\\'\\"\\0\\12\\123\\1234\\12345\\123456\\ff01\\ff5e\\\n\\0  string',
      'test\n\x0b\x0fnrtv?\'"\0\x12#4EV!~\0 string',
    ],
    ['\\1A\\1 A\\1234567\\123456 7\\1x\\1 x', '\x1a\x01AV7V7\x01x\x01x'],
    ['test\\', 'test'],
    ['\\ja\\v\\61 \\73', 'javas'],
    ['\\00ff1cx', '<x'],
    ['\\01ff1c', '\x1c'],
    ['exp\\ression', 'expression'],
  ],
  escapeSeqDecode: [
    ['', ''],
    ['Test\0Case', 'Test\0Case'],
    ['\\a\\b\\f\\n\\r\\t\\v\\?\\\'\\"\\0\\12\\123\\x00\\xff', '\x07\b\f\n\r\t\v?\'"\0\nS\0\xff'],
    ['\\8\\9\\666\\u00ag\\u00ga\\u0zaa\\uz0aa\\xag\\xga\\0123\\u00a', '89\xb6u00agu00gau0zaauz0aaxagxga\n3u00a'],
    ['\\X41\\\\', 'A\\'],
    ['a\\', 'a\\'],
  ],
  hexDecode: [
    ['', ''],
    ['5465737443617365', 'TestCase'],
    ['546573740043617365', 'Test\0Case'],
    ['01234567890a0', '\x01#Eg\x89\n'],
    ['01234567890aZ', '\x01#Eg\x89\n'],
    ['zz', 'S'],
  ],
  hexEncode: [
    ['', ''],
    ['TestCase', '5465737443617365'],
    ['Test\0Case\xff', '546573740043617365ff'],
  ],
  htmlEntityDecode: [
    ['', ''],
    ['Test\0Case', 'Test\0Case'],
    ['&#x0;&#X0;&#x20;&#X20;&#0;&#32;\0&#100;&quot;&amp;&lt;&gt;&nbsp;', '\0\0  \0 \0d"&<>\xa0'],
    ['&#x0&#X0&#x20&#X20&#0&#32\0&#100&quot&amp&lt&gt&nbsp', '\0\0  \0 \0d"&<>\xa0'],
    ['&#xg;&#Xg;&#xg0;&#X2g;&#a;\0&#a2;&#3a&#a00;&#1a;&foo;', '&#xg;&#Xg;&#xg0;\x02g;&#a;\0&#a2;\x03a&#a00;\x01a;&foo;'],
    ['&#xg&#Xg&#xg0&#X2g', '&#xg&#Xg&#xg0\x02g'],
    ['&', '&'],
    ['&#', '&#'],
    ['&#x', '&#x'],
    ['&;', '&;'],
    ['&&lt;', '&<'],
    ['&LT;&ltx;', '<&ltx;'],
    ['&#xff1c;&#9999999999999999999999;', '\x1c\xff'],
    ['&amp;lt;', '&lt;'],
  ],
  jsDecode: [
    ['', ''],
    ['Test\0Case', 'Test\0Case'],
    ['\\a\\b\\f\\n\\r\\t\\v\\?\\\'\\"\\0\\12\\123\\x00\\xff\\u0021\\uff01', '\x07\b\f\n\r\t\v?\'"\0\nS\0\xff!!'],
    ['\\8\\9\\666\\u00ag\\u00ga\\u0zaa\\uz0aa\\xag\\xga\\0123\\u00a', '8966u00agu00gau0zaauz0aaxagxga\n3u00a'],
    ['\\X41\\U0041', 'X41U0041'],
    ['\\uFF1cscript\\uFf1E', '<script>'],
    ['a\\', 'a\\'],
  ],
  length: [
    ['', '0'],
    ['TestCase', '8'],
    ['Test\0Case', '9'],
  ],
  lowercase: [
    ['', ''],
    ['testcase', 'testcase'],
    ['TestCASE@[`{\xc0', 'testcase@[`{\xc0'],
  ],
  md5: [
    ['', '\xd4\x1d\x8c\xd9\x8f\0\xb2\x04\xe9\x80\t\x98\xec\xf8\x42\x7e'],
    ['TestCase', '\xc9\xab\xa2\xc3\xe6\x01\x26\x16\x9e\x80\xe9\xa2\x6b\xa2\x73\xc1'],
  ],
  none: [
    ['', ''],
    ['TestCase', 'TestCase'],
  ],
  normalizePath: [
    ['', ''],
    ['/foo/bar/baz', '/foo/bar/baz'],
    ['/foo/bar\0/baz', '/foo/bar\0/baz'],
    ['x', 'x'],
    ['.', ''],
    ['./', ''],
    ['./..', '..'],
    ['./../', '../'],
    ['..', '..'],
    ['../', '../'],
    ['../.', '..'],
    ['.././', '../'],
    ['../..', '../..'],
    ['../../', '../../'],
    ['/dir/foo//bar', '/dir/foo/bar'],
    ['dir/foo//bar/', 'dir/foo/bar/'],
    ['dir/../foo', 'foo'],
    ['dir/../../foo', '../foo'],
    ['dir/./.././../../foo/bar', '../../foo/bar'],
    ['dir/./.././../../foo/bar/.', '../../foo/bar'],
    ['dir/./.././../../foo/bar/./', '../../foo/bar/'],
    ['dir/./.././../../foo/bar/..', '../../foo'],
    ['dir/./.././../../foo/bar/../', '../../foo/'],
    ['dir//.//..//.//..//..//foo//bar//', '../../foo/bar/'],
    ['dir/subdir/subsubdir/subsubsubdir/../../..', 'dir'],
    ['dir/./subdir/../subsubdir/../subsubsubdir/..', 'dir'],
    ['/dir/./subdir/../subsubdir/../subsubsubdir/../', '/dir/'],
    ['/./.././../../../../../../../\0/../etc/./passwd', '/etc/passwd'],
    ['/../../etc/passwd', '/etc/passwd'],
    ['a/.../b/..c/d../.e', 'a/.../b/..c/d../.e'],
    ['../a/../..', '../..'],
    ['a/b/../../..', '..'],
    ['//', '/'],
    ['/..', ''],
    ['\\a\\..\\b', '\\a\\..\\b'],
  ],
  normalizePathWin: [
    ['\\foo\\bar\\baz', '/foo/bar/baz'],
    ['..\\..\\windows\\.\\win.ini', '../../windows/win.ini'],
    ['\\dir\\foo\\\\bar/..\\x', '/dir/foo/x'],
    ['x.y', 'x.y'],
    ['a\\', 'a/'],
  ],
  parityEven7bit: [
    ['', ''],
    ['abcdefghijklmnopqrstuvwxyz', '\xe1\xe2c\xe4ef\xe7\xe8ij\xebl\xed\xeeo\xf0qr\xf3t\xf5\xf6wx\xf9\xfa'],
  ],
  parityOdd7bit: [['abcdefghijklmnopqrstuvwxyz', 'ab\xe3d\xe5\xe6gh\xe9\xeak\xecmn\xefp\xf1\xf2s\xf4uv\xf7\xf8yz']],
  parityZero7bit: [['\xe1b\xe3\0', 'abc\0']],
  removeComments: [
    ['', ''],
    ['a/*b*/c', 'ac'],
    ['a/* b', 'a '],
    ['a<!-- b -->c', 'ac'],
    ['SELECT 1-- x', 'SELECT 1'],
    ['SELECT 1# x', 'SELECT 1'],
    ['a/*b*//*c*/d', 'ad'],
    ['a/b*c-d', 'a/b*c-d'],
    ['/*/x', ' '],
  ],
  removeCommentsChar: [
    ['/*a*/--b<!--c-->d#e', 'abcde'],
    ['<!-a', '<!-a'],
    ['--->', '->'],
    ['a-b * c / d', 'a-b * c / d'],
    ['uni/**/on', 'union'],
  ],
  removeNulls: [
    ['TestCase', 'TestCase'],
    ['\0Te\0\0st\0', 'Test'],
  ],
  removeWhitespace: [
    ['TestCase', 'TestCase'],
    [' T\te\ns\vt\f\r\xa0 ', 'Test'],
  ],
  replaceComments: [
    ['', ''],
    ['TestCase', 'TestCase'],
    ['Test\0Case', 'Test\0Case'],
    ['/* TestCase */', ' '],
    ['/*TestCase*/', ' '],
    ['/* TestCase*/', ' '],
    ['Before/* TestCase */After', 'Before After'],
    ['Before /* TestCase */ After', 'Before   After'],
    ['/* Test\nCase\r\n */', ' '],
    ['Before/* Test\0Case */', 'Before '],
    ['Before/* Test Case ', 'Before '],
    ['/* /* a */ b', '  b'],
    ['a*b/c', 'a*b/c'],
    ['*/a', '*/a'],
    ['/*/', ' '],
  ],
  replaceNulls: [['\0Te\0\0st\0', ' Te  st ']],
  sha1: [
    ['', '\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x09'],
    ['TestCase', '\xa7\x0c\xe3\x83\x89\xe3\x18\xbd\x2b\xe1\x8a\x01\x11\xc6\xdc\x76\xbd\x2c\xd9\xed'],
  ],
  sqlHexDecode: [
    ['', ''],
    ['0x414243', 'ABC'],
    ['CONCAT(0x3a,0X41)', 'CONCAT(:,A)'],
    ['0x4', '0x4'],
    ['0x41424', 'AB4'],
    ['0xzz', '0xzz'],
    ['box', 'box'],
  ],
  trim: [
    ['', ''],
    ['TestCase', 'TestCase'],
    [' \t\n\v\f\rTest Case \t\n\v\f\r', 'Test Case'],
    ['\xa0a\xa0', '\xa0a\xa0'],
    ['  ', ''],
  ],
  trimLeft: [['  Test  ', 'Test  ']],
  trimRight: [['  Test  ', '  Test']],
  uppercase: [['TestCase@[`{\xe0', 'TESTCASE@[`{\xe0']],
  urlDecode: [
    ['', ''],
    ['TestCase', 'TestCase'],
    ['+Test%00Case%ff%3C', ' Test\0Case\xff<'],
    ['%', '%'],
    ['%4', '%4'],
    ['%g0%0g%%41', '%g0%0g%A'],
    ['%u0041', '%u0041'],
    ['%2541', '%41'],
  ],
  urlDecodeUni: [
    ['', ''],
    ['TestCase', 'TestCase'],
    ['+Test%00Case%ff%3C', ' Test\0Case\xff<'],
    ['%u0041%U0042%uff1c%uFF1E', 'AB<>'],
    ['%u2019%u201c%u00e9%u2039', '\'"e<'],
    ['%u2603%u1234', '\x034'],
    ['%u', '%u'],
    ['%u1', '%u1'],
    ['%u12', '%u12'],
    ['%u123', '%u123'],
    ['%u12g4%ug234', '%u12g4%ug234'],
    ['%u%41', '%uA'],
    ['100%', '100%'],
    ['%%%41', '%%A'],
  ],
  urlEncode: [
    ['', ''],
    ['TestCase', 'TestCase'],
    ['a b*c-d_e.f~\0\xff%+', 'a+b*c%2dd%5fe%2ef%7e%00%ff%25%2b'],
  ],
  utf8toUnicode: [
    ['', ''],
    ['plain text', 'plain text'],
    ['\xc3\xa9', '%u00e9'],
    ['\xef\xbc\x9cscript\xef\xbc\x9e', '%uff1cscript%uff1e'],
    ['\xe2\x80\x99', '%u2019'],
    ['\xf0\x9f\x98\x80', '%u1f600'],
    ['\xc0\xaf', '%u002f\xc0'],
    ['\xe0\x80\xaf', '%u002f\xe0'],
    ['\x80\xff', '\x80\xff'],
    ['\xc3x', 'x'],
  ],
};

for (const [name, cases] of Object.entries(CASES)) {
  test(`t:${name}`, () => {
    const transformation = TRANSFORMATIONS.get(name.toLowerCase());
    assert.ok(transformation);
    assert.equal(transformation.name, name);
    for (const [value, result] of cases) assert.equal(transformation.apply(value), result, JSON.stringify(value));
  });
}

test('every transformation has cases, and older spellings mean the same', () => {
  const names = new Set([...TRANSFORMATIONS.values()].map(({ name }) => name));
  assert.deepEqual([...names].sort(), Object.keys(CASES).sort());
  assert.equal(TRANSFORMATIONS.get('normalisepath'), TRANSFORMATIONS.get('normalizepath'));
  assert.equal(TRANSFORMATIONS.get('normalisepathwin'), TRANSFORMATIONS.get('normalizepathwin'));
});

test('what attackers write in layers comes out plain', () => {
  const chain = ['utf8toUnicode', 'urlDecodeUni', 'htmlEntityDecode', 'jsDecode', 'cssDecode', 'removeNulls'];
  const decode = (value: string) =>
    chain.reduce((text, name) => TRANSFORMATIONS.get(name.toLowerCase())?.apply(text) ?? '', value);
  for (const layered of [
    '%3Cscript%3E',
    '\xef\xbc\x9cscript\xef\xbc\x9e',
    '%uff1cscript%uff1e',
    '&lt;script&gt;',
    '%26%23x3c;script&#62',
    '\\u003cscript\\x3e',
    '\\x3cscr\\\\69 pt>',
    '<\0scr\0ipt>',
  ]) {
    assert.equal(decode(layered), '<script>', layered);
  }
});
