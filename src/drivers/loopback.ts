import type { PacketPool } from '../mem/packet-pool.js';
import type { Device, DeviceCapabilities } from './device.js';
import { OFFLOAD_FLAGS, PacketQueue } from './packet-queue.js';
import type { RingStore } from './ring-store.js';

const QUEUE_PACKETS = 1024;

/** What a stack sends to itself: IP packets that are transmitted here are received here. RFC 1122 section 3.2.1.3 (g). */
export class LoopbackDevice implements Device {
  readonly kind = 'loopback';
  readonly linkType = 'ip';
  readonly capabilities: DeviceCapabilities = { gso: true, checksum: true };
  onPending: () => void = () => {};
  readonly #queue: PacketQueue;

  constructor(pool: PacketPool, rings: RingStore) {
    this.#queue = new PacketQueue(pool, rings, QUEUE_PACKETS, OFFLOAD_FLAGS);
  }

  receive(into: Int32Array, at: number, max: number): number {
    return this.#queue.pop(into, at, max);
  }

  transmit(slots: Int32Array, at: number, count: number): number {
    const taken = this.#queue.push(slots, at, count);
    if (taken > 0) this.onPending();
    return taken;
  }

  get txSpace(): number {
    return this.#queue.space;
  }

  close(): void {
    this.#queue.close();
  }
}
