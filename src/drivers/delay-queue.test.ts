import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DelayQueue } from './delay-queue.js';

describe('DelayQueue', () => {
  it('gives out by time and, among equals, by arrival', () => {
    const command = fc.oneof(
      { weight: 3, arbitrary: fc.record({ dueNs: fc.integer({ min: 0, max: 20 }) }) },
      { weight: 2, arbitrary: fc.constant('pop' as const) },
    );
    const property = fc.property(fc.array(command, { maxLength: 300, size: 'max' }), (commands) => {
      const queue = new DelayQueue(300);
      let model: { slot: number; dueNs: number }[] = [];
      commands.forEach((step, slot) => {
        if (step !== 'pop') {
          queue.push(slot, step.dueNs);
          model.push({ slot, dueNs: step.dueNs });
        } else if (model.length > 0) {
          const first = model.reduce((best, item) => (item.dueNs < best.dueNs ? item : best));
          assert.equal(queue.pop(), first.slot);
          model = model.filter((item) => item !== first);
        }
        assert.equal(queue.count, model.length);
        assert.equal(queue.nextDueNs, Math.min(...model.map(({ dueNs }) => dueNs)));
      });
    });
    fc.assert(property, { seed: 4, numRuns: 200 });
  });

  it('does not take more than it has room for', () => {
    const queue = new DelayQueue(1);
    queue.push(1, 1);
    assert.throws(() => queue.push(2, 2), /full/);
    queue.pop();
    assert.throws(() => queue.pop(), /empty/);
  });
});
