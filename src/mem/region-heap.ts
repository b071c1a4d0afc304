/**
 * Regions of 2^n bytes (4 KiB … 16 MiB) in the arena, for FIFOs: a free list per size, last out first in, so that the
 * next user finds warm memory. What is missing is split from a larger free region, else cut from the arena, else made of
 * free neighbours. Neighbours are joined only then: as long as there is memory, give and take cost a pop and a push.
 */
import { assert } from '../base/assert.js';
import { UsernetError } from '../base/errors.js';
import type { Arena } from './arena.js';

export const MIN_REGION_BITS = 12;
export const MAX_REGION_BITS = 24;

export class RegionHeap {
  readonly #arena: Arena;
  readonly #free: number[][] = [];
  readonly #limitBytes: number;
  #reservedBytes = 0;
  /** Regions given back since neighbours were last joined. */
  #givenSinceJoin = 0;
  #usedBytes = 0;

  /** @param limitBytes the most that is ever cut from the arena. */
  constructor(arena: Arena, limitBytes: number) {
    this.#arena = arena;
    this.#limitBytes = limitBytes;
    for (let bits = 0; bits <= MAX_REGION_BITS; bits++) this.#free.push([]);
  }

  /** Bytes that are handed out. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes cut from the arena so far. */
  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** The most that can be handed out: the limit, or what the arena still has if that is less. */
  get capacityBytes(): number {
    return Math.min(this.#limitBytes, this.#reservedBytes + this.#arena.sizeBytes - this.#arena.usedBytes);
  }

  /** Takes a region of 2^bits bytes; its contents are arbitrary. Returns its offset, or 0 when memory is out. */
  take(bits: number): number {
    assert(bits >= MIN_REGION_BITS && bits <= MAX_REGION_BITS, `region of 2^${bits} bytes`);
    const at = this.#find(bits);
    if (at !== 0) this.#usedBytes += 2 ** bits;
    return at;
  }

  /** Gives back a region that `take(bits)` returned. */
  give(at: number, bits: number): void {
    this.#usedBytes -= 2 ** bits;
    this.#free[bits]!.push(at);
    this.#givenSinceJoin++;
  }

  #find(bits: number): number {
    const at = this.#free[bits]!.pop() ?? this.#split(bits) ?? this.#cut(bits);
    if (at !== 0 || !this.#joinNeighbours()) return at;
    return this.#free[bits]!.pop() ?? this.#split(bits) ?? 0;
  }

  /**
   * Makes the largest regions that are possible of the free ones. Only when half of them have come back since the last
   * time, so that its cost is spread over as many operations. False if it was not done.
   */
  #joinNeighbours(): boolean {
    let count = 0;
    for (const starts of this.#free) count += starts.length;
    if (this.#givenSinceJoin * 2 < count || count < 2) return false;
    this.#givenSinceJoin = 0;
    const free = this.#free.flatMap((starts, bits) => starts.map((at) => ({ at, end: at + 2 ** bits })));
    for (const starts of this.#free) starts.length = 0;
    free.sort((a, b) => a.at - b.at);
    let start = free[0]!.at;
    free.forEach(({ end }, i) => {
      if (free[i + 1]?.at === end) return;
      this.#putRun(start, end);
      start = free[i + 1]?.at ?? 0;
    });
    return true;
  }

  /** Puts free memory without gaps on the lists, in regions as large as fit. */
  #putRun(start: number, end: number): void {
    for (let at = start; at < end; ) {
      const bits = Math.min(MAX_REGION_BITS, 31 - Math.clz32(end - at));
      this.#free[bits]!.push(at);
      at += 2 ** bits;
    }
  }

  #split(bits: number): number | undefined {
    for (let larger = bits + 1; larger <= MAX_REGION_BITS; larger++) {
      const at = this.#free[larger]!.pop();
      if (at === undefined) continue;
      for (let half = larger - 1; half >= bits; half--) this.#free[half]!.push(at + 2 ** half);
      return at;
    }
    return undefined;
  }

  #cut(bits: number): number {
    const bytes = 2 ** bits;
    if (this.#reservedBytes + bytes > this.#limitBytes) return 0;
    try {
      const at = this.#arena.allocate(bytes, 4096);
      this.#reservedBytes += bytes;
      return at;
    } catch (error) {
      if (error instanceof UsernetError && error.code === 'USERNET_ARENA_FULL') return 0;
      throw error;
    }
  }
}
