import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.js';
import { MAX_REGION_BITS, MIN_REGION_BITS, RegionHeap } from './region-heap.js';

describe('RegionHeap', () => {
  it('gives out regions that never overlap, within its limit', () => {
    const command = fc.record({
      give: fc.boolean(),
      bits: fc.integer({ min: MIN_REGION_BITS, max: MIN_REGION_BITS + 5 }),
      pick: fc.nat(),
    });
    const property = fc.property(fc.array(command, { maxLength: 80, size: 'max' }), (commands) => {
      const limit = 512 * 1024;
      const heap = new RegionHeap(new Arena(2 << 20), limit);
      const taken: { at: number; bits: number }[] = [];
      for (const { give, bits, pick } of commands) {
        if (give && taken.length > 0) {
          const [region] = taken.splice(pick % taken.length, 1);
          heap.give(region!.at, region!.bits);
        } else {
          const at = heap.take(bits);
          if (at !== 0) {
            assert.equal(at % 4096, 0);
            for (const other of taken) assert.ok(at + 2 ** bits <= other.at || other.at + 2 ** other.bits <= at);
            taken.push({ at, bits });
          } else {
            assert.ok(heap.reservedBytes + 2 ** bits > limit);
          }
        }
        assert.equal(
          heap.usedBytes,
          taken.reduce((sum, region) => sum + 2 ** region.bits, 0),
        );
        assert.ok(heap.reservedBytes >= heap.usedBytes && heap.reservedBytes <= limit);
      }
    });
    fc.assert(property, { seed: 8, numRuns: 100 });
  });

  it('splits larger regions before it asks for more memory', () => {
    const heap = new RegionHeap(new Arena(2 << 20), 64 * 1024);
    const large = heap.take(16);
    assert.equal(heap.take(12), 0);
    heap.give(large, 16);
    const small = Array.from({ length: 16 }, () => heap.take(12));
    assert.ok(small.every((at) => at >= large && at < large + 65_536));
    assert.equal(new Set(small).size, 16);
    assert.equal(heap.take(12), 0);
    assert.equal(heap.reservedBytes, 65_536);
  });

  it('joins neighbours when small regions have come back and a large one is wanted', () => {
    const limit = 2 ** 20;
    const heap = new RegionHeap(new Arena(2 ** 22), limit);
    const small = Array.from({ length: limit >> MIN_REGION_BITS }, () => heap.take(MIN_REGION_BITS));
    assert.ok(small.every((at) => at !== 0));
    assert.equal(heap.take(13), 0);
    for (const at of small.filter((_, i) => i % 2 === 0)) heap.give(at, MIN_REGION_BITS);
    assert.equal(heap.take(13), 0, 'no two free regions are neighbours');
    for (const at of small.filter((_, i) => i % 2 === 1)) heap.give(at, MIN_REGION_BITS);
    const half = [heap.take(19), heap.take(19)];
    assert.ok(half.every((at) => at !== 0));
    assert.equal(heap.take(MIN_REGION_BITS), 0);
    assert.equal(heap.usedBytes, limit);
  });

  it('is out of memory, and nothing worse, when the arena is full', () => {
    const heap = new RegionHeap(new Arena(128 * 1024), 1 << 30);
    assert.equal(heap.take(MAX_REGION_BITS), 0);
    assert.notEqual(heap.take(16), 0);
    assert.equal(heap.take(16), 0);
    assert.throws(() => heap.take(MIN_REGION_BITS - 1), /region/);
    assert.throws(() => heap.take(MAX_REGION_BITS + 1), /region/);
  });
});
