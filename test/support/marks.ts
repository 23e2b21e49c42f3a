import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

/** A text that nobody writes by accident. Wherever it stands, a secret got there. */
export const MARK = `MARK${randomBytes(8).toString('hex')}`;

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A secret in other clothes is the same secret. Three positions of the mark within base64, without what its neighbours touch. */
const COSTUMES = [MARK, ...['', 'x', 'xx'].map((before) => base64(before + MARK).slice(before === '' ? 0 : 4, -4))];

/** Neither the mark in any of its clothes nor one of the other secrets stands in this text. */
export function assertClean(text: string, where: string, others: readonly string[] = []): void {
  for (const costume of [...COSTUMES, ...others]) {
    const at = text.indexOf(costume);
    assert.equal(at, -1, `${where}: …${text.slice(Math.max(0, at - 300), at + 100)}…`);
  }
}
