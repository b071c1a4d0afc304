/**
 * A hash table from flows to numbers, in the arena. Open addressing with linear probing; removal shifts the followers
 * back, so that there are no tombstones and a look-up ends at the first free bucket.
 *
 *   bucket of 64 bytes (one cache line), int32 words:
 *   │ hash │ value │ state │ – │ – │ – │ key: namespace<<8|protocol │ local 4 words │ remote 4 words │ ports │
 *     0      1       2                   6                            7               11               15
 *
 * Addresses are 128 bits wide; an IPv4 address stands as ::ffff:a.b.c.d. A wildcard is a zero in its place: listeners
 * are found by further look-ups. The hash is seeded, so that a peer cannot choose addresses that fall into one bucket.
 */
import { assert } from '../base/assert.js';
import type { Arena } from '../mem/arena.js';
import { MAX_REGION_BITS, MIN_REGION_BITS, type RegionHeap } from '../mem/region-heap.js';

/** Words of a key. */
export const FLOW_KEY_WORDS = 10;
/** What `find` returns when the flow is unknown. */
export const NO_FLOW = -1;
/** Third word of an IPv4-mapped address. RFC 4291 section 2.5.5.2. */
export const IPV4_MAPPED_WORD = 0xffff;

const BUCKET_BITS = 6;
const BUCKET_WORD_BITS = 4;
const VALUE = 1;
const STATE = 2;
const KEY = 6;
const FREE = 0;
const USED = 1;

/** Writes a whole key. `ports` is `localPort << 16 | remotePort`. */
export function setFlowKey(
  key: Int32Array,
  namespace: number,
  protocol: number,
  local0: number,
  local1: number,
  local2: number,
  local3: number,
  remote0: number,
  remote1: number,
  remote2: number,
  remote3: number,
  ports: number,
): void {
  key[0] = (namespace << 8) | protocol;
  key[1] = local0;
  key[2] = local1;
  key[3] = local2;
  key[4] = local3;
  key[5] = remote0;
  key[6] = remote1;
  key[7] = remote2;
  key[8] = remote3;
  key[9] = ports;
}

/** Writes the key of an IPv4 flow; an address of 0 is a wildcard. `ports` is `localPort << 16 | remotePort`. */
export function setFlowKeyIpv4(
  key: Int32Array,
  namespace: number,
  protocol: number,
  local: number,
  remote: number,
  ports: number,
): void {
  key[0] = (namespace << 8) | protocol;
  key[1] = 0;
  key[2] = 0;
  key[3] = local === 0 ? 0 : IPV4_MAPPED_WORD;
  key[4] = local;
  key[5] = 0;
  key[6] = 0;
  key[7] = remote === 0 ? 0 : IPV4_MAPPED_WORD;
  key[8] = remote;
  key[9] = ports;
}

export class FlowTable {
  readonly #heap: RegionHeap;
  readonly #words: Int32Array;
  readonly #seed: number;
  /** Word index of bucket 0; meaningless while `#bits` is 0. */
  #base = 0;
  /** Buckets as a power of two; 0 while there is no region. */
  #bits = 0;
  #count = 0;

  /** @param heap gives the regions of 4 KiB to 16 MiB. @param seed random; unknown to peers. */
  constructor(arena: Arena, heap: RegionHeap, seed: number) {
    this.#heap = heap;
    this.#words = new Int32Array(arena.memory.buffer);
    this.#seed = seed | 0;
  }

  get count(): number {
    return this.#count;
  }

