import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from './compile.ts';
import { PatternError } from './node.ts';

/** A pattern, values that it matches and values that it does not. */
const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['', ['', 'a'], []],
  ['abc', ['abc', 'xabcx'], ['ab', 'aBc']],
  ['(?i)abc', ['ABC', 'aBc'], ['ab']],
  ['(?i)\\xe9', ['\xe9'], ['\xc9']],
  ['a(?i)b', ['ab', 'aB'], ['AB']],
  ['(a(?i)b|c)d', ['aBd', 'Cd'], ['CD', 'ABd']],
  ['(?:a(?i)b)c', ['aBc'], ['aBC']],
  ['x(?i:a)b', ['xAb'], ['xAB', 'XAb']],
  ['(?i)a(?-i)b(?i:c)', ['AbC'], ['ABc']],
  ['(?i)[a-f]+z', ['DEADZ'], ['gz']],
  ['(?i)[^a]b', ['cB'], ['Ab', 'ab']],
  ['a.b', ['a\nb', 'a\rb', 'a\xffb'], ['ab']],
  ['(?-s)a.b', ['a\rb'], ['a\nb']],
  ['(?-s:a.)b.', ['a\rb\n'], ['a\nb\n']],
  ['a\\Nb', ['a b'], ['a\nb']],
  ['^b$', ['b'], ['b\n', 'a\nb', '\nb']],
  ['(?m)^b$', ['b', 'b\n', 'a\nb', 'a\nb\nc'], ['ab', 'bc']],
  ['(?m)a\\n^', ['a\nb'], ['a\n']],
  ['(?m)\\Ab\\z', ['b'], ['b\n', 'a\nb']],
  ['b\\Z', ['b', 'b\n'], ['b\n\n', 'bc', 'b\r\n']],
  ['b\\Z\\n', ['b\n'], ['b', 'b\n\n']],
  ['(?:b\\Z\\s*|c)$', ['b', 'b\n', 'c'], ['b\n\n', 'b ']],
  ['\\bfoo\\b', ['foo', 'a foo.', '\nfoo\n'], ['foos', 'afoo', 'foo_']],
  ['\\Bo\\B', ['foob'], ['o', 'fo', 'of']],
  ['\\bé'.replace('é', '\xe9'), ['a\xe9'], ['\xe9', ' \xe9']],
  ['^\\s$', ['\t', '\n', '\v', '\f', '\r', ' '], ['\x85', '\xa0', '\x08', 'a']],
  ['^\\S$', ['\xa0', '\x85', 'a'], [' ', '\v']],
  ['^\\h$', ['\t', ' ', '\xa0'], ['\n', '\v']],
  ['^\\v$', ['\n', '\v', '\f', '\r', '\x85'], [' ', '\t']],
  ['^\\H\\V$', ['\n\t'], ['\t\t', '\n\n']],
  ['^\\R$', ['\n', '\r\n', '\r', '\v', '\f', '\x85'], ['\n\n', '', '\n\r']],
  ['\\R\\n', ['\r\n\n', '\n\n'], ['\r\n']],
  ['^\\d\\D\\w\\W$', ['1a_-', '0 9\xff'], ['11aa', 'a1a-']],
  ['\\a\\e\\f\\n\\r\\t\\0', ['\x07\x1b\f\n\r\t\0'], ['']],
  ['\\x41\\x{42}\\x\\x4z', ['AB\0\x04z'], []],
  ['\\x{e2}\\x80[\\x98\\x{99}]', ['\xe2\x80\x99'], ['\xe2\x80\x9a']],
  ['\\101\\012\\060', ['A\n0'], []],
  ['\\07\\18'.replace('\\18', '\\o{61}8'), ['\x0718'], []],
  ['[\\101\\8\\b]{3}', ['A8\b'], ['b88']],
  ['\\cA\\c[', ['\x01\x1b'], []],
  ['\\Qa.b*\\E+', ['a.b*', 'a.b**'], ['aab']],
  ['\\Q[\\E]\\Q', ['[]'], []],
  ['[\\Q^-]\\E]{3}', ['^-]'], ['abc']],
  ['a\\Eb', ['ab'], []],
  ['[]x]+y', [']y', 'xy'], ['y', '[y']],
  ['^[^]x]$', ['a'], [']', 'x']],
  ['[a-]b', ['-b', 'ab'], ['cb']],
  ['[-a]b', ['-b'], []],
  ['[\\w-.]{3}', ['a-.'], ['a+.']],
  ['[a-\\d]{3}', ['a-5'], ['b-5']],
  ['[+--]{3}', ['+,-'], ['*,-']],
  ['[[:alpha:]_]+[[:^digit:]][[:punct:]]', ['ab_c!'], ['a1!']],
  ['[[:word:]]', ['_'], ['-']],
  ['[[]a', ['[a'], []],
  ['[a[:]b', ['[b', ':b'], ['cb']],
  ['a}b]c{d', ['a}b]c{d'], []],
  ['a{,3}', ['a{,3}'], ['aaa']],
  ['a{x}{', ['a{x}{'], []],
  ['^a{2}$', ['aa'], ['a', 'aaa']],
  ['^a{2,}$', ['aa', 'aaaa'], ['a']],
  ['^a{2,3}$', ['aa', 'aaa'], ['a', 'aaaa']],
  ['^a{0}b$', ['b'], ['ab']],
  ['^(?:ab?|c){2,3}$', ['abab', 'aac', 'cc'], ['c', 'abababab']],
  ['^(?:a*)*b$', ['b', 'aaab'], ['c']],
  ['^(?:a|b*){2}$', ['', 'ab', 'abb'], ['aba']],
  ['(?x) a b # none \n c [ ] d', ['abc d'], ['a b c d']],
  ['(?x:a b) c', ['ab c'], ['abc']],
  ['a(?#none) +b', ['a  b'], []],
  ["(?<x>a)(?P<y>b)(?'z'c)", ['abc'], []],
  ['(?n)(a)(?<x>b)', ['ab'], []],
  ['a|', ['', 'b'], []],
  ['^(?:|a)$', ['', 'a'], ['b']],
  ['(?i)(?^:a)b', ['aB'], ['AB']],
  ['\\.\\-\\/\\"\\_\\ ', ['.-/"_ '], []],
];

