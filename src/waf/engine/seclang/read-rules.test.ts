import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Effect, MacroPart, RuleDefinition, RuleProblem, Target } from '../rule-set.ts';
import { type ReadResult, type RuleSource, readRules } from './read-rules.ts';

const world = {
  files: new Map<string, string>(),
  operators: new Map(
    ['rx', 'pm', 'eq', 'streq', 'within', 'pmFromFile', 'unconditionalMatch'].map((name) => [name.toLowerCase(), name]),
  ),
  transformations: new Map(['none', 'lowercase', 'urlDecodeUni', 'length'].map((name) => [name.toLowerCase(), name])),
};

function read(text: string | readonly RuleSource[], files: Readonly<Record<string, string>> = {}): ReadResult {
  const sources = typeof text === 'string' ? [{ file: '/r/a.conf', text }] : text;
  return readRules(sources, {
    ...world,
    readFile: (file) => files[file],
    list: (pattern) => Object.keys(files).filter((file) => file.startsWith('/r/') && file.endsWith(pattern.replace('*', ''))),
  });
}

function accepted(...text: Parameters<typeof read>) {
  const result = read(...text);
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.problems));
  const rules = result.rules.entries.filter((entry): entry is RuleDefinition => entry.kind === 'rule');
  return { ...result.rules, notes: result.notes, rules };
}

const one = (text: string) => accepted(text).rules[0];
const withTargets = (targets: string) => one(`SecRule ${targets} "x" "id:1"`).links[0].targets;
const withOperator = (operator: string) => one(`SecRule ARGS ${operator} "id:1"`).links[0].operator;
const withActions = (actions: string) => one(`SecRule ARGS "x" "id:1,${actions}"`);

const target = (variable: string, more: Partial<Target> = {}): Target => ({
  variable,
  selector: undefined,
  count: false,
  exclude: false,
  ...more,
});
const name = (text: string) => ({ selector: { kind: 'name', name: text } }) as const;
const pattern = (text: string) => ({ selector: { kind: 'pattern', pattern: text } }) as const;
const xpath = (path: string) => ({ selector: { kind: 'xpath', path } }) as const;

const targetCases: readonly (readonly [string, readonly Target[]])[] = [
  ['ARGS', [target('ARGS')]],
  ['args|Request_Headers:User-Agent', [target('ARGS'), target('REQUEST_HEADERS', name('user-agent'))]],
  [
    '"ARGS | !ARGS:a , &TX:x"',
    [target('ARGS'), target('ARGS', { ...name('a'), exclude: true }), target('TX', { ...name('x'), count: true })],
  ],
  ['ARGS:/^a|b$/|TX', [target('ARGS', pattern('^a|b$')), target('TX')]],
  ["ARGS:'/^a/|b$/'|TX", [target('ARGS', pattern('^a/|b$')), target('TX')]],
  ['ARGS:/a\\/b/', [target('ARGS', pattern('a\\/b'))]],
  ['ARGS:/a/b/|TX', [target('ARGS', pattern('a/b')), target('TX')]],
  ["ARGS:'a|b'", [target('ARGS', name('a|b'))]],
  ["\"ARGS:'it\\'s'\"", [target('ARGS', name("it's"))]],
  ['ARGS:a.b:c', [target('ARGS', name('a.b:c'))]],
  ['TX.1', [target('TX', name('1'))]],
  ['XML:/*|XML://@*', [target('XML', xpath('/*')), target('XML', xpath('//@*'))]],
  ['SCRIPT_FILENAME', [target('REQUEST_FILENAME')]],
];

for (const [written, expected] of targetCases)
  test(`targets: ${written}`, () => assert.deepEqual(withTargets(written), expected));

