/**
 * Short queues of packets by row: what waits for a neighbor's link address. A full queue drops its oldest packet, as
 * the latest one has to be saved (RFC 1122 section 2.3.2.2); control traffic is dropped last.
 */
import type { Arena } from '../mem/arena.js';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';

export class PacketQueues {
  /** Packets in all queues. */
  total = 0;
  /** Packets that found no room since the start. */
  drops = 0;
  readonly #pool: PacketPool;
  readonly #limit: number;
  readonly #totalLimit: number;
  // By row; a head is slot + 1, 0 for an empty queue, so that fresh memory needs no touch.
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  readonly #counts: Int32Array;
  /** By slot: the packet behind it. */
  readonly #behind: Int32Array;

  /** @param limit packets of one row. @param totalLimit packets of all rows. */
  constructor(arena: Arena, pool: PacketPool, rows: number, limit: number, totalLimit: number) {
    this.#pool = pool;
    this.#limit = limit;
    this.#totalLimit = totalLimit;
    this.#heads = arena.int32(rows);
    this.#tails = arena.int32(rows);
    this.#counts = arena.int32(rows);
    this.#behind = arena.int32(pool.slotCount);
  }

  count(row: number): number {
    return this.#counts[row]!;
  }

  /** Takes the packet; one of the row's packets, perhaps this one, is given back to the pool if there is no room. */
  push(row: number, slot: number): void {
    if (this.#counts[row]! >= this.#limit || this.total >= this.#totalLimit) {
      const isControl = (this.#pool.flags[slot]! & PacketFlag.control) !== 0;
      const victim = this.#takeVictim(row, isControl);
      this.drops++;
      if (victim === NO_SLOT) {
        this.#pool.give(slot);
        return;
      }
      this.#pool.give(victim);
    }
    this.#behind[slot] = NO_SLOT;
    if (this.#counts[row] === 0) this.#heads[row] = slot + 1;
    else this.#behind[this.#tails[row]!] = slot;
    this.#tails[row] = slot;
    this.#counts[row]!++;
    this.total++;
  }

  /** Takes the oldest packet of the row; NO_SLOT when there is none. */
  shift(row: number): number {
    if (this.#counts[row] === 0) return NO_SLOT;
    const slot = this.#heads[row]! - 1;
    this.#unlink(row, NO_SLOT, slot);
    return slot;
  }

  /** Gives back all packets of the row. */
  clear(row: number): void {
    for (let slot = this.shift(row); slot !== NO_SLOT; slot = this.shift(row)) this.#pool.give(slot);
  }

  /** The oldest transit packet; else the oldest at all, if it has to make room for control traffic. */
  #takeVictim(row: number, forControl: boolean): number {
    if (this.#counts[row] === 0) return NO_SLOT;
    let previous = NO_SLOT;
    const oldest = this.#heads[row]! - 1;
    for (let slot = oldest; slot !== NO_SLOT; slot = this.#behind[slot]!) {
      if ((this.#pool.flags[slot]! & PacketFlag.control) === 0) {
        this.#unlink(row, previous, slot);
        return slot;
      }
      previous = slot;
    }
    if (!forControl) return NO_SLOT;
    this.#unlink(row, NO_SLOT, oldest);
    return oldest;
  }

  #unlink(row: number, previous: number, slot: number): void {
    const behind = this.#behind[slot]!;
    if (previous === NO_SLOT) this.#heads[row] = behind + 1;
    else this.#behind[previous] = behind;
    if (behind === NO_SLOT) this.#tails[row] = previous;
    this.#counts[row]!--;
    this.total--;
  }
}
