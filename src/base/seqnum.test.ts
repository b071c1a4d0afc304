import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seqAdd, seqDiff, seqGeq, seqGt, seqLeq, seqLt, seqMax } from './seqnum.js';

const number = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)));

describe('sequence numbers', () => {
  it('compare by distance, across the wrap', () => {
    const distance = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(number, distance, (a, n) => {
        const b = seqAdd(a, n);
        assert.equal(b, (a + n) | 0);
        assert.equal(seqDiff(b, a), n);
        assert.equal(seqDiff(a, b), -n);
        assert.ok(seqLt(a, b) && seqLeq(a, b) && !seqGt(a, b) && !seqGeq(a, b));
        assert.ok(seqGt(b, a) && seqGeq(b, a) && !seqLt(b, a) && !seqLeq(b, a));
        assert.equal(seqMax(a, b), b);
        assert.equal(seqMax(b, a), b);
      }),
      { seed: 1 },
    );
  });

  it('know when they are equal', () => {
    fc.assert(
      fc.property(number, (a) => {
        assert.ok(seqLeq(a, a) && seqGeq(a, a) && !seqLt(a, a) && !seqGt(a, a));
        assert.equal(seqDiff(a, a), 0);
        assert.equal(seqAdd(a, 2 ** 32), a);
      }),
      { seed: 1 },
    );
  });
});
