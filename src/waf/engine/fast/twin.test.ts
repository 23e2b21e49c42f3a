import { suite, test } from 'node:test';
import { missingForCrs } from '../../../../test/conformance/crs.ts';
import { Random } from '../../../../test/support/random.ts';
import { crsRequests, injectionLines, PLACES, toldOf, withValue } from '../../../../test/support/waf-requests.ts';
import { randomRequest, randomRules } from '../../../../test/support/waf-rules.ts';
import { CRS_RULES, programOf, type TwinOptions, type TwinRequest, Twins } from '../../../../test/support/waf-twin.ts';

/**
 * The fast way to judge and the plain one say the same: the same rules match for the same variables with the same texts, the same is done
 * about it, the same scores stand at the end. `npm run fuzz:waf-twin` looks for as long as one likes.
 */

/** Rules with requests that together once told the two apart, or could. Each set gets its requests in their order, twice. */
const CASES: readonly (readonly [what: string, rules: string, requests: readonly TwinRequest[]])[] = [
  [
    'verdicts that are remembered are of names, not only of values',
    `SecRule ARGS:a "@rx (.*)" "id:1,phase:2,capture,deny,setvar:tx.z=1,chain"
     SecRule ARGS:a "@streq evil"`,
    [{ query: pairs('b=evil', 'a=x') }, { query: pairs('a=evil', 'b=x') }],
  ],
  [
    'verdicts that are remembered are of what macros name, too',
    `SecRule ARGS:a "@rx (.*)" "id:1,phase:2,capture,deny,setvar:tx.z=1,chain"
     SecRule ARGS:a "@streq %{request_headers.h}"`,
    [
      { query: pairs('a=x'), headers: ['h', 'y'] },
      { query: pairs('a=x'), headers: ['h', 'x'] },
    ],
  ],
  [
    'what was found while a target was taken away holds only then',
    `SecRule REQUEST_HEADERS:h "@streq y" "id:9,phase:1,pass,ctl:ruleRemoveTargetById=1;ARGS:a"
     SecRule ARGS:a|ARGS:b "@rx (.*)" "id:1,phase:2,capture,deny,setvar:tx.z=1,chain"
     SecRule ARGS:a "@streq evil"`,
    [
      { query: pairs('a=evil', 'b=x'), headers: ['h', 'y'] },
      { query: pairs('a=evil', 'b=x'), headers: ['h', 'x'] },
    ],
  ],
  [
    'a skip over a rule that was foreseen',
    `SecRule ARGS:x "@streq y" "id:1,phase:2,pass,skipAfter:E"
     SecAction "id:2,phase:2,pass,nolog,setvar:tx.a=1"
     SecMarker E
     SecRule TX:a "@eq 1" "id:3,phase:2,deny"`,
    [{ query: pairs('x=y') }, { query: pairs('x=z') }],
  ],
  [
    'a skip into the middle of what a foreseen skip passes over',
    `SecRule ARGS:x "@streq y" "id:1,phase:2,pass,skip:1"
     SecAction "id:2,phase:2,pass,nolog,skipAfter:E"
     SecRule ARGS:x "@rx y" "id:3,phase:2,deny"
     SecMarker E`,
    [{ query: pairs('x=y') }, { query: pairs('x=z') }],
  ],
  [
    'a foreseen rule that is removed, that adds, and that others follow',
    `SecRule ARGS_GET:x "@streq y" "id:1,phase:1,pass,ctl:ruleRemoveById=2"
     SecAction "id:2,phase:2,pass,nolog,setvar:tx.a=+1"
     SecAction "id:4,phase:2,pass,nolog,setvar:tx.b=+1"
     SecRule TX:a "@eq 1" "id:3,phase:2,deny"
     SecRule TX:b "@eq 1" "id:5,phase:2,pass,log,logdata:'%{tx.a} %{tx.b}'"`,
    [{ query: pairs('x=y') }, { query: pairs('x=z') }],
  ],
  [
    'a rule of a row that is removed',
    `SecRule ARGS_GET:x "@streq y" "id:1,phase:1,pass,ctl:ruleRemoveById=2"
     SecRule ARGS_GET:x "@streq w" "id:9,phase:1,pass,setvar:tx.in_score=+5"
     SecAction "id:2,phase:2,pass,nolog,setvar:tx.sum=+%{tx.in_score}"
     SecAction "id:4,phase:2,pass,nolog,setvar:tx.sum=+1"
     SecRule TX:sum "@ge 1" "id:3,phase:2,pass,log,logdata:'%{tx.sum}'"`,
    [{ query: pairs('x=y') }, { query: pairs('x=w') }, { query: pairs('x=y', 'x=w') }],
  ],
  [
    'allow of a phase: what comes behind was not done',
    `SecRule ARGS_GET:x "@streq y" "id:1,phase:1,allow:phase"
     SecAction "id:2,phase:1,pass,nolog,setvar:tx.a=1"
     SecRule TX:a "@eq 1" "id:3,phase:2,deny"`,
    [{ query: pairs('x=y') }, { query: pairs('x=z') }],
  ],
  [
    'a refusal, a missing answer: the last phase knows what was not done',
    `SecRule ARGS:x "@streq y" "id:1,phase:1,deny"
     SecAction "id:2,phase:2,pass,nolog,setvar:tx.a=1"
     SecAction "id:4,phase:3,pass,nolog,setvar:tx.b=1"
     SecRule TX:a|TX:b "@eq 1" "id:3,phase:5,log,pass"`,
    [{ query: pairs('x=y') }, { query: pairs('x=z') }, { query: pairs('x=z'), status: 200 }],
  ],
  [
    'a transformation that changes the empty value, and a count of none',
    `SecRule ARGS "@eq 0" "id:1,phase:2,pass,t:length"
     SecRule &ARGS:b "@eq 1" "id:2,phase:2,pass,t:length,multiMatch"
     SecRule ARGS "@streq d41d8cd98f00b204e9800998ecf8427e" "id:3,phase:2,pass,t:md5,t:hexEncode"`,
    [{ query: pairs('x=') }, { query: pairs('x=z') }],
  ],
  [
    'what another rule captured is read before a rule captures itself',
    `SecRule REQUEST_METHOD "@rx ^E(.)" "id:3,phase:1,pass,capture"
     SecRule TX:1 "@rx (.)" "id:4,phase:1,pass,capture,chain"
     SecRule ARGS_GET:a "@streq b" "setvar:tx.x=1"`,
    [
      { method: 'GET', query: pairs('a=c') },
      { method: 'EGET', query: pairs('a=b') },
    ],
  ],
  [
    'a chain that breaks off leaves what it did, and no name of a variable',
    `SecRule ARGS "@rx ^e" "id:1,phase:2,deny,setvar:tx.seen=+1,chain"
     SecRule ARGS:b "@rx ." "setvar:tx.deep=+1,chain"
     SecRule MATCHED_VARS "@streq 7" "t:none"
     SecRule TX:seen "@ge 2" "id:2,phase:2,pass,log,msg:'%{tx.seen} %{tx.deep}'"
     SecAction "id:3,phase:2,pass,log,msg:'%{matched_var_name} %{matched_var}'"`,
    [{ query: pairs('a=e1', 'c=e2', 'b=1') }, { query: pairs('a=e1', 'c=e2') }, { query: pairs('a=e1', 'b=7') }],
  ],
  [
    'the engine is switched off, to detection, and not beyond what the configuration says',
    `SecRule ARGS_GET:m "@streq off" "id:1,phase:1,pass,ctl:ruleEngine=Off"
     SecRule ARGS_GET:m "@streq detect" "id:2,phase:1,pass,ctl:ruleEngine=DetectionOnly"
     SecRule ARGS_GET:m "@streq on" "id:3,phase:1,pass,ctl:ruleEngine=On"
     SecRule ARGS "@rx evil" "id:4,phase:2,deny"
     SecAction "id:5,phase:5,pass,log"`,
    ['off', 'detect', 'on', 'other'].map((mode) => ({ query: pairs(`m=${mode}`, 'x=evil') })),
  ],
  [
    'collections that outlive a request',
    `SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{remote_addr}"
     SecRule ARGS_GET "@rx evil" "id:2,phase:1,pass,setvar:ip.bad=+1,expirevar:ip.bad=60"
     SecRule IP:bad "@ge 2" "id:3,phase:2,deny"
     SecRule &IP:bad "@eq 0" "id:4,phase:2,pass,log"`,
    [{}, { query: pairs('a=evil') }, { query: pairs('b=x', 'a=evil') }, {}],
  ],
  [
    'how the body is read changes in the middle of a phase',
    `SecRule ARGS_POST:a "@streq raw" "id:1,phase:2,pass,ctl:forceRequestBodyVariable=On"
     SecAction "id:2,phase:2,pass,nolog,setvar:tx.n=+1"
     SecRule REQUEST_BODY "@rx evil" "id:3,phase:2,pass,log,msg:'%{tx.n}'"`,
    [
      { processor: 'JSON', body: 'evil', reading: { arguments: { names: ['a'], values: ['raw'] } } },
      { processor: 'JSON', body: 'evil', reading: { arguments: { names: ['a'], values: ['x'] } } },
    ],
  ],
];

