/**
 * Byte FIFOs between an application and a transport: a FIFO is an index, its state is columns, its bytes lie in one
 * ring of 2^n bytes in the arena.
 *
 *            head                    tail            tail + ahead
 *   ─────────┼───────────────────────┼──── ░░ ─── ░░ ─┼──────────    ring of 2^bits bytes, cursors count modulo 2^32
 *            │◄────── readable ─────►│◄─ out of order ►│
 *
 * No memory is held by an empty FIFO: the ring is taken with the first byte, doubles as it fills up to `limit`, and
 * goes back with the last byte read. Bytes may be written ahead of the tail (segments out of order); the writer keeps
 * account of the gaps and commits when they are closed. One side writes, the other reads.
 */
import { assert } from '../base/assert.js';
import type { Arena } from './arena.js';
import { MAX_REGION_BITS, MIN_REGION_BITS, type RegionHeap } from './region-heap.js';

/**
 * Parts of the heap up to which rings larger than the smallest are given. Only bytes that arrive are read, and only then
 * acknowledged and given back: writers who took all memory would wait for each other.
 */
const WRITER_SHARE = 1 / 2;
const ARRIVAL_SHARE = 7 / 8;

export class FifoTable {
  readonly capacity: number;
  readonly #arena: Arena;
  readonly #heap: RegionHeap;
  /** Offset of the ring, 0 while there is none. */
  readonly #base: Int32Array;
  /** Size of the ring as a power of two; kept as a hint while there is none. */
  readonly #bits: Int32Array;
  /** Cursor of the reader. Written by: reader. */
  readonly #head: Int32Array;
  /** Cursor of the writer. Written by: writer. */
  readonly #tail: Int32Array;
  /** Extent of bytes written ahead of the tail. Written by: writer. */
  readonly #ahead: Int32Array;
  /** Most bytes it may hold. */
  readonly #limit: Int32Array;

  /** @param capacity how many FIFOs; their indexes are 0 … capacity − 1. */
  constructor(arena: Arena, heap: RegionHeap, capacity: number) {
    this.capacity = capacity;
    this.#arena = arena;
    this.#heap = heap;
    this.#base = arena.int32(capacity);
    this.#bits = arena.int32(capacity);
    this.#head = arena.int32(capacity);
    this.#tail = arena.int32(capacity);
    this.#ahead = arena.int32(capacity);
    this.#limit = arena.int32(capacity);
  }

