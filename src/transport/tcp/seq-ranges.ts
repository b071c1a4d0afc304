/**
 * Sets of ranges of sequence numbers, one set per connection: what has arrived out of order (RFC 9293 section 3.10.7.4), and what
 * the peer has acknowledged selectively (the scoreboard of RFC 6675 section 3).
 *
 * A set holds up to MAX_RANGES disjoint ranges [left, right), sorted, with gaps between them. It takes a region of memory with
 * its first range and gives it back with the last: connections without losses hold none.
 */
import { seqGeq, seqGt, seqLeq, seqLt } from '../../base/seqnum.js';
import type { Arena } from '../../mem/arena.js';
import { MIN_REGION_BITS, type RegionHeap } from '../../mem/region-heap.js';

const BYTES_PER_RANGE = 8;
/** What a smallest region holds: 512. */
export const MAX_RANGES = 2 ** MIN_REGION_BITS / BYTES_PER_RANGE;

export class SeqRanges {
  /** Ranges of each connection. Read by: any. */
  readonly count: Int32Array;
  /** Word index of the first range's left edge; its right edge follows. 0 while the set is empty. */
  readonly #base: Int32Array;
  readonly #words: Int32Array;
  readonly #heap: RegionHeap;

  constructor(arena: Arena, heap: RegionHeap, connections: number) {
    this.count = arena.int32(connections);
    this.#base = arena.int32(connections);
    this.#words = new Int32Array(arena.memory.buffer);
    this.#heap = heap;
  }

  left(connection: number, index: number): number {
    return this.#words[this.#base[connection]! + index * 2]!;
  }

  right(connection: number, index: number): number {
    return this.#words[this.#base[connection]! + index * 2 + 1]!;
  }

  clear(connection: number): void {
    this.count[connection] = 0;
    this.#release(connection);
  }

  /** Adds [left, right), joined with what it touches. Returns false when there is no room for one more range. */
  add(connection: number, left: number, right: number): boolean {
    if (this.count[connection] === 0) return this.#begin(connection, left, right);
    const words = this.#words;
    const base = this.#base[connection]!;
    const end = base + this.count[connection]! * 2;
    const first = base + this.#firstEndingFrom(connection, left) * 2;
    let last = first;
    while (last < end && seqLeq(words[last]!, right)) last += 2;
    if (first === last) return this.#insert(connection, first, end, left, right);
    if (seqLt(left, words[first]!)) words[first] = left;
    const oldRight = words[last - 1]!;
    words[first + 1] = seqGt(right, oldRight) ? right : oldRight;
    if (last > first + 2) {
      words.copyWithin(first + 2, last, end);
      this.count[connection]! -= (last - first - 2) >> 1;
    }
    return true;
  }

  /** Forgets everything before `sequence`. */
  trim(connection: number, sequence: number): void {
    const count = this.count[connection]!;
    if (count === 0) return;
    const words = this.#words;
    const base = this.#base[connection]!;
    let gone = 0;
    while (gone < count && seqLeq(words[base + gone * 2 + 1]!, sequence)) gone++;
    if (gone === count) {
      this.clear(connection);
      return;
    }
    if (seqLt(words[base + gone * 2]!, sequence)) words[base + gone * 2] = sequence;
    if (gone === 0) return;
    words.copyWithin(base, base + gone * 2, base + count * 2);
    this.count[connection] = count - gone;
  }

  /** Index of the range that holds `sequence`, or −1. */
  find(connection: number, sequence: number): number {
    const index = this.indexAfter(connection, sequence);
    return index < this.count[connection]! && seqLeq(this.left(connection, index), sequence) ? index : -1;
  }

  /** Index of the first range that ends behind `sequence`; the count if there is none. */
  indexAfter(connection: number, sequence: number): number {
    const words = this.#words;
    const base = this.#base[connection]!;
    let low = 0;
    let high = this.count[connection]!;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (seqGt(words[base + middle * 2 + 1]!, sequence)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** True if all of [left, right) is in the set. */
  covers(connection: number, left: number, right: number): boolean {
    const index = this.find(connection, left);
    return index >= 0 && seqGeq(this.right(connection, index), right);
  }

  /** Bytes in all ranges. */
  bytes(connection: number): number {
    const words = this.#words;
    const base = this.#base[connection]!;
    let total = 0;
    for (let i = 0; i < this.count[connection]! * 2; i += 2) total += (words[base + i + 1]! - words[base + i]!) | 0;
    return total;
  }

  /** Index of the first range that ends at `sequence` or behind it: the first that [sequence, …) can touch. */
  #firstEndingFrom(connection: number, sequence: number): number {
    return this.indexAfter(connection, (sequence - 1) | 0);
  }

  #begin(connection: number, left: number, right: number): boolean {
    const at = this.#heap.take(MIN_REGION_BITS);
    if (at === 0) return false;
    const base = at >> 2;
    this.#base[connection] = base;
    this.#words[base] = left;
    this.#words[base + 1] = right;
    this.count[connection] = 1;
    return true;
  }

  #insert(connection: number, at: number, end: number, left: number, right: number): boolean {
    if (this.count[connection] === MAX_RANGES) return false;
    this.#words.copyWithin(at + 2, at, end);
    this.#words[at] = left;
    this.#words[at + 1] = right;
    this.count[connection]!++;
    return true;
  }

  #release(connection: number): void {
    const base = this.#base[connection]!;
    if (base === 0) return;
    this.#base[connection] = 0;
    this.#heap.give(base * 4, MIN_REGION_BITS);
  }
}