test('patterns mean what they mean in PCRE', () => {
  for (const [pattern, matching, others] of cases) {
    const compiled = compilePattern(pattern);
    for (const value of matching)
      assert.equal(compiled.test(value), true, `${JSON.stringify(pattern)} on ${JSON.stringify(value)}`);
    for (const value of others)
      assert.equal(compiled.test(value), false, `${JSON.stringify(pattern)} on ${JSON.stringify(value)}`);
  }
});

/** A pattern, a value and the match with its groups. */
const captures: readonly (readonly [string, string, readonly (string | undefined)[] | undefined])[] = [
  ['a+', 'baaab', ['aaa']],
  ['a+?', 'baaab', ['a']],
  ['(?U)a+', 'baaab', ['a']],
  ['(?U)a+?', 'baaab', ['aaa']],
  ['abcd|bc', 'abcd', ['abcd']],
  ['bc|abcd', 'abcd', ['abcd']],
  ['ab|abc', 'abc', ['ab']],
  ['(a)|(b)', 'b', ['b', undefined, 'b']],
  ['(?:(a)|b)*', 'ab', ['ab', 'a']],
  ['(a*)(a*)', 'aa', ['aa', 'aa', '']],
  ['(a*?)(a*)', 'aa', ['aa', '', 'aa']],
  ['(a|ab)(c|bcd)(d*)', 'abcd', ['abcd', 'a', 'bcd', '']],
  ['(?<key>\\w+)=(?<value>.*)$', 'x; k=v', ['k=v', 'k', 'v']],
  ['(?:|a)*', 'aa', ['']],
  ['(?:a|b)*?c', 'xabc', ['abc']],
  ['\\b(\\w)', ' -x', ['x', 'x']],
  ['(?m)^(.)$', 'ab\nc\n', ['c', 'c']],
  ['(x)?y', 'y', ['y', undefined]],
  ['(1)(2)(3)(4)(5)(6)(7)(8)(9)(a)(b)', '123456789ab', ['123456789ab', '1', '2', '3', '4', '5', '6', '7', '8', '9']],
  ['$', 'ab', ['']],
  ['x', 'ab', undefined],
];

