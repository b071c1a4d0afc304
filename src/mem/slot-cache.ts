/**
 * A worker's own cache of free slots, in front of the pool's shared levels: taking and giving back, the operations that
 * every packet goes through.
 *
 * They are closures over constants, not methods: V8 compiles a closure of which there is one for its very columns
 * (their addresses become constants), which makes this code three times as fast. See docs/adr/0002.
 */
import { assert } from '../base/assert.js';
import type { PacketPool } from './packet-pool.js';
import { NO_SLOT, slotDataStart } from './slot.js';
import type { SlotStack } from './slot-stack.js';

const CACHE_SLOTS = 512;
const BATCH_SLOTS = 256;
/** In `ownerOf`: nobody. */
const FREE = 0;

export interface SlotCache {
  /** Takes a slot with fresh columns and no data, or NO_SLOT when the pool is empty. */
  readonly take: () => number;
  /**
   * Takes up to `count` slots into `into`, from index `at` on; returns how many there were. For drivers: `length`,
   * `totalLength`, `rxInterface`, `gsoSize` and `timestamp` are left as they were and have to be written.
   */
  readonly takeMany: (into: Int32Array, at: number, count: number) => number;
  /** Gives back a packet: the slot and all that follow in its chain. */
  readonly give: (slot: number) => void;
  /** Gives back `count` packets of `slots`, from index `at` (default 0) on. */
  readonly giveMany: (slots: Int32Array, count: number, at?: number) => void;
  /** Empties the cache into the shared levels: under memory pressure, and when the worker ends. */
  readonly flush: () => void;
  /** Slots in the cache. */
  readonly count: () => number;
}

/** @param firstSlotAt offset of slot 0. @param l2 the reserve, of at most `reserveSlots`. */
export function makeSlotCache(
  pool: PacketPool,
  firstSlotAt: number,
  l1: SlotStack,
  l2: SlotStack,
  lowWatermark: number,
  reserveSlots: number,
): SlotCache {
  const { head, length, totalLength, next, rxInterface, flags, flowHash, gsoSize, mark, trace, ownerOf, owner } = pool;
  const cache = new Int32Array(CACHE_SLOTS);
  let cached = 0;

  function refill(): boolean {
    cached = l1.pop(cache, 0, BATCH_SLOTS);
    if (cached < BATCH_SLOTS) cached += l2.pop(cache, cached, BATCH_SLOTS - cached);
    return cached > 0;
  }

  /** Moves `count` cached slots down. L1 is refilled to its watermark first, then the reserve, then L1 again. */
  function spill(count: number): void {
    cached -= count;
    const reserveIsFull = l2.count + count > reserveSlots;
    const target = l1.count < lowWatermark || reserveIsFull ? l1 : l2;
    target.push(cache.subarray(cached, cached + count), count);
  }

  /** Copies `count` slots from the cache's index `from` on, and makes their columns fresh. */
  function prepare(into: Int32Array, at: number, count: number, from: number): void {
    for (let i = 0; i < count; i++) {
      const slot = cache[from + i]!;
      into[at + i] = slot;
      head[slot] = slotDataStart(firstSlotAt, slot);
      flags[slot] = 0;
      flowHash[slot] = 0;
      mark[slot] = 0;
      trace[slot] = 0;
      ownerOf[slot] = owner;
    }
  }

  function take(): number {
    if (cached === 0 && !refill()) return NO_SLOT;
    const slot = cache[--cached]!;
    head[slot] = slotDataStart(firstSlotAt, slot);
    length[slot] = 0;
    totalLength[slot] = 0;
    rxInterface[slot] = 0;
    flags[slot] = 0;
    flowHash[slot] = 0;
    gsoSize[slot] = 0;
    mark[slot] = 0;
    trace[slot] = 0;
    ownerOf[slot] = owner;
    return slot;
  }

  function takeMany(into: Int32Array, at: number, count: number): number {
    let taken = 0;
    while (taken < count && (cached > 0 || refill())) {
      const batch = Math.min(count - taken, cached);
      cached -= batch;
      prepare(into, at + taken, batch, cached);
      taken += batch;
    }
    return taken;
  }

  function give(slot: number): void {
    for (let current = slot; current !== NO_SLOT; ) {
      const following = next[current]!;
      assert(ownerOf[current] !== FREE, 'a slot was given back twice');
      ownerOf[current] = FREE;
      next[current] = NO_SLOT;
      if (cached === CACHE_SLOTS) spill(BATCH_SLOTS);
      cache[cached++] = current;
      current = following;
    }
  }

  function giveMany(slots: Int32Array, count: number, at = 0): void {
    if (cached + count > CACHE_SLOTS) spill(Math.min(cached, BATCH_SLOTS));
    let end = cached;
    const single = Math.min(count, CACHE_SLOTS - end);
    let i = 0;
    for (; i < single; i++) {
      const slot = slots[at + i]!;
      if (next[slot] !== NO_SLOT || ownerOf[slot] === FREE) break;
      ownerOf[slot] = FREE;
      cache[end++] = slot;
    }
    cached = end;
    for (; i < count; i++) give(slots[at + i]!);
  }

  return { take, takeMany, give, giveMany, flush: () => spill(cached), count: () => cached };
}