  /** The value of a key of {@link FLOW_KEY_WORDS} words, or {@link NO_FLOW}. */
  find(key: Int32Array): number {
    if (this.#count === 0) return NO_FLOW;
    const bucket = this.#search(key, hashKey(key, this.#seed));
    return this.#words[bucket + STATE] === FREE ? NO_FLOW : this.#words[bucket + VALUE]!;
  }

  /** Adds a key that is not there yet. Returns false when memory is out. */
  add(key: Int32Array, value: number): boolean {
    if (this.#bits === 0 || this.#count * 4 >= 3 * (1 << this.#bits)) {
      // A table that cannot grow still takes what fits: one bucket must stay free, so that a search ends.
      if (!this.#grow() && (this.#bits === 0 || this.#count >= (1 << this.#bits) - 1)) return false;
    }
    const hash = hashKey(key, this.#seed);
    const bucket = this.#search(key, hash);
    const words = this.#words;
    assert(words[bucket + STATE] === FREE, 'a flow was added twice');
    words[bucket] = hash;
    words[bucket + VALUE] = value;
    words[bucket + STATE] = USED;
    for (let i = 0; i < FLOW_KEY_WORDS; i++) words[bucket + KEY + i] = key[i]!;
    this.#count++;
    return true;
  }

  /** Gives the key another value; returns false when it is not there. */
  replace(key: Int32Array, value: number): boolean {
    if (this.#count === 0) return false;
    const bucket = this.#search(key, hashKey(key, this.#seed));
    if (this.#words[bucket + STATE] === FREE) return false;
    this.#words[bucket + VALUE] = value;
    return true;
  }

  /** Returns false when the key was not there. */
  remove(key: Int32Array): boolean {
    if (this.#count === 0) return false;
    const bucket = this.#search(key, hashKey(key, this.#seed));
    if (this.#words[bucket + STATE] === FREE) return false;
    this.#free((bucket - this.#base) >> BUCKET_WORD_BITS);
    this.#count--;
    return true;
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    if (this.#bits !== 0) this.#heap.give(this.#base * 4, this.#bits + BUCKET_BITS);
    this.#bits = 0;
    this.#count = 0;
  }

  /** Word index of the bucket that holds the key, or of the free one where it would go. */
  #search(key: Int32Array, hash: number): number {
    const words = this.#words;
    const mask = (1 << this.#bits) - 1;
    const base = this.#base;
    let index = hash & mask;
    for (;;) {
      const bucket = base + (index << BUCKET_WORD_BITS);
      if (words[bucket + STATE] === FREE) return bucket;
      if (words[bucket] === hash && isSameKey(words, bucket + KEY, key)) return bucket;
      index = (index + 1) & mask;
    }
  }

  /** Frees a bucket and moves back the followers whose own place lies at or before the gap (Knuth, 6.4 algorithm R). */
  #free(index: number): void {
    const words = this.#words;
    const mask = (1 << this.#bits) - 1;
    const base = this.#base;
    let gap = index;
    for (let i = (gap + 1) & mask; ; i = (i + 1) & mask) {
      const bucket = base + (i << BUCKET_WORD_BITS);
      if (words[bucket + STATE] === FREE) break;
      const home = words[bucket]! & mask;
      if (((i - home) & mask) < ((i - gap) & mask)) continue;
      words.copyWithin(base + (gap << BUCKET_WORD_BITS), bucket, bucket + (1 << BUCKET_WORD_BITS));
      gap = i;
    }
    words[base + (gap << BUCKET_WORD_BITS) + STATE] = FREE;
  }

  #grow(): boolean {
    const oldBits = this.#bits;
    const oldBase = this.#base;
    const bits = oldBits === 0 ? MIN_REGION_BITS - BUCKET_BITS : oldBits + 1;
    if (bits + BUCKET_BITS > MAX_REGION_BITS) return false;
    const at = this.#heap.take(bits + BUCKET_BITS);
    if (at === 0) return false;
    const words = this.#words;
    const base = at >> 2;
    words.fill(0, base, base + (1 << (bits + BUCKET_WORD_BITS)));
    this.#base = base;
    this.#bits = bits;
    if (oldBits === 0) return true;
    const mask = (1 << bits) - 1;
    for (
      let bucket = oldBase;
      bucket < oldBase + (1 << (oldBits + BUCKET_WORD_BITS));
      bucket += 1 << BUCKET_WORD_BITS
    ) {
      if (words[bucket + STATE] === FREE) continue;
      let index = words[bucket]! & mask;
      while (words[base + (index << BUCKET_WORD_BITS) + STATE] !== FREE) index = (index + 1) & mask;
      words.copyWithin(base + (index << BUCKET_WORD_BITS), bucket, bucket + (1 << BUCKET_WORD_BITS));
    }
    this.#heap.give(oldBase * 4, oldBits + BUCKET_BITS);
    return true;
  }
}

function isSameKey(words: Int32Array, at: number, key: Int32Array): boolean {
  // Ports and remote address differ first.
  for (let i = FLOW_KEY_WORDS - 1; i >= 0; i--) if (words[at + i] !== key[i]) return false;
  return true;
}

/** Multiply, rotate and xor word by word, with a final avalanche (the scheme of MurmurHash3). */
function hashKey(key: Int32Array, seed: number): number {
  let hash = seed;
  for (let i = 0; i < FLOW_KEY_WORDS; i++) {
    let word = Math.imul(key[i]!, 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
