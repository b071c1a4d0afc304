/**
 * A bounded queue of packets with two classes: the last entries are kept for control traffic, so that a flood of data
 * can't lock out the traffic that would end it.
 *
 *   │ data and control ……………………………………………… │ control only │        capacity entries
 *
 * A packet that leaves the queue has crossed a link: what its sender noted about it is forgotten, but for flags that
 * stay true.
 */
import { FRAME_PACKETS } from '../graph/frame.js';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import type { SlotRing } from '../mem/slot-ring.js';
import type { RingStore } from './ring-store.js';

/** Flags that stay true of a packet on a link within this memory: checksums and segmentation are left to the far end. */
export const OFFLOAD_FLAGS = PacketFlag.checksumValid | PacketFlag.checksumPartial | PacketFlag.gso;

/** Part of a queue that only control traffic may fill: one entry in 16. */
const RESERVE_SHIFT = 4;

export class PacketQueue {
  readonly #pool: PacketPool;
  readonly #rings: RingStore;
  readonly #ring: SlotRing;
  readonly #reserve: number;
  readonly #keptFlags: number;
  readonly #batch = new Int32Array(FRAME_PACKETS);
  #isClosed = false;

  /** @param capacity entries, a power of two. @param keptFlags what stays true of the packets: OFFLOAD_FLAGS or 0. */
  constructor(pool: PacketPool, rings: RingStore, capacity: number, keptFlags: number) {
    this.#pool = pool;
    this.#rings = rings;
    this.#ring = rings.take(capacity);
    this.#reserve = capacity >> RESERVE_SHIFT;
    this.#keptFlags = keptFlags;
  }

  get count(): number {
    return this.#isClosed ? 0 : this.#ring.count;
  }

  /** Data packets that would be taken now. */
  get space(): number {
    return this.#isClosed ? 0 : Math.max(0, this.#ring.space - this.#reserve);
  }

  /** Takes packets as Device.transmit does: what was taken comes first in the range, the rest behind it. */
  push(slots: Int32Array, at: number, count: number): number {
    if (count <= this.space) return this.#ring.push(slots, at, count);
    return this.#isClosed ? 0 : this.#pushSome(slots, at, count);
  }

  /** Hands out up to `max` packets, oldest first, into `into` from index `at` on; returns how many. */
  pop(into: Int32Array, at: number, max: number): number {
    if (this.#isClosed) return 0;
    const popped = this.#ring.pop(into, at, max);
    const { flags, flowHash, mark } = this.#pool;
    const kept = this.#keptFlags;
    for (let i = at, end = at + popped; i < end; i++) {
      const slot = into[i]!;
      flags[slot] = flags[slot]! & kept;
      flowHash[slot] = 0;
      mark[slot] = 0;
    }
    return popped;
  }

  /** Gives all packets back to the pool; the queue takes none any more. */
  close(): void {
    if (this.#isClosed) return;
    for (let count = this.#drain(); count > 0; count = this.#drain()) this.#pool.giveMany(this.#batch, count);
    this.#isClosed = true;
    this.#rings.give(this.#ring);
  }

  #drain(): number {
    return this.#ring.pop(this.#batch, 0, this.#batch.length);
  }

  /** The queue is nearly full: packets are looked at one by one. */
  #pushSome(slots: Int32Array, at: number, count: number): number {
    const { flags } = this.#pool;
    let taken = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[at + i]!;
      const limit = (flags[slot]! & PacketFlag.control) !== 0 ? 0 : this.#reserve;
      if (this.#ring.space <= limit) continue;
      this.#ring.push(slots, at + i, 1);
      slots[at + i] = slots[at + taken]!;
      slots[at + taken] = slot;
      taken++;
    }
    return taken;
  }
}