const operatorCases: readonly (readonly [string, string, boolean, string, (readonly MacroPart[])?])[] = [
  ['"abc"', 'rx', false, 'abc'],
  ['abc', 'rx', false, 'abc'],
  ['"!abc"', 'rx', true, 'abc'],
  ['"@RX abc"', 'rx', false, 'abc'],
  ['"!@rx abc"', 'rx', true, 'abc'],
  ['" ! @rx  abc "', 'rx', true, 'abc '],
  ['"@rx a\\"b\\\\c\\d"', 'rx', false, 'a"b\\\\c\\d'],
  ['"@rx \\\\"', 'rx', false, '\\\\'],
  ["'@rx a\"b'", 'rx', false, 'a"b'],
  ['"@rx \xff\xfe"', 'rx', false, '\xff\xfe'],
  ['"@rx a%{2}%{x}"', 'rx', false, 'a%{2}%{x}'],
  ['"a@rx"', 'rx', false, 'a@rx'],
  ['"@unconditionalMatch"', 'unconditionalMatch', false, '', ['']],
  ['"@eq %{tx.A}"', 'eq', false, '%{tx.A}', [{ variable: 'TX', name: 'a' }]],
  ['"@streq a%{ARGS._x}b"', 'streq', false, 'a%{ARGS._x}b', ['a', { variable: 'ARGS', name: '_x' }, 'b']],
];

for (const [written, operator, negated, text, parts = [text]] of operatorCases) {
  test(`operator: ${written}`, () => {
    const use = withOperator(written);
    assert.deepEqual({ ...use, place: undefined }, { name: operator, negated, argument: { text, parts }, place: undefined });
    assert.deepEqual(use?.place, {
      file: '/r/a.conf',
      line: 1,
      column: written.startsWith('"') || written.startsWith("'") ? 15 : 14,
    });
  });
}

test('continued lines are one, wherever they are broken, and keep their places', () => {
  const text =
    '\xef\xbb\xbf# a comment\r\nSecRule ARGS "@rx a\\\r\n  b" \\\r\n  "id:1,\\\r\n  msg:\'x\\\r\ny\'"\r\n\r\n  SecRule ARGS x id:2\r\nSecAction id:3';
  const { rules } = accepted(text);
  assert.deepEqual(
    rules.map(({ id, place: { line, column } }) => [id, line, column]),
    [
      [1, 2, 1],
      [2, 8, 3],
      [3, 9, 1],
    ],
  );
  assert.equal(rules[0].links[0].operator?.argument.text, 'a  b');
  assert.equal(rules[0].message?.text, 'xy');
});

test('a comment goes on behind a backslash', () => {
  const { rules } = accepted('#SecRule ARGS "x" \\\n  "id:1"\nSecAction "id:2"');
  assert.deepEqual(
    rules.map(({ id }) => id),
    [2],
  );
});

test('what a rule does not say is as the manual says', () => {
  const { place: _, ...rule } = one('SecRule ARGS "x" "id:7"');
  assert.deepEqual(
    { ...rule, links: rule.links.length },
    {
      kind: 'rule',
      id: 7,
      phase: 2,
      links: 1,
      disruption: { kind: 'pass' },
      block: false,
      log: true,
      auditLog: true,
      message: undefined,
      logData: undefined,
      severity: undefined,
      tags: [],
      version: undefined,
      revision: undefined,
      skip: 0,
      skipAfter: undefined,
    },
  );
});

const say = (text: string) => ({ text, parts: [text] });