test('matches and groups are those that PCRE prefers', () => {
  for (const [pattern, value, expected] of captures) {
    assert.deepEqual(compilePattern(pattern).exec(value), expected, `${pattern} on ${JSON.stringify(value)}`);
  }
});

/** What is refused, where, and a word of the message. */
const errors: readonly (readonly [string, number, RegExp])[] = [
  ['a(b', 1, /without its \)/],
  ['ab)', 2, /closes nothing/],
  ['a[bc', 1, /without its \]/],
  ['[]', 0, /without its \]/],
  ['a\\', 1, /backslash at the end/],
  ['*a', 0, /Nothing to repeat/],
  ['a|+b', 2, /Nothing to repeat/],
  ['({2})', 1, /Nothing to repeat/],
  ['a{3,2}', 1, /wrong order/],
  ['a{70000}', 1, /above 65535/],
  ['a**', 2, /behind a quantifier/],
  ['a{2}{3}', 4, /behind a quantifier/],
  ['xa++', 2, /Possessive/],
  ['xa{2}+', 2, /Possessive/],
  ['x(?>a)', 1, /Atomic/],
  ['x(?=a)', 1, /Look-ahead/],
  ['x(?!a)', 1, /Look-ahead/],
  ['x(?<=a)', 1, /Look-behind/],
  ['x(?<!a)', 1, /Look-behind/],
  ['(a)\\1', 3, /refers to a group/],
  ['(a)\\g{1}', 3, /refers to a group/],
  ['(?<n>a)\\k<n>', 7, /refers to a group/],
  ['(?<n>a)(?P=n)', 7, /Back-reference/],
  ['(?<n>a)(?<n>b)', 7, /name n/],
  ['a(?R)', 1, /Recursion/],
  ['(a)(?1)', 3, /Recursion/],
  ['(a)(?-1)', 3, /Recursion/],
  ['(a)(?(1)b)', 3, /Conditions/],
  ['(?|a)', 0, /share numbers/],
  ['(*UTF8)a', 0, /Verbs/],
  ['a\\Kb', 1, /\\K/],
  ['\\Ga', 0, /\\G/],
  ['\\X', 0, /\\X/],
  ['\\pL', 0, /\\p/],
  ['a\\y', 1, /means nothing/],
  ['[\\B]', 1, /means nothing in a class/],
  ['[z-a]', 1, /backwards/],
  ['[[:alpah:]]', 1, /no class/],
  ['[[.a.]]', 1, /Collating/],
  ['\\x{100}', 0, /above 0xff/],
  ['\\x{}', 0, /no number/],
  ['\\777', 0, /above 0xff/],
  ['\u0100', 0, /above 0xff/],
  ['a(?j)', 1, /no group/],
  ['a(?i', 1, /without its/],
  ['a(?#b', 1, /comment/],
  ['(?:a{1000}){1000}', 0, /cannot be bounded/],
  ['('.repeat(300) + ')'.repeat(300), 250, /within one another/],
];

test('what is wrong or not regular is refused, with its place', () => {
  for (const [pattern, offset, message] of errors) {
    assert.throws(
      () => compilePattern(pattern),
      (error) => error instanceof PatternError && error.offset === offset && message.test(error.message),
      pattern,
    );
  }
});
