/** Packets that l3 begins while no node is running: timers, control operations. The node l3-source takes them. */
import type { PacketPool } from '../mem/packet-pool.js';
import type { Send } from './l3-target.js';

export class Outbox {
  readonly #slots: number[] = [];
  readonly #targets: number[] = [];
  readonly #wake: () => void;
  readonly #pool: PacketPool;

  /** @param wake called when the outbox is no longer empty. */
  constructor(pool: PacketPool, wake: () => void) {
    this.#pool = pool;
    this.#wake = wake;
  }

  get count(): number {
    return this.#slots.length;
  }

  readonly send: Send = (slot, target) => {
    this.#slots.push(slot);
    this.#targets.push(target);
    if (this.#slots.length === 1) this.#wake();
  };

  /** Takes up to `max` packets in order: slots and targets from index 0 on. Returns how many there were. */
  take(slots: Int32Array, targets: Uint8Array, max: number): number {
    const count = Math.min(max, this.#slots.length);
    if (count === 0) return 0;
    for (let i = 0; i < count; i++) {
      slots[i] = this.#slots[i]!;
      targets[i] = this.#targets[i]!;
    }
    this.#slots.splice(0, count);
    this.#targets.splice(0, count);
    return count;
  }

  /** Gives every packet back to the pool. */
  clear(): void {
    for (const slot of this.#slots) this.#pool.give(slot);
    this.#slots.length = 0;
    this.#targets.length = 0;
  }
}
