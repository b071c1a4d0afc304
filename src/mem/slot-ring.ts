/**
 * A ring of slot numbers in the arena with one producer and one consumer, which may be different threads.
 *
 *   state: │ head (consumer) │ … 64 B … │ tail (producer) │        entries: head ≤ i < tail, modulo capacity
 *
 * Both cursors count up without end (int32, wrapping); publishing a whole batch costs one atomic store.
 */
import { assert } from '../base/assert.js';
import type { Arena } from './arena.js';

const HEAD = 0;
const TAIL = 16;

export class SlotRing {
  readonly capacity: number;
  readonly #state: Int32Array;
  readonly #entries: Int32Array;
  readonly #mask: number;

  /** @param capacity entries, a power of two. */
  constructor(arena: Arena, capacity: number) {
    assert((capacity & (capacity - 1)) === 0, `ring of ${capacity} entries: a power of two is needed`);
    this.capacity = capacity;
    this.#mask = capacity - 1;
    this.#state = arena.int32(32);
    this.#entries = arena.int32(capacity);
  }

  get count(): number {
    return (Atomics.load(this.#state, TAIL) - Atomics.load(this.#state, HEAD)) | 0;
  }

  get space(): number {
    return this.capacity - this.count;
  }

  /** Producer: puts up to `count` of `slots`, from index `at` on; returns how many there was room for. */
  push(slots: Int32Array, at: number, count: number): number {
    const tail = this.#state[TAIL]!;
    const room = this.capacity - ((tail - Atomics.load(this.#state, HEAD)) | 0);
    const pushed = count < room ? count : room;
    const entries = this.#entries;
    const mask = this.#mask;
    for (let i = 0; i < pushed; i++) entries[(tail + i) & mask] = slots[at + i]!;
    Atomics.store(this.#state, TAIL, (tail + pushed) | 0);
    return pushed;
  }

  /** Consumer: takes up to `count` slots into `into`, from index `at` on; returns how many there were. */
  pop(into: Int32Array, at: number, count: number): number {
    const head = this.#state[HEAD]!;
    const ready = (Atomics.load(this.#state, TAIL) - head) | 0;
    const popped = count < ready ? count : ready;
    const entries = this.#entries;
    const mask = this.#mask;
    for (let i = 0; i < popped; i++) into[at + i] = entries[(head + i) & mask]!;
    Atomics.store(this.#state, HEAD, (head + popped) | 0);
    return popped;
  }
}
