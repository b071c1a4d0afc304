import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { Arena } from './arena.js';
import { SlotRing } from './slot-ring.js';
import { SlotStack } from './slot-stack.js';
import { arenaOver, churn, type RingWorkerData } from './testing/ring-worker.js';

const range = (from: number, count: number) => Int32Array.from({ length: count }, (_, i) => from + i);

async function startWorker(data: RingWorkerData): Promise<{ result: Promise<unknown> }> {
  const worker = new Worker(new URL('./testing/ring-worker.js', import.meta.url), { workerData: data });
  await once(worker, 'message');
  const result = once(worker, 'message').then(async ([wrong]) => {
    await worker.terminate();
    return wrong as unknown;
  });
  return { result };
}

function sharedMemory(): WebAssembly.Memory {
  return new Arena(65_536).memory;
}

describe('SlotRing', () => {
  it('behaves as a bounded queue', () => {
    const command = fc.record({
      kind: fc.constantFrom('push', 'pop'),
      count: fc.integer({ min: 0, max: 20 }),
      at: fc.integer({ min: 0, max: 5 }),
    });
    const property = fc.property(fc.array(command, { maxLength: 200, size: 'max' }), (commands) => {
      const ring = new SlotRing(new Arena(65_536), 16);
      let model: number[] = [];
      let pushed = 0;
      for (const { kind, count, at } of commands) {
        if (kind === 'push') {
          const slots = new Int32Array(at + count);
          slots.set(range(pushed, count), at);
          const taken = ring.push(slots, at, count);
          assert.equal(taken, Math.min(count, 16 - model.length));
          for (let i = 0; i < taken; i++) model.push(pushed++);
        } else {
          const slots = new Int32Array(at + count).fill(-1);
          const taken = ring.pop(slots, at, count);
          assert.deepEqual([...slots.subarray(at, at + taken)], model.slice(0, count));
          assert.ok(slots.subarray(0, at).every((slot) => slot === -1));
          model = model.slice(taken);
        }
        assert.equal(ring.count, model.length);
        assert.equal(ring.space, 16 - model.length);
      }
    });
    fc.assert(property, { seed: 7, numRuns: 200 });
  });

  it('goes on when its cursors wrap', () => {
    const memory = sharedMemory();
    // Both cursors stand just before 2^31 and 2^32.
    for (const cursor of [0x7fff_fffa, -6]) {
      const arena = arenaOver(memory);
      const state = new Int32Array(memory.buffer, 64, 32);
      state[0] = cursor;
      state[16] = cursor;
      const ring = new SlotRing(arena, 8);
      for (let i = 0; i < 10; i++) {
        assert.equal(ring.push(range(i * 5, 5), 0, 5), 5);
        assert.equal(ring.space, 3);
        const slots = new Int32Array(8);
        assert.equal(ring.pop(slots, 0, 8), 5);
        assert.deepEqual([...slots.subarray(0, 5)], [...range(i * 5, 5)]);
      }
    }
  });

  it('has a power of two as its capacity', () => {
    assert.throws(() => new SlotRing(new Arena(65_536), 12), /power of two/);
  });

  it('carries numbers from one thread to another, in order and none lost', async () => {
    const memory = sharedMemory();
    const count = 300_000;
    const ring = new SlotRing(arenaOver(memory), 256);
    const { result } = await startWorker({ memory, job: 'consume', capacity: 256, count });
    const batch = new Int32Array(70);
    for (let sent = 0; sent < count; ) {
      const wanted = Math.min(70, count - sent);
      for (let i = 0; i < wanted; i++) batch[i] = sent + i;
      sent += ring.push(batch, 0, wanted);
    }
    assert.equal(await result, 0);
    assert.equal(ring.count, 0);
  });
});

describe('SlotStack', () => {
  it('is last in, first out, and bounded', () => {
    const stack = new SlotStack(new Arena(65_536), 8);
    stack.push(range(0, 5), 5);
    const slots = new Int32Array(10).fill(-1);
    assert.equal(stack.pop(slots, 2, 3), 3);
    assert.deepEqual([...slots.subarray(0, 6)], [-1, -1, 2, 3, 4, -1]);
    assert.equal(stack.pop(slots, 0, 10), 2);
    assert.equal(stack.pop(slots, 0, 10), 0);
    assert.throws(() => stack.push(range(0, 9), 9), /more slots/);
  });

  it('loses and doubles no slot when two threads work on it', async () => {
    const memory = sharedMemory();
    const stack = new SlotStack(arenaOver(memory), 200);
    stack.push(range(0, 200), 200);
    const { result } = await startWorker({ memory, job: 'churn', capacity: 200, count: 20_000 });
    assert.equal(churn(stack, 20_000), 0);
    assert.equal(await result, 0);
    assert.equal(stack.count, 200);
    const slots = new Int32Array(200);
    stack.pop(slots, 0, 200);
    assert.deepEqual(slots.sort(), range(0, 200));
  });
});
