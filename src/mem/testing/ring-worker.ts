/** The other thread of the ring's and the stack's tests: works on the same memory as they do. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Arena } from '../arena.js';
import { SlotRing } from '../slot-ring.js';
import { SlotStack } from '../slot-stack.js';

export interface RingWorkerData {
  readonly memory: WebAssembly.Memory;
  readonly job: 'consume' | 'churn';
  readonly capacity: number;
  readonly count: number;
}

/** Places structures in a memory one behind the other: both threads find them at the same offsets. */
export function arenaOver(memory: WebAssembly.Memory): Arena {
  let end = 64;
  const int32 = (count: number) => {
    const column = new Int32Array(memory.buffer, end, count);
    end += Math.ceil((count * 4) / 64) * 64;
    return column;
  };
  return { int32 } as Partial<Arena> as Arena;
}

/** Takes `count` numbers from a ring; returns how many were not what the one before promised. */
function consume(ring: SlotRing, count: number): number {
  const slots = new Int32Array(100);
  let expected = 0;
  let wrong = 0;
  while (expected < count) {
    const popped = ring.pop(slots, 0, 1 + (expected % 100));
    for (let i = 0; i < popped; i++) if (slots[i] !== expected++) wrong++;
  }
  return wrong;
}

/** Takes and puts back batches; returns how many slots this thread ever saw twice at once. */
export function churn(stack: SlotStack, rounds: number): number {
  const slots = new Int32Array(64);
  let wrong = 0;
  for (let round = 0; round < rounds; round++) {
    const count = stack.pop(slots, 0, 1 + (round % 64));
    if (new Set(slots.subarray(0, count)).size !== count) wrong++;
    stack.push(slots, count);
  }
  return wrong;
}

if (parentPort !== null) {
  const { memory, job, capacity, count } = workerData as RingWorkerData;
  const arena = arenaOver(memory);
  parentPort.postMessage('ready');
  const wrong =
    job === 'consume' ? consume(new SlotRing(arena, capacity), count) : churn(new SlotStack(arena, capacity), count);
  parentPort.postMessage(wrong);
}
