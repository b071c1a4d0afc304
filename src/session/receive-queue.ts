/**
 * Bytes that an application has received and not read yet, as the pieces in which they came: large ones are kept as they
 * are, small ones are put together, so that neither memory nor count of pieces grows beyond the bytes themselves.
 */

/** Pieces of this length are kept as they are if they are a quarter of their chunk. */
const LARGE_BYTES = 4 * 1024;
/** Small pieces are put together in slabs of this length. */
const SLAB_BYTES = 1024;

export class ReceiveQueue {
  readonly #pieces: Uint8Array[] = [];
  /** Position in the first piece. */
  #offset = 0;
  #length = 0;
  /** The last piece when it is a slab, with the bytes used. */
  #slab: Uint8Array | undefined;
  #slabUsed = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends `count` bytes of `chunk` from index `from` on. Keeps the chunk itself if they are a good part of it. */
  push(chunk: Uint8Array, from: number, count: number): void {
    this.#length += count;
    if (count * 4 >= chunk.length && count >= LARGE_BYTES) {
      this.#sealSlab();
      this.#pieces.push(chunk.subarray(from, from + count));
      return;
    }
    for (let done = 0; done < count; ) {
      if (this.#slab === undefined || this.#slabUsed === this.#slab.length) this.#newSlab(count - done);
      const slab = this.#slab!;
      const piece = Math.min(count - done, slab.length - this.#slabUsed);
      slab.set(chunk.subarray(from + done, from + done + piece), this.#slabUsed);
      this.#slabUsed += piece;
      done += piece;
    }
  }

  /** Takes up to `count` bytes into `into[at …]`; returns how many there were. */
  read(into: Uint8Array, at: number, count: number): number {
    const taken = Math.min(count, this.#length);
    for (let done = 0; done < taken; ) {
      const first = this.#pieces[0]!;
      const end = first === this.#slab ? this.#slabUsed : first.length;
      const piece = Math.min(taken - done, end - this.#offset);
      into.set(first.subarray(this.#offset, this.#offset + piece), at + done);
      done += piece;
      this.#offset += piece;
      if (this.#offset === end) this.#dropFirst();
    }
    this.#length -= taken;
    return taken;
  }

  #dropFirst(): void {
    this.#offset = 0;
    if (this.#pieces.shift() === this.#slab) this.#slab = undefined;
  }

  /** The slab becomes a piece like others. */
  #sealSlab(): void {
    if (this.#slab === undefined) return;
    this.#pieces[this.#pieces.length - 1] = this.#slab.subarray(0, this.#slabUsed);
    this.#slab = undefined;
  }

  #newSlab(bytes: number): void {
    this.#slab = new Uint8Array(Math.max(SLAB_BYTES, bytes));
    this.#slabUsed = 0;
    this.#pieces.push(this.#slab);
  }
}
