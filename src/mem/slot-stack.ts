/**
 * A stack of slot numbers in the arena that several workers share: batches go in and out under a spin lock, which is
 * held for the time of one copy.
 */
import { assert } from '../base/assert.js';
import type { Arena } from './arena.js';

const LOCK = 0;
const COUNT = 1;

export class SlotStack {
  /** [lock, count]. Written by: any worker, with the lock. */
  readonly #state: Int32Array;
  readonly #slots: Int32Array;

  constructor(arena: Arena, capacity: number) {
    this.#state = arena.int32(16);
    this.#slots = arena.int32(capacity);
  }

  get count(): number {
    return Atomics.load(this.#state, COUNT);
  }

  /** Puts the first `count` of `slots` on the stack. */
  push(slots: Int32Array, count: number): void {
    this.#lock();
    const size = this.#state[COUNT]!;
    assert(size + count <= this.#slots.length, 'more slots were given back than there are');
    for (let i = 0; i < count; i++) this.#slots[size + i] = slots[i]!;
    this.#state[COUNT] = size + count;
    this.#unlock();
  }

  /** Takes up to `count` slots into `into` from index `at` on, last in first; returns how many. */
  pop(into: Int32Array, at: number, count: number): number {
    this.#lock();
    const size = this.#state[COUNT]!;
    const taken = Math.min(size, count);
    const from = size - taken;
    for (let i = 0; i < taken; i++) into[at + i] = this.#slots[from + i]!;
    this.#state[COUNT] = from;
    this.#unlock();
    return taken;
  }

  #lock(): void {
    while (Atomics.compareExchange(this.#state, LOCK, 0, 1) !== 0);
  }

  #unlock(): void {
    Atomics.store(this.#state, LOCK, 0);
  }
}
