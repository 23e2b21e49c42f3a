import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Memory, MemoryRoom } from './memory.ts';
import type { Sieve } from './sieve.ts';
import type { Check, Hits } from './sieve-node.ts';

/** Matches what has an `x` in it, and counts how often it is asked. */
class Counting implements Pick<Sieve, 'judge'> {
  asked = 0;

  judge(value: string, hits: Hits): void {
    this.asked++;
    if (value.includes('x')) hits.hit({ id: 7 } as Check);
  }
}

const memoryOf = (sieve: Counting, room = new MemoryRoom()) => new Memory(sieve as unknown as Sieve, room);

function hitsOf(memory: Memory, value: string): number[] {
  const ids: number[] = [];
  memory.judge(value, { hit: ({ id }) => ids.push(id) });
  return ids;
}

suite('verdicts on values that repeat', () => {
  test('a value is judged once, and its verdict told each time', () => {
    const sieve = new Counting();
    const memory = memoryOf(sieve);
    for (let i = 0; i < 10; i++) assert.deepEqual([hitsOf(memory, 'x'), hitsOf(memory, 'y')], [[7], []]);
    assert.deepEqual([sieve.asked, memory.size], [2, 2]);
  });

  test('where values do not repeat nothing is kept, and the verdicts stay right', () => {
    const memory = memoryOf(new Counting());
    for (let i = 0; i < 1000; i++) assert.deepEqual(hitsOf(memory, `x${i}`), [7]);
    assert.equal(memory.size, 0);
  });

  test('a long value is judged each time', () => {
    const sieve = new Counting();
    const memory = memoryOf(sieve);
    for (let i = 0; i < 3; i++) hitsOf(memory, 'y'.repeat(257));
    assert.deepEqual([sieve.asked, memory.size], [3, 0]);
  });

  test('all memories of a room together keep no more than one bound, however many names a client invents', () => {
    const room = new MemoryRoom();
    const memories = Array.from({ length: 200 }, () => memoryOf(new Counting(), room));
    let most = 0;
    for (const memory of memories) {
      // Each value several times, as somebody would who wants them kept.
      for (let i = 0; i < 1000; i++) for (let time = 0; time < 3; time++) hitsOf(memory, `x${i}`);
      most = Math.max(
        most,
        memories.reduce((sum, { size }) => sum + size, 0),
      );
    }
    assert.ok(most > 1000 && most <= 16_384, `${most} verdicts were kept`);
    assert.deepEqual(hitsOf(memories[0], 'x0'), [7]);
  });
});