  /** Makes the FIFO empty with room for `limitBytes`. */
  open(fifo: number, limitBytes: number): void {
    assert(this.#base[fifo] === 0, 'FIFO opened twice');
    this.#bits[fifo] = MIN_REGION_BITS;
    this.#head[fifo] = 0;
    this.#tail[fifo] = 0;
    this.#ahead[fifo] = 0;
    this.setLimit(fifo, limitBytes);
  }

  /** Throws away what is in it and gives its memory back. May be called twice. */
  close(fifo: number): void {
    this.#head[fifo] = this.#tail[fifo]!;
    this.#ahead[fifo] = 0;
    this.#release(fifo);
  }

  setLimit(fifo: number, limitBytes: number): void {
    this.#limit[fifo] = Math.min(limitBytes, 2 ** MAX_REGION_BITS);
  }

  limit(fifo: number): number {
    return this.#limit[fifo]!;
  }

  /** Bytes that can be read. */
  readable(fifo: number): number {
    return (this.#tail[fifo]! - this.#head[fifo]!) | 0;
  }

  /** Bytes that can still be written behind the tail before the limit; never negative. */
  space(fifo: number): number {
    const room = this.#limit[fifo]! - this.readable(fifo);
    return room > 0 ? room : 0;
  }

  /** Writes from an application's bytes; returns how many were taken (fewer at the limit or when memory is out). */
  write(fifo: number, source: Uint8Array, from: number, count: number): number {
    const taken = this.#reserve(fifo, 0, count, WRITER_SHARE);
    if (taken === 0) return 0;
    const size = 1 << this.#bits[fifo]!;
    const base = this.#base[fifo]!;
    const at = this.#tail[fifo]! & (size - 1);
    const first = Math.min(taken, size - at);
    this.#arena.copyIn(base + at, source, from, first);
    if (first < taken) this.#arena.copyIn(base, source, from + first, taken - first);
    this.#advance(fifo, taken);
    return taken;
  }

  /**
   * Writes `count` bytes from the arena at `ahead` bytes behind the tail, without making them readable.
   * Returns how many were taken.
   */
  place(fifo: number, ahead: number, source: number, count: number): number {
    const taken = this.#reserve(fifo, ahead, count, ARRIVAL_SHARE);
    if (taken === 0) return 0;
    const size = 1 << this.#bits[fifo]!;
    const base = this.#base[fifo]!;
    const at = (this.#tail[fifo]! + ahead) & (size - 1);
    const first = Math.min(taken, size - at);
    this.#arena.copy(base + at, source, first);
    if (first < taken) this.#arena.copy(base, source + first, taken - first);
    if (ahead + taken > this.#ahead[fifo]!) this.#ahead[fifo] = ahead + taken;
    return taken;
  }

  /** Makes `count` bytes that were placed right behind the tail readable. */
  commit(fifo: number, count: number): void {
    assert(count <= this.#ahead[fifo]!, 'more committed than placed');
    this.#advance(fifo, count);
  }

  /** Copies `count` bytes that begin `offset` bytes behind the head to arena offset `target`; nothing is consumed. */
  peek(fifo: number, offset: number, target: number, count: number): void {
    const size = 1 << this.#bits[fifo]!;
    const base = this.#base[fifo]!;
    const at = (this.#head[fifo]! + offset) & (size - 1);
    const first = Math.min(count, size - at);
    this.#arena.copy(target, base + at, first);
    if (first < count) this.#arena.copy(target + first, base, count - first);
  }

  /** Arena offset of the byte `offset` bytes behind the head. With {@link contiguous}, lets a reader work in place. */
  address(fifo: number, offset: number): number {
    return this.#base[fifo]! + ((this.#head[fifo]! + offset) & ((1 << this.#bits[fifo]!) - 1));
  }

  /** How many bytes from `offset` on lie in one piece, before the ring wraps. */
  contiguous(fifo: number, offset: number): number {
    const size = 1 << this.#bits[fifo]!;
    return Math.min(this.readable(fifo) - offset, size - ((this.#head[fifo]! + offset) & (size - 1)));
  }

  /** Reads up to `count` bytes into `target` from index `at` on; returns how many there were. */
  read(fifo: number, target: Uint8Array, at: number, count: number): number {
    const taken = Math.min(count, this.readable(fifo));
    if (taken === 0) return 0;
    const size = 1 << this.#bits[fifo]!;
    const from = this.#base[fifo]! + (this.#head[fifo]! & (size - 1));
    const first = Math.min(taken, this.#base[fifo]! + size - from);
    this.#arena.copyOut(from, target, at, first);
    if (first < taken) this.#arena.copyOut(this.#base[fifo]!, target, at + first, taken - first);
    this.drop(fifo, taken);
    return taken;
  }

  /** Consumes `count` bytes. */
  drop(fifo: number, count: number): void {
    assert(count <= this.readable(fifo), 'more dropped than readable');
    this.#head[fifo] = (this.#head[fifo]! + count) | 0;
    if (this.#head[fifo] === this.#tail[fifo] && this.#ahead[fifo] === 0) this.#release(fifo);
  }

  #advance(fifo: number, count: number): void {
    this.#tail[fifo] = (this.#tail[fifo]! + count) | 0;
    const ahead = this.#ahead[fifo]! - count;
    this.#ahead[fifo] = ahead > 0 ? ahead : 0;
  }

  /** Makes sure that the ring holds `ahead + count` bytes behind the tail; returns how many of `count` it can hold. */
  #reserve(fifo: number, ahead: number, count: number, share: number): number {
    const used = this.readable(fifo) + ahead;
    const room = this.#limit[fifo]! - used;
    if (room <= 0 || count === 0) return 0;
    const taken = count < room ? count : room;
    if (this.#base[fifo] === 0 || used + taken > 1 << this.#bits[fifo]!) return this.#resize(fifo, used, taken, share);
    return taken;
  }

  #resize(fifo: number, used: number, count: number, share: number): number {
    const old = this.#base[fifo]!;
    const oldBits = this.#bits[fifo]!;
    let bits = oldBits;
    while (2 ** bits < used + count && bits < MAX_REGION_BITS) bits++;
    let base = this.#takeRing(bits, share);
    // Memory is scarce: a smaller ring is better than none.
    const leastBits = old === 0 ? MIN_REGION_BITS : oldBits + 1;
    while (base === 0 && bits > leastBits && 2 ** (bits - 1) > used) base = this.#takeRing(--bits, share);
    if (base === 0) return old === 0 ? 0 : Math.max(0, Math.min(count, 2 ** oldBits - used));
    if (old !== 0) {
      this.#move(old, oldBits, base, bits, this.#head[fifo]!, this.readable(fifo) + this.#ahead[fifo]!);
      this.#heap.give(old, oldBits);
    }
    this.#base[fifo] = base;
    this.#bits[fifo] = bits;
    return Math.min(count, 2 ** bits - used);
  }

  /** Memory for a ring, or 0. The smallest is only refused when there is none: with it a connection goes on, if slowly. */
  #takeRing(bits: number, share: number): number {
    const heap = this.#heap;
    if (bits > MIN_REGION_BITS && heap.usedBytes + 2 ** bits > heap.capacityBytes * share) return 0;
    return heap.take(bits);
  }

  /** Copies `count` bytes from cursor `cursor` on between rings of different size. */
  #move(from: number, fromBits: number, to: number, toBits: number, cursor: number, count: number): void {
    const fromMask = 2 ** fromBits - 1;
    const toMask = 2 ** toBits - 1;
    for (let done = 0; done < count; ) {
      const source = (cursor + done) & fromMask;
      const target = (cursor + done) & toMask;
      const piece = Math.min(count - done, fromMask + 1 - source, toMask + 1 - target);
      this.#arena.copy(to + target, from + source, piece);
      done += piece;
    }
  }

  #release(fifo: number): void {
    const base = this.#base[fifo]!;
    if (base === 0) return;
    this.#heap.give(base, this.#bits[fifo]!);
    this.#base[fifo] = 0;
  }
}
