import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.js';
import { FifoTable } from './fifo.js';
import { RegionHeap } from './region-heap.js';

function makeFifos(heapBytes = 1 << 20, capacity = 4) {
  const arena = new Arena(4 << 20);
  const heap = new RegionHeap(arena, heapBytes);
  const scratch = arena.allocate(200_000);
  const fifos = new FifoTable(arena, heap, capacity);
  /** Puts bytes where `place` takes them from. */
  const stage = (bytes: Uint8Array) => {
    arena.bytes.set(bytes, scratch);
    return scratch;
  };
  const peek = (fifo: number, offset: number, count: number) => {
    fifos.peek(fifo, offset, scratch, count);
    return arena.bytes.slice(scratch, scratch + count);
  };
  return { arena, heap, fifos, stage, peek };
}

/** The byte at position `i` of the stream. */
const streamByte = (i: number) => (i * 7 + (i >> 8) * 13 + 1) & 0xff;
const stream = (from: number, count: number) => Uint8Array.from({ length: count }, (_, i) => streamByte(from + i));

const size = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 9000 }));
const command = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), count: size, at: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant('place' as const), ahead: fc.oneof(fc.constant(0), size), count: size }),
  fc.record({ kind: fc.constant('commit' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('read' as const), count: size, at: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant('drop' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('peek' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('limit' as const), limit: fc.integer({ min: 1, max: 60_000 }) }),
  fc.record({ kind: fc.constant('reopen' as const) }),
);

/** Which bytes of the stream are there: positions from `head` to `tail`, and those ahead of it. */
interface Model {
  head: number;
  tail: number;
  limit: number;
  readonly ahead: Set<number>;
}

describe('FifoTable', () => {
  /** Runs commands on a FIFO and on a plain model. `heapBytes` decides whether memory runs out. */
  function check(heapBytes: number): void {
    const property = fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
      const { heap, fifos, stage, peek } = makeFifos(heapBytes);
      const isScarce = heapBytes < 1 << 20;
      const model: Model = { head: 0, tail: 0, limit: 20_000, ahead: new Set() };
      // A neighbour that must not be touched.
      fifos.open(0, 5000);
      fifos.write(0, stream(1000, 300), 0, 300);
      fifos.open(1, model.limit);
      for (const step of commands) {
        const used = model.tail - model.head;
        if (step.kind === 'write' && model.ahead.size === 0) {
          const source = new Uint8Array(step.at + step.count);
          source.set(stream(model.tail, step.count), step.at);
          const taken = fifos.write(1, source, step.at, step.count);
          const room = Math.max(0, Math.min(step.count, model.limit - used));
          assert.ok(isScarce ? taken >= 0 && taken <= room : taken === room, `${taken} of ${room}`);
          model.tail += taken;
        } else if (step.kind === 'place') {
          const from = model.tail + step.ahead;
          const taken = fifos.place(1, step.ahead, stage(stream(from, step.count)), step.count);
          const room = Math.max(0, Math.min(step.count, model.limit - used - step.ahead));
          assert.ok(isScarce ? taken >= 0 && taken <= room : taken === room, `${taken} of ${room}`);
          for (let i = 0; i < taken; i++) model.ahead.add(from + i);
        } else if (step.kind === 'commit') {
          let whole = 0;
          while (model.ahead.has(model.tail + whole)) whole++;
          const count = Math.floor(whole * step.share);
          fifos.commit(1, count);
          for (let i = 0; i < count; i++) model.ahead.delete(model.tail++);
        } else if (step.kind === 'read') {
          const target = new Uint8Array(step.at + step.count);
          const taken = fifos.read(1, target, step.at, step.count);
          assert.equal(taken, Math.min(step.count, used));
          assert.deepEqual(target.subarray(step.at, step.at + taken), stream(model.head, taken));
          model.head += taken;
        } else if (step.kind === 'drop') {
          const count = Math.floor(used * step.share);
          fifos.drop(1, count);
          model.head += count;
        } else if (step.kind === 'peek' && used > 0) {
          const offset = Math.floor((used - 1) * step.share);
          assert.deepEqual(peek(1, offset, used - offset), stream(model.head + offset, used - offset));
          const piece = fifos.contiguous(1, offset);
          assert.ok(piece > 0 && piece <= used - offset);
        } else if (step.kind === 'limit') {
          model.limit = step.limit;
          fifos.setLimit(1, step.limit);
        } else if (step.kind === 'reopen') {
          fifos.close(1);
          fifos.close(1);
          fifos.open(1, model.limit);
          model.head = model.tail;
          model.ahead.clear();
        }
        assert.equal(fifos.readable(1), model.tail - model.head);
        assert.equal(fifos.space(1), Math.max(0, model.limit - (model.tail - model.head)));
        if (model.head === model.tail && model.ahead.size === 0) assert.equal(heap.usedBytes, 4096);
      }
      const rest = model.tail - model.head;
      if (rest > 0) assert.deepEqual(peek(1, 0, rest), stream(model.head, rest));
      assert.deepEqual(peek(0, 0, 300), stream(1000, 300));
      fifos.close(1);
      fifos.close(0);
      assert.equal(heap.usedBytes, 0);
    });
    fc.assert(property, { seed: 9, numRuns: 300 });
  }

  it('behaves as an array of bytes, with bytes that come out of order', () => check(1 << 20));

  it('behaves so when memory runs out as well: it takes less', () => check(32 * 1024));

  it('holds memory from the first byte to the last', () => {
    const { heap, fifos } = makeFifos();
    fifos.open(2, 1 << 20);
    assert.equal(heap.usedBytes, 0);
    fifos.write(2, new Uint8Array(1), 0, 1);
    assert.equal(heap.usedBytes, 4096);
    fifos.write(2, new Uint8Array(100_000), 0, 100_000);
    assert.equal(heap.usedBytes, 131_072);
    fifos.drop(2, 100_000);
    assert.equal(heap.usedBytes, 131_072);
    fifos.drop(2, 1);
    assert.equal(heap.usedBytes, 0);
  });

  it('is content with less memory than it had before', () => {
    const { heap, fifos } = makeFifos(128 * 1024);
    fifos.open(0, 65_536);
    fifos.open(1, 65_536);
    assert.equal(fifos.write(0, stream(0, 65_536), 0, 65_536), 65_536);
    fifos.drop(0, 65_536);
    assert.equal(fifos.write(1, stream(0, 4096), 0, 4096), 4096);
    // The ring that it had would not fit beside the other one.
    assert.equal(fifos.write(0, stream(0, 65_536), 0, 65_536), 32_768);
    assert.equal(fifos.write(1, stream(4096, 60_000), 0, 60_000), 12_288);
    assert.equal(fifos.write(1, stream(0, 1), 0, 1), 0);
    assert.equal(heap.usedBytes, 32_768 + 16_384);
    const read = new Uint8Array(65_536);
    assert.equal(fifos.read(1, read, 0, 65_536), 16_384);
    assert.deepEqual(read.subarray(0, 16_384), stream(0, 16_384));
  });

  it('leaves half of the memory to what arrives, and never refuses the smallest ring while there is one', () => {
    const { heap, fifos, stage } = makeFifos(64 * 1024);
    for (let fifo = 0; fifo < 4; fifo++) fifos.open(fifo, 65_536);
    assert.equal(fifos.write(0, stream(0, 65_536), 0, 65_536), 32_768);
    assert.equal(fifos.write(1, stream(0, 65_536), 0, 65_536), 4096);
    assert.equal(fifos.place(2, 0, stage(stream(0, 65_536)), 65_536), 16_384);
    assert.equal(fifos.place(3, 0, stage(stream(0, 65_536)), 65_536), 4096);
    assert.equal(heap.usedBytes, 57_344);
  });

  it('carries more than 4 GiB: its cursors wrap', () => {
    const { arena, fifos } = makeFifos(8 << 20);
    fifos.open(3, 1 << 20);
    const bytes = new Uint8Array(1 << 20);
    // Only cursors move; what the bytes are, the other tests look at.
    for (let round = 0; round < 4100; round++) {
      assert.equal(fifos.place(3, 0, arena.sizeBytes - (1 << 20), round === 0 ? bytes.length : 1 << 20), 1 << 20);
      fifos.commit(3, 1 << 20);
      assert.equal(fifos.readable(3), 1 << 20);
      fifos.drop(3, 1 << 20);
    }
    fifos.write(3, stream(0, 10), 0, 10);
    const read = new Uint8Array(10);
    fifos.read(3, read, 0, 10);
    assert.deepEqual(read, stream(0, 10));
  });

  it('lets a reader work in place', () => {
    const { arena, fifos } = makeFifos();
    fifos.open(0, 4096);
    fifos.write(0, stream(0, 4000), 0, 4000);
    fifos.drop(0, 3000);
    fifos.write(0, stream(4000, 2000), 0, 2000);
    assert.equal(fifos.contiguous(0, 0), 1096);
    assert.equal(arena.bytes[fifos.address(0, 1095)], streamByte(4095));
    assert.equal(fifos.contiguous(0, 1096), 1904);
    assert.equal(arena.bytes[fifos.address(0, 1096)], streamByte(4096));
  });

  it('dies of misuse', () => {
    const { fifos } = makeFifos();
    fifos.open(0, 4096);
    fifos.write(0, stream(0, 10), 0, 10);
    assert.throws(() => fifos.drop(0, 11), /dropped/);
    assert.throws(() => fifos.commit(0, 1), /committed/);
    assert.throws(() => fifos.open(0, 4096), /twice/);
  });
});
