/** A bounded FIFO of bytes in private memory: no ring is held while it is empty. */
export class ByteRing {
  readonly limit: number;
  #ring: Uint8Array | undefined;
  #head = 0;
  #length = 0;

  constructor(limitBytes: number) {
    this.limit = limitBytes;
  }

  get length(): number {
    return this.#length;
  }

  get space(): number {
    return this.limit - this.#length;
  }

  /** Appends up to `count` bytes; returns how many there was room for. */
  write(bytes: Uint8Array, from: number, count: number): number {
    const taken = Math.min(count, this.space);
    if (taken === 0) return 0;
    this.#ring ??= new Uint8Array(this.limit);
    const tail = (this.#head + this.#length) % this.limit;
    const first = Math.min(taken, this.limit - tail);
    this.#ring.set(bytes.subarray(from, from + first), tail);
    if (first < taken) this.#ring.set(bytes.subarray(from + first, from + taken), 0);
    this.#length += taken;
    return taken;
  }

  /** Takes up to `count` bytes; returns how many there were. */
  read(into: Uint8Array, at: number, count: number): number {
    const taken = Math.min(count, this.#length);
    if (taken === 0) return 0;
    const ring = this.#ring!;
    const first = Math.min(taken, this.limit - this.#head);
    into.set(ring.subarray(this.#head, this.#head + first), at);
    if (first < taken) into.set(ring.subarray(0, taken - first), at + first);
    this.#head = (this.#head + taken) % this.limit;
    this.#length -= taken;
    if (this.#length === 0) this.#ring = undefined;
    return taken;
  }
}
