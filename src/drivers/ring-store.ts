import type { Arena } from '../mem/arena.js';
import { SlotRing } from '../mem/slot-ring.js';

/**
 * Rings for devices that come and go: the arena never takes memory back, so rings that are given back wait here for the
 * next device.
 */
export class RingStore {
  readonly #arena: Arena;
  readonly #idle = new Map<number, SlotRing[]>();

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Takes an empty ring of `capacity` entries, a power of two. Throws USERNET_ARENA_FULL. */
  take(capacity: number): SlotRing {
    return this.#idle.get(capacity)?.pop() ?? new SlotRing(this.#arena, capacity);
  }

  /** Gives an empty ring back. */
  give(ring: SlotRing): void {
    const idle = this.#idle.get(ring.capacity);
    if (idle === undefined) this.#idle.set(ring.capacity, [ring]);
    else idle.push(ring);
  }
}
