import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recommendedRules } from './recommended.ts';

const has = (text: string, id: number) => recommendedRules([text]).includes(`"id:${id},`);

test('a rule that a file defines itself is not implied', () => {
  for (const text of [
    'SecRule REQBODY_ERROR "!@eq 0" "id:200002,phase:2,deny"',
    'SecRule A "@rx x" \\\n  "phase:2,\\\n  id:\'200002\',deny"',
    '# a comment\n  SecAction "id:200002,pass"',
    'SecAction "id:200002"',
  ])
    assert.ok(!has(text, 200002) && has(text, 200003), text);
});

test('what only looks like a definition takes nothing away', () => {
  for (const text of [
    '',
    'SecRuleRemoveById 200002',
    'SecAction "id:2000021,pass"',
    'SecAction "xid:200002,pass"',
    '#SecRule REQBODY_ERROR "!@eq 0" "id:200002,phase:2,deny"',
    '  # SecRule REQBODY_ERROR "!@eq 0" \\\n "id:200002,phase:2,deny"',
    '#SecRule A "@rx x" \\\r\n  "phase:2,\\\r\n  id:200002,deny"',
    'SecAction "id:1200002,msg:\'id 200002\'"',
  ])
    assert.ok(has(text, 200002), text);
});

test('the limits of the recommended configuration stand before all files', () => {
  assert.match(recommendedRules([]), /^SecRuleEngine On\n[^]*SecRequestBodyNoFilesLimit 131072\n/);
});
