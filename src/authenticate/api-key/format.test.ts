import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { isKey, KEY_LENGTH, newKey } from './format.ts';

/** Its checksum, 3lGYNT, was made by other code: `zlib.crc32` of Python. */
const KNOWN = 'pcl_0123456789ABCDEFGHIJabcdefghij';

test('a key has the form that the manual gives to secret scanners', () => {
  for (let i = 0; i < 200; i++) {
    const key = newKey();
    assert.match(key, /^pcl_[0-9A-Za-z]{36}$/);
    assert.equal(key.length, KEY_LENGTH);
    assert.ok(isKey(key), key);
  }
});

test('the last six characters are the CRC-32 of all before, in base 62', () => {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let sum = BigInt(crc32(Buffer.from(KNOWN)));
  let text = '';
  for (let i = 0; i < 6; i++, sum /= 62n) text = digits[Number(sum % 62n)] + text;
  assert.ok(isKey(KNOWN + text));
  assert.equal(text, '3lGYNT');
});

test('no two keys are the same, and every character comes up everywhere', () => {
  const keys = Array.from({ length: 3000 }, newKey);
  assert.equal(new Set(keys).size, keys.length);
  for (let place = 4; place < 34; place++) {
    // 3000 draws of 62: to miss one has a chance of 62 × (61/62)^3000 < 1e-19.
    assert.equal(new Set(keys.map((key) => key[place])).size, 62, `place ${place}`);
  }
});

test('a key with any one character changed, swapped, added or taken is none', () => {
  const key = newKey();
  for (let i = 0; i < key.length; i++) {
    for (const other of '0aZ_ -') {
      if (other !== key[i]) assert.equal(isKey(key.slice(0, i) + other + key.slice(i + 1)), false, `${i} ${other}`);
    }
    assert.equal(isKey(key.slice(0, i) + key.slice(i + 1)), false);
    assert.equal(isKey(`${key.slice(0, i)}a${key.slice(i)}`), false);
  }
  for (const wrong of ['', key + key, `${key}\n`, ` ${key}`, key.toLowerCase(), key.toUpperCase(), 'pcl_', '__proto__']) {
    assert.equal(isKey(wrong), false, JSON.stringify(wrong));
  }
});
