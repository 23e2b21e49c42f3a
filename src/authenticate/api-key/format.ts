import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * An API key: `pcl_`, 30 characters of base 62 (178 bits of chance), and 6 more that are the CRC-32 of all before. The beginning tells
 * people and secret scanners whose key it is, the checksum tells a key from what looks like one without asking anybody. It holds nothing
 * that a URL, a shell or a header would have to quote, and is one word for a double click.
 */
const BEGINNING = 'pcl_';
const RANDOM_LENGTH = 30;
const CHECKED_LENGTH = BEGINNING.length + RANDOM_LENGTH;
const CHECKSUM_LENGTH = 6;
export const KEY_LENGTH = CHECKED_LENGTH + CHECKSUM_LENGTH;

const KEY = /^pcl_[0-9A-Za-z]{36}$/;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A new key. Its characters are all equally likely. */
export function newKey(): string {
  let key = BEGINNING;
  while (key.length < CHECKED_LENGTH) {
    for (const byte of randomBytes(RANDOM_LENGTH)) {
      // 248 is four times 62: the bytes above would make the first digits likelier.
      if (byte < 248 && key.length < CHECKED_LENGTH) key += DIGITS[byte % 62];
    }
  }
  return key + checksum(key);
}

/** Whether this is a key by its form and checksum; the length is looked at first. Says nothing about who issued it. */
export function isKey(text: string): boolean {
  return text.length === KEY_LENGTH && KEY.test(text) && checksum(text.slice(0, CHECKED_LENGTH)) === text.slice(CHECKED_LENGTH);
}

/** Whether a key stands anywhere in the text: form and checksum, so that nothing else is taken for one. */
export function holdsKey(text: string): boolean {
  for (let at = text.indexOf(BEGINNING); at >= 0; at = text.indexOf(BEGINNING, at + BEGINNING.length)) {
    if (isKey(text.slice(at, at + KEY_LENGTH))) return true;
  }
  return false;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = DIGITS[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
