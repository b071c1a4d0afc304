/**
 * Packets: slots of 2 KiB in the arena and one int32 column per attribute.
 *
 *   slot: │ headroom 128–320 B │ data … │ tailroom │      head = offset of the first byte, length = bytes from there
 *
 * Heads of neighbouring slots begin on different cache lines (slot colouring); otherwise all headers of a vector would
 * compete for the same few sets of the first-level cache.
 *
 * A packet longer than a slot is a chain: `next` leads to the following slot, `totalLength` of the first slot counts
 * them all, and all headers (at most 256 bytes) lie in the first. A slot has exactly one owner and there are no
 * reference counts: whoever takes a packet must pass it on or give it back.
 *
 * Free slots move between three levels in batches:
 *
 *   cache of the worker (no lock) ◄──► L1 stack of the queue ◄──► L2 stack: a reserve, opened when L1 is empty
 */
import { assert } from '../base/assert.js';
import type { Arena } from './arena.js';
import { NO_SLOT, SLOT_BYTES, slotDataStart } from './slot.js';
import { makeSlotCache, type SlotCache } from './slot-cache.js';
import { SlotStack } from './slot-stack.js';

/** Bits of the `flags` column. */
export const PacketFlag = {
  /** Header and transport checksums are known to be right: verified by a device, or the packet never left the process. */
  checksumValid: 1,
  /** The transport checksum is still to be computed, over everything from `transport`; its field holds nothing useful. */
  checksumPartial: 2,
  /** A TCP super-segment over IPv4, to be cut into pieces of `gsoSize` payload bytes for devices that can't take it. */
  gsoTcp4: 4,
  /** The same over IPv6. */
  gsoTcp6: 8,
  /** Destination link address was the broadcast address. */
  linkBroadcast: 16,
  /** Destination link address was a group address. */
  linkMulticast: 32,
  /** Control traffic: goes before transit traffic when queues are full. */
  control: 64,
  /** All flags that mark a super-segment. */
  gso: 12,
} as const;

export interface PacketPoolOptions {
  /** Slots in all. */
  readonly slots: number;
  /** Part of the slots held back in L2 until L1 runs low. Default: a quarter. */
  readonly reserveSlots?: number;
  /** Count of free slots outside the reserve under which the pool `isLow`. Default: an eighth of L1. */
  readonly lowWatermark?: number;
  /** Who is written into `owner` of the slots taken. */
  readonly owner?: number;
}

export class PacketPool {
  readonly arena: Arena;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly slotCount: number;
  readonly owner: number;

  // Columns: one entry a slot. Written by: the owner of the slot. Read by: the owner.
  /** Offset of the first byte of data. */
  readonly head: Int32Array;
  /** Bytes of data in this slot. */
  readonly length: Int32Array;
  /** Following slot of the chain, or NO_SLOT. A free slot has NO_SLOT here. */
  readonly next: Int32Array;
  /** Bytes of the whole chain; valid in its first slot. Equal to `length` for a packet of one slot. */
  readonly totalLength: Int32Array;
  /** Offset of the network header. Written by: l3 input, or the transport that made the packet. */
  readonly network: Int32Array;
  /** Offset of the transport header. Written by: l3 local, or the transport that made the packet. */
  readonly transport: Int32Array;
  /** Interface the packet came from; 0 for packets that begin in this process. */
  readonly rxInterface: Int32Array;
  readonly txInterface: Int32Array;
  /** Row of the stack that handles the packet. */
  readonly stack: Int32Array;
  readonly vrf: Int32Array;
  /** Result of the route lookup. */
  readonly adjacency: Int32Array;
  /** Transport connection, listener or socket the packet was found to belong to. */
  readonly connection: Int32Array;
  /** Toeplitz hash of the flow; 0 when not computed yet. */
  readonly flowHash: Int32Array;
  /** Bits of {@link PacketFlag}. */
  readonly flags: Int32Array;
  /** Payload bytes of each piece of a super-segment. */
  readonly gsoSize: Int32Array;
  readonly mark: Int32Array;
  /** Trace record, or 0 for a packet that is not traced. */
  readonly trace: Int32Array;
  /** Who holds the slot: worker number + 1, or 0 for a free slot. */
  readonly ownerOf: Int32Array;
  /** Arrival time in nanoseconds. */
  readonly timestamp: Float64Array;

