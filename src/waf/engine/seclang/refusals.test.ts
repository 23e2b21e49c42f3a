import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRules } from './read-rules.ts';

const operators = new Map(['rx', 'eq', 'streq', 'within'].map((name) => [name, name]));
const transformations = new Map([
  ['none', 'none'],
  ['lowercase', 'lowercase'],
  ['urldecodeuni', 'urlDecodeUni'],
]);
const unsupportedOperators = new Map([['rbl', 'it asks the DNS']]);

function problemsOf(text: string, files: Readonly<Record<string, string>> = {}) {
  const result = readRules([{ file: '/r/a.conf', text }], {
    operators,
    transformations,
    unsupportedOperators,
    readFile: (file) => files[file],
    list: () => [],
  });
  return result.ok ? [] : result.problems;
}

/** A text, and where it is wrong: line, column, words of the message, words of the hint. */
const cases: readonly (readonly [string, number, number, RegExp, RegExp?])[] = [
  ['SecRule ARGS "x id:1', 1, 14, /never closed/],
  ['SecRule ARGS "x"y "id:1"', 1, 17, /white space is missing/, /backslash/],
  ['SecRule ARGS "x" "id:1" more', 1, 25, /3 words at most/],
  ['SecRule ARGS', 1, 1, /2 words at least/],
  ['SecRule ARGS "x" \\ \n "id:1"', 1, 19, /white space stands behind the backslash/],
  ['# not this \\\nSecAction "id:1"', 2, 1, /belongs to the comment of line 1/],
  ['SecRuel ARGS "x" "id:1"', 1, 1, /no directive "SecRuel"/, /SecRule\?/],
  ['SecRule ARGS "x"\n"id:1"', 1, 1, /needs an id/],
  ['<IfModule mod_security2.c>', 1, 1, /section of a web server/],
  ['SecRuleScript /x.lua', 1, 1, /not supported: no program/],
  ['SecRemoteRules key https://x/', 1, 1, /not supported/],
  ['SecRuleEngine Maybe', 1, 15, /"Maybe" is not one of On, Off, DetectionOnly/],
  ['SecRequestBodyLimit 12k', 1, 21, /whole number.*"12k"/],
  ['SecCookieFormat 1', 1, 17, /format 0/],
  ['SecArgumentSeparator ;', 1, 22, /apart by &/],
  ['SecUnicodeMapFile unicode.mapping 1252', 1, 35, /20127/],
  ['SecUploadKeepFiles On', 1, 20, /Off/],
  // targets
  ['SecRule AGRS "x" "id:1"', 1, 9, /no variable AGRS/, /ARGS\?/],
  ['SecRule ARGS|GEO:x "x" "id:1"', 1, 14, /GEO is not supported: .*places/],
  ['SecRule ARGS||TX "x" "id:1"', 1, 14, /target is missing/],
  ['SecRule ARGS| "x" "id:1"', 1, 14, /target is missing/],
  ['SecRule "" "x" "id:1"', 1, 10, /variable is missing/],
  ['SecRule ARGS|!&ARGS:x "x" "id:1"', 1, 14, /count cannot be left out/],
  ['SecRule !ARGS:x "x" "id:1"', 1, 9, /nothing to look at/],
  ['SecRule REQUEST_URI:x "x" "id:1"', 1, 21, /REQUEST_URI is one value/],
  ['SecRule ARGS: "x" "id:1"', 1, 14, /name is missing/],
  ['SecRule ARGS:/x "x" "id:1"', 1, 14, /never closed/],
  ['SecRule TX|ARGS:/a(b/ "x" "id:1"', 1, 19, /./],
  ['SecRule "TX|ARGS:\'/a(?=b)/\'" "x" "id:1"', 1, 21, /./],
  ['SecRule XML "x" "id:1"', 1, 9, /of XML only/],
  ['SecRule XML:/a/b "x" "id:1"', 1, 13, /of XML only/],
  // operators
  ['SecRule ARGS "@rxx a" "id:1"', 1, 16, /no operator @rxx/, /rx\?/],
  ['SecRule ARGS "!@rbl a" "id:1"', 1, 17, /@rbl is not supported: it asks the DNS/],
  ['SecRule ARGS "@streq a%{txx.a}" "id:1"', 1, 25, /no variable txx/, /TX\?/],
  // actions
  ['SecRule ARGS x "id:1,dney"', 1, 22, /no action "dney"/, /deny\?/],
  ['SecRule ARGS x "id:1,\\\n  phase:2,\\\n  t:lowercas"', 3, 5, /no transformation "lowercas"/, /lowercase\?/],
  ["SecRule ARGS x \"id:1,msg:'a\\'b,\\\n c',phase:9\"", 2, 11, /"9" is no phase/],
  ['SecRule ARGS x "id:1,msg:\\"a\\",phase:9"', 1, 38, /"9" is no phase/],
  ["SecRule ARGS x \"id:1,msg:'it's'\"", 1, 30, /comma is missing/],
  ['SecRule ARGS x "id:1,msg:\'it"', 1, 26, /single quote is never closed/],
  ['SecRule ARGS x "id:1,:x,deny"', 1, 22, /action is missing/],
  ['SecRule ARGS x "id:1,deny status:400"', 1, 27, /comma is missing/],
  ['SecRule ARGS x "phase:1"', 1, 1, /needs an id/, /id:1000/],
  ['SecRule ARGS x', 1, 1, /needs an id/],
  ['SecRule ARGS x "id:0"', 1, 20, /from 1 belongs here, not "0"/],
  ['SecRule ARGS x "id:1x"', 1, 20, /"1x"/],
  ['SecRule ARGS x "id:1,id:2"', 1, 22, /said twice/],
  ['SecAction "id:5"\nSecAction "phase:1,id:5"', 2, 23, /taken by the rule at \/r\/a.conf:1/],
  ['SecAction "id:1,phase"', 1, 17, /needs a value/],
  ['SecAction "id:1,deny:403"', 1, 22, /takes no value/],
  ['SecAction "id:1,deny,status:99"', 1, 29, /from 200 to 599/],
  ['SecAction "id:1,severity:BAD"', 1, 26, /"BAD" is not one of/],
  ['SecAction "id:1,allow:all"', 1, 23, /phase, request/],
  ['SecAction "id:1,exec:/bin/x"', 1, 17, /exec is not supported/],
  ['SecAction "id:1,pause:10"', 1, 17, /pause is not supported/],
  ['SecAction "id:1,proxy:http://x"', 1, 17, /proxy is not supported/],
  ['SecAction "id:1,append:x"', 1, 17, /append is not supported/],
  ['SecAction "id:1,deprecatevar:ip.a=1/2"', 1, 17, /deprecatevar is not supported/],
  ['SecAction "id:1,setvar:a=1"', 1, 24, /names no variable/],
  ['SecAction "id:1,setvar:args.a=1"', 1, 24, /no collection "args"/],
  ['SecAction "id:1,setvar:!tx.a=1"', 1, 30, /takes no value/],
  ['SecAction "id:1,setvar:tx.a=\'1\'"', 1, 29, /quotes around a value/],
  ['SecAction "id:1,setvar:\'tx.a=%{tx.b} %{geoo.x}\'"', 1, 40, /no variable geoo/, /GLOBAL|GEO|undefined/],
  ['SecAction "id:1,expirevar:tx.a=1"', 1, 27, /no collection "tx"/],
  ['SecAction "id:1,expirevar:ip.a"', 1, 27, /seconds are missing/],
  ['SecAction "id:1,initcol:ip"', 1, 25, /key is missing/],
  ['SecAction "id:1,initcol:cookie=1"', 1, 25, /no collection "cookie"/],
  ['SecAction "id:1,ctl:ruleRemoveByID=1-x"', 1, 38, /whole number.*"x"/],
  ['SecAction "id:1,ctl:ruleRemoveById=5-1"', 1, 36, /ends before it begins/],
  ['SecAction "id:1,ctl:ruleRemovById=5"', 1, 21, /no ctl:ruleRemovById/, /ruleRemoveById\?/],
  ['SecAction "id:1,ctl:hashEngine=On"', 1, 21, /not supported/],
  ['SecAction "id:1,ctl:ruleEngine"', 1, 21, /value is missing/],
  ['SecAction "id:1,ctl:ruleRemoveByTag=a(b"', 1, 38, /group/],
  ['SecAction "id:1,ctl:ruleRemoveTargetById=1"', 1, 42, /target is missing/],
  ['SecAction "id:1,ctl:ruleRemoveTargetById=1;AGRS:x"', 1, 44, /no variable AGRS/],
  // chains
  ['SecRule ARGS x "id:1,chain"', 1, 1, /says chain, but the file ends/],
  ['SecRule ARGS x "id:1,chain"\nSecMarker A', 1, 1, /says chain, but another directive/],
  ['SecRule ARGS x "id:1,chain"\nSecRule ARGS x "id:2"', 2, 17, /only the first rule of a chain can have id/],
  ['SecRule ARGS x "id:1,chain"\nSecRule ARGS x "t:none,deny"', 2, 24, /only the first rule of a chain can have deny/],
  ['SecRule ARGS x "id:1,chain"\nSecRule ARGS x "msg:\'a\'"', 2, 17, /only the first rule of a chain can have msg/],
  // directives about rules
  ['SecDefaultAction "log,pass"', 1, 19, /need a phase/],
  ['SecDefaultAction "phase:1,log"', 1, 19, /need an ending/],
  ['SecDefaultAction "phase:1,block"', 1, 19, /cannot say block/],
  ['SecDefaultAction "phase:1,pass,id:1"', 1, 32, /id cannot be a default/],
  ['SecRuleRemoveById x', 1, 19, /whole number.*"x"/],
  ['SecRuleRemoveByTag "a("', 1, 22, /group/],
  ['SecRuleUpdateTargetById 1 "!AGRS"', 1, 29, /no variable AGRS/],
  ['SecAction id:1\nSecRuleUpdateTargetById 1:1 "!ARGS"', 2, 25, /chain of rule 1 has 1 links/],
  ['SecAction id:1\nSecRuleUpdateActionById 1 "id:2"', 2, 28, /id of a rule cannot be changed/],
  ['SecRuleUpdateActionById 1 "dney"', 1, 28, /no action "dney"/],
  // files
  ['Include gone.conf', 1, 9, /gone.conf cannot be read/, /folder of \/r\/a.conf/],
  ['Include gone/*.conf', 1, 9, /no file matches/],
];

