/**
 * Forwarding table for IPv4: a multibit trie with strides of 16, 4, 4 and 8 bits, all VRFs in one address space.
 *
 *   root of a VRF        block           block          block
 *   65,536 entries ──► 16 entries ──► 16 entries ──► 256 entries     entry:  0                      nothing
 *   bits 31…16          bits 15…12     bits 11…8      bits 7…0               length << 24 | row      leaf
 *                                                                            1 << 31 | block         offset in words
 *
 * Prefixes are pushed to the leaves: a lookup reads one to four entries and never goes back. A leaf tells the length of
 * the prefix it came from, so that a shorter prefix never overwrites a longer one; what to put back when a prefix goes
 * is known to the RIB. The default route is held apart, so that a root, 256 KiB of address space, has only those pages
 * committed in whose range there are routes. A block of 16 is one cache line: with 10,000 routes of 16 to 24 bits the
 * blocks take 1 MiB, those of a stride of 8 took 8 MiB and missed caches and TLB as often again. An entry changes by
 * one store, blocks are filled before they are linked: whoever looks up meanwhile sees the table before or after.
 * Srinivasan and Varghese, "Fast address lookups using controlled prefix expansion", 1999.
 */
import { assert } from '../base/assert.js';
import type { Arena } from '../mem/arena.js';

const WORD_BYTES = 4;
const PAGE_BYTES = 4096;
/** Cut from the arena for blocks at a time. */
const CUT_BYTES = 64 * 1024;

const LENGTH_SHIFT = 24;
export const IP4_FIB_ROW_MASK = (1 << LENGTH_SHIFT) - 1;
const CHILD = 1 << 31;
const CHILD_MASK = ~CHILD;

/** Per level: entries of its table, prefix bits covered when its entry has been read, bits that remain below it. */
const LEVEL_ENTRIES = [1 << 16, 1 << 4, 1 << 4, 1 << 8] as const;
const LEVEL_END = [16, 20, 24, 32] as const;
const LEVEL_SHIFT = [16, 12, 8, 0] as const;

/** The leaf for `destination` below a root entry that is negative: one that leads to a block. */
export function descendIp4Fib(words: Int32Array, rootEntry: number, destination: number): number {
  let entry = words[(rootEntry & CHILD_MASK) + ((destination >>> 12) & 15)]!;
  if (entry < 0) {
    entry = words[(entry & CHILD_MASK) + ((destination >>> 8) & 15)]!;
    if (entry < 0) entry = words[(entry & CHILD_MASK) + (destination & 255)]!;
  }
  return entry;
}

/** Where in a table of that level the address is found. */
function entryAt(table: number, level: number, address: number): number {
  return table + ((address >>> LEVEL_SHIFT[level]!) & (LEVEL_ENTRIES[level]! - 1));
}

export class Ip4Fib {
  /** The whole arena as words. */
  readonly words: Int32Array;
  /** By VRF: offset of its root in words. */
  readonly roots: Int32Array;
  /** By VRF: row of the default route, 0 without one. */
  readonly defaults: Int32Array;
  /** Grows with every change that may change where packets go or come from; what was looked up before is old then. */
  generation = 1;
  readonly #arena: Arena;
  readonly #freeRoots: number[] = [];
  /** By level. */
  readonly #freeBlocks: readonly number[][] = LEVEL_ENTRIES.map(() => []);
  #blockBytes = 0;

  constructor(arena: Arena, maxVrfs: number) {
    this.#arena = arena;
    this.words = new Int32Array(arena.memory.buffer);
    this.roots = arena.int32(maxVrfs);
    this.defaults = arena.int32(maxVrfs);
  }

  /** Bytes of the blocks in use. */
  get blockBytes(): number {
    return this.#blockBytes;
  }

  addVrf(vrf: number): void {
    const root = this.#freeRoots.pop();
    this.roots[vrf] = root ?? this.#arena.allocate(LEVEL_ENTRIES[0] * WORD_BYTES, PAGE_BYTES) / WORD_BYTES;
    this.defaults[vrf] = 0;
  }

  /** Precondition: every prefix of the VRF has been removed, so that its root is zero again. */
  removeVrf(vrf: number): void {
    this.#freeRoots.push(this.roots[vrf]!);
    this.roots[vrf] = 0;
    this.defaults[vrf] = 0;
  }

