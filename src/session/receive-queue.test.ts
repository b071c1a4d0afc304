import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ReceiveQueue } from './receive-queue.js';

describe('a receive queue', () => {
  it('gives back all bytes in order, however they came and are read', () => {
    const step = fc.record({
      isPush: fc.boolean(),
      count: fc.oneof(fc.nat(20), fc.nat(3_000), fc.nat(20_000)),
      slack: fc.oneof(fc.nat(10), fc.nat(30_000)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ReceiveQueue();
        let pushed = 0;
        let read = 0;
        for (const { isPush, count, slack } of steps) {
          if (isPush) {
            const chunk = new Uint8Array(count + slack);
            const from = slack >> 1;
            for (let i = 0; i < count; i++) chunk[from + i] = (pushed + i) % 251;
            queue.push(chunk, from, count);
            pushed += count;
          } else {
            const into = new Uint8Array(count + 2).fill(255);
            const taken = queue.read(into, 1, count);
            assert.equal(taken, Math.min(count, pushed - read));
            for (let i = 0; i < taken; i++) assert.equal(into[i + 1], (read + i) % 251);
            assert.ok(into[0] === 255 && into[taken + 1] === 255);
            read += taken;
          }
          assert.equal(queue.length, pushed - read);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps a large piece without copying it, and copies a small part of a large chunk', () => {
    const queue = new ReceiveQueue();
    const large = new Uint8Array(10_000);
    queue.push(large, 0, 10_000);
    large[0] = 7;
    const into = new Uint8Array(10_000);
    queue.read(into, 0, 10_000);
    assert.equal(into[0], 7);
    queue.push(new Uint8Array(large.buffer), 0, 2_400);
    large[0] = 8;
    queue.read(into, 0, 2_400);
    assert.equal(into[0], 7);
  });
});
