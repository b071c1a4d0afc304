import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Arena } from './arena.js';

describe('Arena', () => {
  it('gives out zeroed, aligned ranges that do not overlap, and never offset 0', () => {
    const arena = new Arena(1 << 20);
    const a = arena.allocate(10);
    const b = arena.allocate(1);
    const page = arena.allocate(5000, 4096);
    assert.ok(a >= 64 && b >= a + 10 && page >= b + 1);
    assert.equal(a % 64, 0);
    assert.equal(b % 64, 0);
    assert.equal(page % 4096, 0);
    const column = arena.int32(100);
    const doubles = arena.float64(3);
    assert.ok(column.every((value) => value === 0));
    assert.equal(column.buffer, arena.memory.buffer);
    assert.ok(column.byteOffset >= page + 5000 && doubles.byteOffset >= column.byteOffset + 400);
    assert.equal(doubles.byteOffset % 8, 0);
  });

  it('is a shared memory of the size that was asked for, in whole pages', () => {
    const arena = new Arena(100_000);
    assert.equal(arena.sizeBytes, 131_072);
    assert.ok(arena.view.buffer instanceof SharedArrayBuffer);
    assert.throws(() => new Arena(2 ** 31), /at most/);
    assert.throws(() => new Arena(0), /at most/);
  });

  it('says when it is full, and still takes what fits', () => {
    const arena = new Arena(65_536);
    assert.throws(() => arena.allocate(65_500), { code: 'USERNET_ARENA_FULL' });
    const at = arena.allocate(65_536 - 64);
    assert.equal(at, 64);
    assert.equal(arena.usedBytes, 65_536);
    assert.throws(() => arena.int32(1), { code: 'USERNET_ARENA_FULL' });
  });

  it('copies ranges that overlap', () => {
    const arena = new Arena(65_536);
    arena.bytes.set([1, 2, 3, 4, 5], 100);
    arena.copy(102, 100, 5);
    assert.deepEqual([...arena.bytes.subarray(100, 107)], [1, 2, 1, 2, 3, 4, 5]);
  });

  it('copies in and out of private memory, however both lie', () => {
    for (const sizeBytes of [1 << 20, 131_072]) {
      const arena = new Arena(sizeBytes);
      const base = arena.allocate(80_000);
      const source = Uint8Array.from({ length: 70_100 }, (_, i) => (i * 7 + (i >> 8)) & 255);
      for (const [offset, from, count] of [
        [0, 0, 70_000],
        [0, 3, 70_000],
        [5, 0, 127],
        [5, 1, 128],
        [7, 2, 65_536],
        [1, 6, 65_537],
        [3, 0, 0],
      ] as const) {
        arena.bytes.fill(255, base, base + 80_000);
        arena.copyIn(base + 8 + offset, source, from, count);
        const written = arena.bytes.slice(base, base + 80_000);
        assert.deepEqual(written.subarray(8 + offset, 8 + offset + count), source.subarray(from, from + count));
        assert.equal(written[7 + offset], 255);
        assert.equal(written[8 + offset + count], 255);
        const target = new Uint8Array(count + 10).fill(255);
        arena.copyOut(base + 8 + offset, target, from, count - from < 0 ? 0 : count - from);
        const read = target.subarray(from, Math.max(from, count));
        assert.deepEqual(read, source.subarray(from, from + read.length));
        assert.equal(target[Math.max(from, count)], 255);
      }
    }
  });
});
