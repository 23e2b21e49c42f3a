import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptLog } from '../../test/support/corridor.ts';
import { SecretCare } from './secret-care.ts';

const MARK = 'mark-7f3a9-value';
const use = (text = MARK) => ({ files: [], variables: [], hidden: [{ text, shown: 'secret:A' }] });

test('a secret that somebody logs is taken out, wherever it stands', () => {
  const kept = new KeptLog();
  const care = new SecretCare();
  care.take(use());
  const log = care.guard(kept);
  const cause = new Error(`inside ${MARK}`);
  log.error(`about ${MARK}`, {
    text: `redis://:${MARK}@host`,
    list: [MARK, { deep: MARK.toUpperCase() }],
    error: new TypeError(`thrown ${MARK}`, { cause }),
    other: 7,
  });
  const { error, ...fields } = kept.lines[0].fields;
  assert.equal(kept.lines[0].message, 'about secret:A');
  assert.deepEqual(fields, { text: 'redis://:secret:A@host', list: ['secret:A', { deep: 'secret:A' }], other: 7 });
  assert.ok(error instanceof Error && error.cause instanceof Error);
  assert.equal(error.name, 'TypeError');
  for (const text of [error.message, error.stack, error.cause.message, error.cause.stack]) assert.ok(!text?.includes(MARK), text);
});

test('a value of the configuration before stays hidden: it may still be in use', () => {
  const care = new SecretCare();
  care.take(use());
  care.take(use('another-value'));
  assert.equal(care.redact(`${MARK} another-value`), 'secret:A secret:A');
});

test('a variable that holds a secret is gone for children, and found by the next load', () => {
  process.env.CARE_TEST = MARK;
  const care = new SecretCare();
  care.take({ ...use(), variables: ['CARE_TEST'] });
  assert.equal(process.env.CARE_TEST, undefined);
  assert.equal(care.environment.CARE_TEST, MARK);
});
