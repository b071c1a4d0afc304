/**
 * Memory for received bytes. Small reads are cut from a slab one after the other, large ones get memory of their own, so
 * that an application which keeps a small piece keeps little. What is handed out is never used again and is not shared.
 */
const SLAB_BYTES = 65_536;
/** From here on a read has memory of its own. */
const LARGE_READ_BYTES = 16_384;
const ALIGNMENT_MASK = 7;

/** Longest single read, as libuv's. */
export const MAX_READ_BYTES = 65_536;

export class ReadSlab {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #used = 0;
  /** The memory that the last `reserve` chose … */
  bytes: Buffer<ArrayBuffer> = this.#slab;
  /** … and where in it. */
  at = 0;

  /** Finds room for `count` bytes, at most MAX_READ_BYTES: `bytes[at … at + count - 1]`. */
  reserve(count: number): void {
    if (count >= LARGE_READ_BYTES) {
      this.bytes = Buffer.allocUnsafeSlow(count);
      this.at = 0;
      return;
    }
    if (this.#used + count > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    this.bytes = this.#slab;
    this.at = this.#used;
    this.#used = (this.#used + count + ALIGNMENT_MASK) & ~ALIGNMENT_MASK;
  }
}

/** Shared by all handles of the thread: between a `reserve` and the use of its room no other code runs. */
export const readSlab = new ReadSlab();
