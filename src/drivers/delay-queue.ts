import { assert } from '../base/assert.js';

/** Packets that wait for a time: a binary heap in columns, first due first out, in order of arrival among equals. */
export class DelayQueue {
  readonly capacity: number;
  readonly #dueNs: Float64Array;
  readonly #arrival: Float64Array;
  readonly #slot: Int32Array;
  #count = 0;
  #arrivals = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#dueNs = new Float64Array(capacity);
    this.#arrival = new Float64Array(capacity);
    this.#slot = new Int32Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** When the first packet is due, in nanoseconds; Infinity when there is none. */
  get nextDueNs(): number {
    return this.#count === 0 ? Infinity : this.#dueNs[0]!;
  }

  push(slot: number, dueNs: number): void {
    assert(this.#count < this.capacity, 'the delay queue is full');
    let i = this.#count++;
    const arrival = this.#arrivals++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.#dueNs[parent]! <= dueNs) break;
      this.#move(i, parent);
      i = parent;
    }
    this.#put(i, slot, dueNs, arrival);
  }

  /** Takes the packet that is due first. */
  pop(): number {
    assert(this.#count > 0, 'the delay queue is empty');
    const first = this.#slot[0]!;
    const last = --this.#count;
    const dueNs = this.#dueNs[last]!;
    const arrival = this.#arrival[last]!;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isBefore(child + 1, this.#dueNs[child]!, this.#arrival[child]!)) child++;
      if (!this.#isBefore(child, dueNs, arrival)) break;
      this.#move(i, child);
      i = child;
    }
    this.#put(i, this.#slot[last]!, dueNs, arrival);
    return first;
  }

  #isBefore(i: number, dueNs: number, arrival: number): boolean {
    return this.#dueNs[i]! < dueNs || (this.#dueNs[i] === dueNs && this.#arrival[i]! < arrival);
  }

  #move(to: number, from: number): void {
    this.#put(to, this.#slot[from]!, this.#dueNs[from]!, this.#arrival[from]!);
  }

  #put(i: number, slot: number, dueNs: number, arrival: number): void {
    this.#slot[i] = slot;
    this.#dueNs[i] = dueNs;
    this.#arrival[i] = arrival;
  }
}
