import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from '../../mem/arena.js';
import { RegionHeap } from '../../mem/region-heap.js';
import { MAX_RANGES, SeqRanges } from './seq-ranges.js';

function makeRanges(): { ranges: SeqRanges; heap: RegionHeap } {
  const arena = new Arena(16 << 20);
  const heap = new RegionHeap(arena, 8 << 20);
  return { ranges: new SeqRanges(arena, heap, 4), heap };
}

function list(ranges: SeqRanges, connection: number, start: number): [number, number][] {
  return Array.from({ length: ranges.count[connection]! }, (_, i) => [
    (ranges.left(connection, i) - start) | 0,
    (ranges.right(connection, i) - start) | 0,
  ]);
}

test('agrees with a set of bytes under all additions and trims, also where numbers wrap', () => {
  const operation = fc.record({ left: fc.nat(200), length: fc.integer({ min: 1, max: 30 }), trim: fc.boolean() });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), fc.constantFrom(0, -100, 0x7fffff9c), (operations, start) => {
      const { ranges, heap } = makeRanges();
      const model = new Set<number>();
      for (const { left, length, trim } of operations) {
        if (trim) {
          ranges.trim(1, (start + left) | 0);
          for (const byte of [...model]) if (byte < left) model.delete(byte);
        } else {
          assert.ok(ranges.add(1, (start + left) | 0, (start + left + length) | 0));
          for (let byte = left; byte < left + length; byte++) model.add(byte);
        }
        const expected: [number, number][] = [];
        for (let byte = 0; byte < 300; byte++) {
          if (!model.has(byte)) continue;
          if (model.has(byte - 1)) expected.at(-1)![1] = byte + 1;
          else expected.push([byte, byte + 1]);
          assert.equal(ranges.find(1, (start + byte) | 0), expected.length - 1);
        }
        assert.deepEqual(list(ranges, 1, start), expected);
        assert.equal(ranges.bytes(1), model.size);
        assert.equal(heap.usedBytes, model.size > 0 ? 4096 : 0);
      }
    }),
    { seed: 2018, numRuns: 200 },
  );
});

test('is bounded', () => {
  const { ranges, heap } = makeRanges();
  for (let i = 0; i < MAX_RANGES; i++) assert.ok(ranges.add(0, i * 10, i * 10 + 5));
  assert.equal(ranges.add(0, MAX_RANGES * 10, MAX_RANGES * 10 + 5), false);
  assert.ok(ranges.add(0, 5, 10), 'what joins two ranges still fits');
  assert.equal(ranges.count[0], MAX_RANGES - 1);
  assert.ok(ranges.covers(0, 0, 15));
  assert.equal(ranges.covers(0, 0, 16), false);
  ranges.clear(0);
  assert.equal(heap.usedBytes, 0);
});