for (const [text, line, column, message, hint] of cases) {
  test(`refused: ${JSON.stringify(text)}`, () => {
    const problems = problemsOf(text);
    const [first] = problems;
    assert.ok(first, 'nothing was refused');
    assert.deepEqual([first.file, first.line, first.column], ['/r/a.conf', line, column], JSON.stringify(first));
    assert.match(first.message, message);
    if (hint !== undefined) assert.match(String(first.hint), hint);
  });
}

test('all problems come at once, each of its own, and nothing follows from another', () => {
  const text = `SecRule AGRS "@rxx a" "id:1,dney,t:nnone,chain"
SecRule ARGS "x" "t:none"
SecRule ARGS "x id:3
SecRule ARGS "x" "t:none"
SecAction "id:4,exec:x"`;
  assert.deepEqual(
    problemsOf(text).map(({ line, column }) => [line, column]),
    [
      [1, 9],
      [1, 29],
      [1, 36],
      [1, 16],
      [3, 14],
      [5, 17],
    ],
  );
});

test('no more than fifty problems come', () => {
  assert.equal(problemsOf('nonsense\n'.repeat(1000)).length, 50);
});

test('files that include themselves are refused, and so are endless ways down', () => {
  const loop = problemsOf('Include b.conf', { '/r/b.conf': 'SecMarker X\n Include a.conf', '/r/a.conf': '' });
  assert.deepEqual(
    loop.map(({ file, line, column, message }) => [file, line, column, message.includes('includes itself')]),
    [['/r/b.conf', 2, 10, true]],
  );
  const deep = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`/r/${i}.conf`, `Include ${i + 1}.conf`]));
  assert.match(problemsOf('Include 0.conf', deep)[0].message, /16 deep/);
  const wide = Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`/r/${i}.conf`, `Include ${i + 1}.conf\n`.repeat(8)]));
  assert.match(problemsOf('Include 0.conf', { ...wide, '/r/13.conf': '' })[0].message, /2000 in all/);
});