const actionCases: readonly (readonly [string, Partial<RuleDefinition>])[] = [
  ['phase:request', { phase: 2 }],
  ["phase:'1',", { phase: 1 }],
  ['PHASE:Response', { phase: 4 }],
  ['phase:logging', { phase: 5 }],
  ['deny', { disruption: { kind: 'deny', status: 403 } }],
  ['deny,status:429', { disruption: { kind: 'deny', status: 429 } }],
  ['drop', { disruption: { kind: 'drop' } }],
  ['allow', { disruption: { kind: 'allow', scope: 'transaction' } }],
  ['allow:Phase', { disruption: { kind: 'allow', scope: 'phase' } }],
  ['allow:request', { disruption: { kind: 'allow', scope: 'request' } }],
  [
    'redirect:https://x/?a=%{tx.0},status:303',
    {
      disruption: {
        kind: 'redirect',
        status: 303,
        location: { text: 'https://x/?a=%{tx.0}', parts: ['https://x/?a=', { variable: 'TX', name: '0' }] },
      },
    },
  ],
  ['redirect:/,status:403', { disruption: { kind: 'redirect', status: 302, location: say('/') } }],
  ['block', { disruption: { kind: 'pass' }, block: true }],
  ["msg:'a, b \\'c\\' d',severity:critical", { message: say("a, b 'c' d"), severity: 2 }],
  ["logdata:x,severity:'7',ver:'1.0',rev:2", { logData: say('x'), severity: 7, version: '1.0', revision: '2' }],
  ["tag:a,tag:'b, %{tx.c}',tag:d", { tags: ['a', 'b, %{tx.c}', 'd'] }],
  ['nolog', { log: false, auditLog: false }],
  ['nolog,auditlog', { log: false, auditLog: true }],
  ['auditlog,nolog', { log: false, auditLog: true }],
  ['noauditlog', { log: true, auditLog: false }],
  ['noauditlog,log', { log: true, auditLog: false }],
  ['maturity:3,accuracy:4,skip:3', { skip: 3 }],
  ['skipAfter:2', { skipAfter: '2' }],
  ['sanitiseArg:password,sanitizeMatched', {}],
];

for (const [written, expected] of actionCases) {
  test(`actions: ${written}`, () => {
    const rule = withActions(written);
    const said = Object.keys(expected).map((key) => [key, rule[key as keyof RuleDefinition]]);
    assert.deepEqual(Object.fromEntries(said), expected);
  });
}

const setvar = (more: Partial<Effect>) =>
  ({ kind: 'setvar', collection: 'TX', name: say('a'), operation: 'set', value: say('1'), ...more }) as Effect;
const ctl = (change: unknown) => ({ kind: 'ctl', change }) as Effect;
const ranges = (...ends: number[][]) => ({ ranges: ends.map(([from, to = from]) => ({ from, to })) });

const effectCases: readonly (readonly [string, readonly Effect[]])[] = [
  ['setvar:tx.a', [setvar({})]],
  ['setvar:TX.a=b', [setvar({ value: say('b') })]],
  ["setvar:'tx.a=b, c=d'", [setvar({ value: say('b, c=d') })]],
  ['setvar:tx.a=', [setvar({ value: say('') })]],
  ['setvar:!tx.a', [setvar({ operation: 'delete', value: { text: '', parts: [''] } })]],
  ['setvar:tx.a=+5', [setvar({ operation: 'add', value: say('5') })]],
  ['setvar:tx.a=-5', [setvar({ operation: 'subtract', value: say('5') })]],
  [
    "setvar:'ip.a_%{tx.B=c}=+%{MATCHED_VAR}'",
    [
      setvar({
        collection: 'IP',
        name: { text: 'a_%{tx.B=c}', parts: ['a_', { variable: 'TX', name: 'b=c' }] },
        operation: 'add',
        value: { text: '%{MATCHED_VAR}', parts: [{ variable: 'MATCHED_VAR', name: undefined }] },
      }),
    ],
  ],
  ['expirevar:ip.a=60', [{ kind: 'expirevar', collection: 'IP', name: say('a'), seconds: say('60') }]],
  ['initcol:global=global', [{ kind: 'initcol', collection: 'GLOBAL', key: say('global') }]],
  [
    'setsid:abc,setuid:u',
    [
      { kind: 'initcol', collection: 'SESSION', key: say('abc') },
      { kind: 'initcol', collection: 'USER', key: say('u') },
    ],
  ],
  ['setenv:A=b', [{ kind: 'setenv', name: say('A'), value: say('b') }]],
  ['ctl:ruleEngine=detectionOnly', [ctl({ option: 'ruleEngine', value: 'DetectionOnly' })]],
  [
    'ctl:auditEngine=Off,ctl:auditLogParts=+E',
    [ctl({ option: 'auditEngine', value: 'Off' }), ctl({ option: 'auditLogParts', value: '+E' })],
  ],
  ['ctl:forceRequestBodyVariable=On', [ctl({ option: 'forceRequestBodyVariable', value: true })]],
  ['ctl:requestBodyProcessor=json', [ctl({ option: 'requestBodyProcessor', value: 'JSON' })]],
  ["ctl:'ruleRemoveById=1,5-7 9'", [ctl({ option: 'ruleRemoveById', ...ranges([1], [5, 7], [9]) })]],
  ['ctl:ruleRemoveByTag=OWASP_CRS', [ctl({ option: 'ruleRemoveByTag', value: 'OWASP_CRS' })]],
  [
    'ctl:ruleRemoveTargetById=942100;ARGS:password',
    [ctl({ option: 'ruleRemoveTargetById', ...ranges([942100]), target: target('ARGS', name('password')) })],
  ],
  ['ctl:ruleRemoveTargetByMsg=a;!XML', [ctl({ option: 'ruleRemoveTargetByMsg', value: 'a', target: target('XML') })]],
  [
    "ctl:'ruleRemoveTargetByTag=a;ARGS:/^a,b$/|TX'",
    [
      ctl({ option: 'ruleRemoveTargetByTag', value: 'a', target: target('ARGS', pattern('^a,b$')) }),
      ctl({ option: 'ruleRemoveTargetByTag', value: 'a', target: target('TX') }),
    ],
  ],
];