function pairs(...texts: string[]): [string, string][] {
  return texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]);
}

suite('rules and requests that could tell the two apart', () => {
  for (const [what, rules, requests] of CASES) {
    for (const mode of ['On', 'DetectionOnly'] as const) {
      test(`${what} (${mode})`, () => {
        const twins = new Twins(programOf({ extra: [rules] }), mode);
        for (const request of [...requests, ...requests]) twins.check(request, rules);
      });
    }
  }
});

test('sets of rules at random, in which everything touches everything', () => {
  for (let seed = 1; seed <= 250; seed++) {
    const random = new Random(seed);
    const rules = randomRules(random);
    const twins = new Twins(programOf({ extra: [rules] }), random.chance(0.7) ? 'On' : 'DetectionOnly');
    const sent: TwinRequest[] = [];
    for (let i = 0; i < 20; i++) {
      // What came before comes again, whole or in part: only then is anything remembered.
      const old = sent.length > 0 && random.chance(0.5) ? random.pick(sent) : undefined;
      const request =
        old === undefined ? randomRequest(random) : { ...randomRequest(random), query: old.query, headers: old.headers };
      sent.push(request);
      twins.check(request, `seed ${seed}\n${rules}`);
    }
  }
});

suite('the Core Rule Set on all that its tests send, on injections, prose and noise', { skip: missingForCrs() }, () => {
  const options: readonly TwinOptions[] = [
    { mode: 'On', paranoia: 1 },
    { mode: 'DetectionOnly', paranoia: 4, threshold: 10_000 },
  ];
  for (const one of options) {
    test(JSON.stringify(one), () => {
      const twins = new Twins(programOf({ rules: CRS_RULES }, one), one.mode);
      const random = new Random(7);
      for (const sent of every(29, crsRequests())) twins.check(toldOf(sent));
      for (const line of every(97, injectionLines())) {
        const told = toldOf(withValue(line, random.below(PLACES)));
        twins.check({ ...told, response: { status: 200, headers: ['content-type', 'text/html'], body: line } });
      }
      for (let i = 0; i < 60; i++) twins.check(toldOf(withValue(noise(random), i)));
    });
  }
});

const every = <T>(step: number, list: readonly T[]) => list.filter((_, i) => i % step === 0);

function noise(random: Random): string {
  const most = random.pick([96, 128, 256]);
  return Array.from({ length: random.below(80) }, () => String.fromCharCode(random.below(most))).join('');
}