  /** {@inheritDoc SlotCache.take} */
  readonly take: SlotCache['take'];
  /** {@inheritDoc SlotCache.takeMany} */
  readonly takeMany: SlotCache['takeMany'];
  /** {@inheritDoc SlotCache.give} */
  readonly give: SlotCache['give'];
  /** {@inheritDoc SlotCache.giveMany} */
  readonly giveMany: SlotCache['giveMany'];
  /** {@inheritDoc SlotCache.flush} */
  readonly flush: SlotCache['flush'];

  readonly #l1: SlotStack;
  readonly #l2: SlotStack;
  readonly #lowWatermark: number;
  readonly #cached: () => number;
  readonly #firstSlotAt: number;

  constructor(arena: Arena, options: PacketPoolOptions) {
    const slots = options.slots;
    const reserve = options.reserveSlots ?? slots >> 2;
    assert(slots >= 64 && reserve < slots, `a pool of ${slots} slots with ${reserve} in reserve`);
    this.arena = arena;
    this.view = arena.view;
    this.bytes = arena.bytes;
    this.slotCount = slots;
    this.owner = options.owner ?? 1;
    this.#firstSlotAt = arena.allocate(slots * SLOT_BYTES, 4096);
    this.head = arena.int32(slots);
    this.length = arena.int32(slots);
    this.next = arena.int32(slots);
    this.totalLength = arena.int32(slots);
    this.network = arena.int32(slots);
    this.transport = arena.int32(slots);
    this.rxInterface = arena.int32(slots);
    this.txInterface = arena.int32(slots);
    this.stack = arena.int32(slots);
    this.vrf = arena.int32(slots);
    this.adjacency = arena.int32(slots);
    this.connection = arena.int32(slots);
    this.flowHash = arena.int32(slots);
    this.flags = arena.int32(slots);
    this.gsoSize = arena.int32(slots);
    this.mark = arena.int32(slots);
    this.trace = arena.int32(slots);
    this.ownerOf = arena.int32(slots);
    this.timestamp = arena.float64(slots);
    this.next.fill(NO_SLOT);
    this.#l1 = new SlotStack(arena, slots);
    this.#l2 = new SlotStack(arena, slots);
    this.#lowWatermark = options.lowWatermark ?? (slots - reserve) >> 3;
    // Pushed from the top, so that low slots are used first and untouched pages stay uncommitted.
    this.#fill(this.#l2, slots - reserve, slots);
    this.#fill(this.#l1, 0, slots - reserve);
    const cache = makeSlotCache(this, this.#firstSlotAt, this.#l1, this.#l2, this.#lowWatermark, reserve);
    this.take = cache.take;
    this.takeMany = cache.takeMany;
    this.give = cache.give;
    this.giveMany = cache.giveMany;
    this.flush = cache.flush;
    this.#cached = cache.count;
  }

  #fill(stack: SlotStack, from: number, to: number): void {
    const batch = new Int32Array(to - from);
    for (let i = 0; i < batch.length; i++) batch[i] = to - 1 - i;
    stack.push(batch, batch.length);
  }

  /** Offset at which a fresh packet in `slot` begins: behind its headroom. */
  dataStart(slot: number): number {
    return slotDataStart(this.#firstSlotAt, slot);
  }

  /** Offset just behind the slot's last byte. */
  dataEnd(slot: number): number {
    return this.#firstSlotAt + (slot + 1) * SLOT_BYTES;
  }

  /** Offset of the slot itself: headroom begins here. */
  slotStart(slot: number): number {
    return this.#firstSlotAt + slot * SLOT_BYTES;
  }

  /** Free slots, in all levels of this worker's reach. */
  get free(): number {
    return this.#cached() + this.#l1.count + this.#l2.count;
  }

  /** Slots that somebody holds. */
  get inUse(): number {
    return this.slotCount - this.free;
  }

  /** Free slots of each level, for `show memory`. */
  levels(): { cache: number; l1: number; l2: number } {
    return { cache: this.#cached(), l1: this.#l1.count, l2: this.#l2.count };
  }

  /** True when fewer than the low watermark are left outside the reserve: senders should hold back. */
  get isLow(): boolean {
    return this.#cached() + this.#l1.count < this.#lowWatermark;
  }

  /** Gives back every slot that `owner` holds: after that worker has died. Returns how many there were. */
  reclaim(owner: number): number {
    let count = 0;
    for (let slot = 0; slot < this.slotCount; slot++) {
      if (this.ownerOf[slot] !== owner) continue;
      this.next[slot] = NO_SLOT;
      this.give(slot);
      count++;
    }
    return count;
  }
}