for (const [written, expected] of effectCases)
  test(`effects: ${written}`, () => assert.deepEqual(withActions(written).links[0].effects, expected));

test('default actions hold for rules of their phase behind them', () => {
  const { rules } = accepted(`SecRule ARGS x "id:1,phase:1,block"
SecDefaultAction "phase:1,nolog,auditlog,deny,status:429,t:lowercase,tag:d"
SecRule ARGS x "id:2,phase:1,block,t:length,tag:own"
SecRule ARGS x "id:3,phase:1,block,t:length,t:none,t:urlDecodeUni,status:400,log"
SecRule ARGS x "id:4,phase:2,block"
SecRule ARGS x "id:5,phase:1"
SecRule ARGS x "id:6,phase:1,pass,chain"
  SecRule ARGS x "t:length"
SecDefaultAction "phase:1,log,pass"
SecRule ARGS x "id:7,phase:1,deny"`);
  assert.deepEqual(
    rules.map((r) => [
      r.id,
      r.disruption,
      r.block,
      r.log,
      r.auditLog,
      r.links.map((link) => link.transformations.join()).join(';'),
      r.tags.join(),
    ]),
    [
      [1, { kind: 'pass' }, true, true, true, '', ''],
      [2, { kind: 'deny', status: 429 }, true, false, true, 'lowercase,length', 'd,own'],
      [3, { kind: 'deny', status: 400 }, true, true, true, 'urlDecodeUni', 'd'],
      [4, { kind: 'pass' }, true, true, true, '', ''],
      [5, { kind: 'deny', status: 429 }, false, false, true, 'lowercase', 'd'],
      [6, { kind: 'pass' }, false, false, true, 'lowercase;lowercase,length', 'd'],
      [7, { kind: 'deny', status: 403 }, false, true, true, '', ''],
    ],
  );
});

test('a chain is one rule; each link has its own operator, transformations and effects', () => {
  const [rule] = accepted(`SecRule ARGS a "id:1,chain,setvar:tx.a"
SecRule TX:A b "chain,t:lowercase,capture,multiMatch"
SecRule TX c
SecAction id:2`).rules;
  assert.deepEqual(
    rule.links.map((link) => [
      link.operator?.argument.text,
      link.transformations,
      link.capture,
      link.multiMatch,
      link.effects.length,
    ]),
    [
      ['a', [], false, false, 1],
      ['b', ['lowercase'], true, true, 0],
      ['c', [], false, false, 0],
    ],
  );
});

