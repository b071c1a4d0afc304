/** A hash index over the rows of a table: the rows hold the keys, this holds the chains. */

const NONE = -1;

export class RowHash {
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #mask: number;

  /** @param buckets a power of two. @param rows rows of the table. */
  constructor(buckets: number, rows: number) {
    this.#heads = new Int32Array(buckets).fill(NONE);
    this.#next = new Int32Array(rows);
    this.#mask = buckets - 1;
  }

  /** First row whose hash may be `hash`, or −1. */
  first(hash: number): number {
    return this.#heads[hash & this.#mask]!;
  }

  /** The row after `row` in its chain, or −1. */
  after(row: number): number {
    return this.#next[row]!;
  }

  add(hash: number, row: number): void {
    const bucket = hash & this.#mask;
    this.#next[row] = this.#heads[bucket]!;
    this.#heads[bucket] = row;
  }

  remove(hash: number, row: number): void {
    const bucket = hash & this.#mask;
    if (this.#heads[bucket] === row) {
      this.#heads[bucket] = this.#next[row]!;
      return;
    }
    let previous = this.#heads[bucket]!;
    while (this.#next[previous] !== row) previous = this.#next[previous]!;
    this.#next[previous] = this.#next[row]!;
  }
}

/** Adds a word to a hash; begin with a secret seed, so that nobody outside can choose keys that collide. */
export function hashWord(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x9e3779b1);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x85ebca77);
  return mixed ^ (mixed >>> 13);
}
