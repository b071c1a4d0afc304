import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_READ_BYTES, ReadSlab } from './read-slab.js';

test('rooms never overlap, whatever their sizes', () => {
  const slab = new ReadSlab();
  const given: [buffer: ArrayBuffer, from: number, to: number][] = [];
  let seed = 1;
  for (let i = 0; i < 3_000; i++) {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    const count = 1 + (seed % (i % 10 === 0 ? MAX_READ_BYTES : 3_000));
    slab.reserve(count);
    const { bytes, at } = slab;
    assert.ok(at + count <= bytes.length);
    assert.ok(!given.some(([buffer, from, to]) => buffer === bytes.buffer && at < to && from < at + count));
    given.push([bytes.buffer, at, at + count]);
    if (given.length > 200) given.shift();
  }
});

test('large reads have memory of their own and no more than they need', () => {
  const slab = new ReadSlab();
  slab.reserve(40_000);
  assert.deepEqual([slab.bytes.buffer.byteLength, slab.at], [40_000, 0]);
});