test('removals take rules that were read before, by id, range, tag and message, and free their ids', () => {
  const rule = (id: number, more = '') => `SecAction "id:${id}${more}"\n`;
  const { rules, notes } = accepted(
    [
      ...[1, 2, 3, 4, 5].map((id) => rule(id)),
      rule(6, ',tag:attack-sqli'),
      rule(7, ",msg:'Some text'"),
      rule(8),
      'SecRuleRemoveById 1 "3-4,9"\nSecRuleRemoveByTag "^attack-"\nSecRuleRemoveByMsg text\nSecRuleRemoveById 8 77\n',
      rule(9),
      rule(1),
    ].join(''),
  );
  assert.deepEqual(
    rules.map(({ id }) => id),
    [2, 5, 9, 1],
  );
  assert.deepEqual(
    notes.map(({ line, column }) => [line, column]),
    [[12, 21]],
  );
});

test('targets are added, left out and replaced, also in a link of a chain', () => {
  const { rules } = accepted(`SecRule ARGS|TX:a x "id:1,tag:t1,msg:'m one'"
SecRule ARGS x "id:2,chain,tag:t2"
SecRule TX x
SecRuleUpdateTargetById 1 "!ARGS:/^x|y$/|ARGS"
SecRuleUpdateTargetById 1 "REQUEST_URI" "TX:A"
SecRuleUpdateTargetById 2:1 "!TX:b"
SecRuleUpdateTargetById 1-2 "!ARGS:c"
SecRuleUpdateTargetByTag t2 "!ARGS:d"
SecRuleUpdateTargetByMsg one "!ARGS:e"`);
  const out = (text: string) => target('ARGS', { ...name(text), exclude: true });
  assert.deepEqual(
    rules.map(({ links }) => links.map(({ targets }) => targets)),
    [
      [[target('ARGS'), target('REQUEST_URI'), target('ARGS', { ...pattern('^x|y$'), exclude: true }), out('c'), out('e')]],
      [
        [target('ARGS'), out('c'), out('d')],
        [target('TX'), target('TX', { ...name('b'), exclude: true })],
      ],
    ],
  );
});

test('actions that appear once are replaced, others are added', () => {
  const { rules } = accepted(`SecRule ARGS x "id:1,deny,status:400,log,auditlog,t:lowercase,tag:a,msg:m,setvar:tx.a,chain"
SecRule ARGS x
SecRuleUpdateActionById 1 "pass,nolog,t:length,tag:b,setvar:tx.b"
SecRuleUpdateActionById 1:1 "t:length,capture"`);
  const [{ links, ...rule }] = rules;
  assert.deepEqual(
    [rule.disruption, rule.log, rule.auditLog, rule.tags, rule.message?.text],
    [{ kind: 'pass' }, false, false, ['a', 'b'], 'm'],
  );
  assert.deepEqual(
    links.map((link) => [link.transformations, link.effects.length, link.capture]),
    [
      [['lowercase', 'length'], 2, false],
      [['length'], 0, true],
    ],
  );
});

