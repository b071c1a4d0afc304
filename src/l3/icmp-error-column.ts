/** Which ICMP error a packet that goes to ip4-icmp-error is to be answered with. */
import type { Arena } from '../mem/arena.js';

/**
 * One entry a slot: `type << 24 | code << 16 | info`, where info is the MTU of "fragmentation needed" or the offset of a
 * parameter problem. Written by: the node that sends the packet to ip4-icmp-error. Read by: ip4-icmp-error.
 */
export class IcmpErrorColumn {
  readonly #entries: Int32Array;

  constructor(arena: Arena, slots: number) {
    this.#entries = arena.int32(slots);
  }

  set(slot: number, type: number, code: number, info = 0): void {
    this.#entries[slot] = (type << 24) | (code << 16) | info;
  }

  type(slot: number): number {
    return this.#entries[slot]! >>> 24;
  }

  code(slot: number): number {
    return (this.#entries[slot]! >>> 16) & 255;
  }

  info(slot: number): number {
    return this.#entries[slot]! & 0xffff;
  }
}