  /** The row for a destination, or 0. */
  lookup(vrf: number, destination: number): number {
    const entry = this.words[this.roots[vrf]! + (destination >>> 16)]!;
    const row = (entry < 0 ? descendIp4Fib(this.words, entry, destination) : entry) & IP4_FIB_ROW_MASK;
    return row === 0 ? this.defaults[vrf]! : row;
  }

  /** Adds a prefix, or changes its row. `row` is not 0. */
  set(vrf: number, network: number, prefixLength: number, row: number): void {
    if (prefixLength === 0) this.defaults[vrf] = row;
    else this.#paint(this.roots[vrf]!, 0, network, prefixLength, (prefixLength << LENGTH_SHIFT) | row);
  }

  /**
   * Removes a prefix. What its range leads to from now on is `coverRow`, of the longest prefix that covers it and has
   * the length `coverLength`; both are 0 if only the default route is left.
   */
  remove(vrf: number, network: number, prefixLength: number, coverLength: number, coverRow: number): void {
    if (prefixLength === 0) {
      this.defaults[vrf] = 0;
      return;
    }
    const leaf = coverLength === 0 ? 0 : (coverLength << LENGTH_SHIFT) | coverRow;
    this.#paint(this.roots[vrf]!, 0, network, prefixLength, leaf);
    this.#collapse(this.roots[vrf]!, 0, network, prefixLength);
  }

  /**
   * Stores `leaf` into every entry of the prefix's range that does not belong to a longer prefix. It serves removal as
   * well: before it, no entry of the range belongs to a shorter one.
   */
  #paint(table: number, level: number, network: number, prefixLength: number, leaf: number): void {
    const at = entryAt(table, level, network);
    const end = LEVEL_END[level]!;
    if (prefixLength <= end) {
      this.#paintRange(at, 1 << (end - prefixLength), level, prefixLength, leaf);
      return;
    }
    const entry = this.words[at]!;
    if (entry < 0) {
      this.#paint(entry & CHILD_MASK, level + 1, network, prefixLength, leaf);
      return;
    }
    const block = this.#takeBlock(level + 1, entry);
    this.#paint(block, level + 1, network, prefixLength, leaf);
    this.words[at] = CHILD | block;
  }

  #paintRange(from: number, count: number, level: number, prefixLength: number, leaf: number): void {
    const words = this.words;
    for (let at = from; at < from + count; at++) {
      const entry = words[at]!;
      if (entry < 0) {
        this.#paintRange(entry & CHILD_MASK, LEVEL_ENTRIES[level + 1]!, level + 1, prefixLength, leaf);
      } else if (entry >>> LENGTH_SHIFT <= prefixLength) words[at] = leaf;
    }
  }

  /**
   * Frees the blocks on the prefix's way whose entries all say what one entry above can say. Blocks elsewhere hold
   * longer prefixes that are still there.
   */
  #collapse(table: number, level: number, network: number, prefixLength: number): void {
    const end = LEVEL_END[level]!;
    if (prefixLength <= end) return;
    const at = entryAt(table, level, network);
    const entry = this.words[at]!;
    if (entry >= 0) return;
    const block = entry & CHILD_MASK;
    this.#collapse(block, level + 1, network, prefixLength);
    const first = this.words[block]!;
    if (first < 0 || first >>> LENGTH_SHIFT > end || !this.#isUniform(block, LEVEL_ENTRIES[level + 1]!)) return;
    this.words[at] = first;
    this.#freeBlocks[level + 1]!.push(block);
    this.#blockBytes -= LEVEL_ENTRIES[level + 1]! * WORD_BYTES;
  }

  #isUniform(block: number, entries: number): boolean {
    const first = this.words[block]!;
    for (let at = block + 1; at < block + entries; at++) if (this.words[at] !== first) return false;
    return true;
  }

  /** A block of that level with `entry` in every place. */
  #takeBlock(level: number, entry: number): number {
    const free = this.#freeBlocks[level]!;
    const entries = LEVEL_ENTRIES[level]!;
    if (free.length === 0) {
      const cut = this.#arena.allocate(CUT_BYTES, PAGE_BYTES) / WORD_BYTES;
      for (let at = cut + CUT_BYTES / WORD_BYTES - entries; at >= cut; at -= entries) free.push(at);
    }
    const block = free.pop();
    assert(block !== undefined, 'blocks were cut');
    this.words.fill(entry, block, block + entries);
    this.#blockBytes += entries * WORD_BYTES;
    return block;
  }
}