test('settings, the last one counts; types of answers add up', () => {
  const { settings, components, notes } = accepted(`SecRuleEngine DetectionOnly
SecRequestBodyAccess on
SecResponseBodyAccess Off
SecRequestBodyLimit 1
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyLimitAction Reject
SecRequestBodyJsonDepthLimit 512
SecArgumentsLimit 1000
SecResponseBodyMimeType a/b
SecResponseBodyMimeTypesClear
SecResponseBodyMimeType text/plain Text/HTML
SecResponseBodyMimeType text/xml text/html
SecResponseBodyLimit 524288
SecResponseBodyLimitAction ProcessPartial
SecCollectionTimeout 600
SecUploadFileLimit 10
SecArgumentSeparator &
SecCookieFormat 0
SecUnicodeMapFile unicode.mapping 20127
SecComponentSignature "core/1"
SecAuditEngine RelevantOnly
SecPcreMatchLimit 1000`);
  assert.deepEqual(settings, {
    engine: 'DetectionOnly',
    requestBodyAccess: true,
    responseBodyAccess: false,
    requestBodyLimit: 13_107_200,
    requestBodyNoFilesLimit: 131_072,
    requestBodyLimitAction: 'Reject',
    jsonDepthLimit: 512,
    argumentsLimit: 1000,
    responseBodyTypes: ['text/plain', 'text/html', 'text/xml'],
    responseBodyLimit: 524_288,
    responseBodyLimitAction: 'ProcessPartial',
    collectionTimeout: 600,
    uploadFileLimit: 10,
    argumentSeparator: '&',
  });
  assert.deepEqual(components, ['core/1']);
  assert.deepEqual(
    notes.map(({ line, message }) => [line, message.split(':')[0]]),
    [
      [22, 'SecAuditEngine means nothing here'],
      [23, 'SecPcreMatchLimit means nothing here'],
    ],
  );
});

test('files include files, taken from the folder of the one that asks', () => {
  const { rules, files } = accepted(
    [
      {
        file: '/r/a.conf',
        text: 'Include b/one.conf\nInclude *.rules\nIncludeOptional none/*.x\nIncludeOptional gone.conf\nSecAction id:4',
      },
    ],
    {
      '/r/b/one.conf': 'SecAction id:1\nInclude two.conf',
      '/r/b/two.conf': 'SecRule ARGS "@pmFromFile words.data" id:2',
      '/r/x.rules': 'SecAction id:3',
    },
  );
  assert.deepEqual(
    rules.map(({ id, place }) => [id, place.file]),
    [
      [1, '/r/b/one.conf'],
      [2, '/r/b/two.conf'],
      [3, '/r/x.rules'],
      [4, '/r/a.conf'],
    ],
  );
  assert.deepEqual(files, ['/r/a.conf', '/r/b/one.conf', '/r/b/two.conf', '/r/b/words.data', '/r/x.rules']);
});

test('several texts are read as if they were one', () => {
  const { rules } = accepted([
    { file: 'one', text: 'SecAction id:1' },
    { file: 'two', text: 'SecRuleRemoveById 1\nSecAction id:2' },
  ]);
  assert.deepEqual(
    rules.map(({ id }) => id),
    [2],
  );
});

test('a skip that leads nowhere, and what is said twice, is noted', () => {
  const { notes } = accepted('SecMarker A\nSecAction "id:1,skipAfter:A"\nSecAction "id:2,skipAfter:B,deny,pass"\nSecMarker B');
  assert.deepEqual(
    notes.map(({ line }) => line),
    [3, 2],
  );
});

test('what is harmless and says nothing is noted', () => {
  const { notes, rules } = accepted('SecAction "id:1,,deny,"\nSecRule ARGS x "id:2,chain"\nSecRule ARGS x "nolog"');
  assert.deepEqual(
    notes.map(({ line, column }) => [line, column]),
    [
      [1, 17],
      [3, 17],
    ],
  );
  assert.deepEqual([rules[0].disruption.kind, rules[1].log], ['deny', true]);
});

test('the operators of the world judge their arguments', () => {
  const problem: RuleProblem = { file: 'f', line: 1, column: 9, message: 'no' };
  const result = readRules([{ file: 'f', text: 'SecRule ARGS "@rx x" id:1' }], {
    ...world,
    readFile: () => undefined,
    list: () => [],
    checkOperator: (use, place) => ({ ...problem, message: `${use.name} ${place.column}` }),
  });
  assert.deepEqual(result, { ok: false, problems: [{ ...problem, message: 'rx 19' }] });
});
