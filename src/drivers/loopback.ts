import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import type { Device, DeviceCapabilities } from './device.js';
import { PacketQueue } from './packet-queue.js';
import type { RingStore } from './ring-store.js';

const QUEUE_PACKETS = 1024;
const KEPT_FLAGS = PacketFlag.checksumValid | PacketFlag.checksumPartial | PacketFlag.gso;

/** What a stack sends to itself: IP packets that are transmitted here are received here. RFC 1122 section 3.2.1.3 (g). */
export class LoopbackDevice implements Device {
  readonly kind = 'loopback';
  readonly linkType = 'ip';
  readonly capabilities: DeviceCapabilities = { gso: true, checksum: true };
  onPending: () => void = () => {};
  readonly #pool: PacketPool;
  readonly #queue: PacketQueue;

  constructor(pool: PacketPool, rings: RingStore) {
    this.#pool = pool;
    this.#queue = new PacketQueue(pool, rings, QUEUE_PACKETS);
  }

  receive(into: Int32Array, at: number, max: number): number {
    return this.#queue.pop(into, at, max);
  }

  transmit(slots: Int32Array, at: number, count: number): number {
    const taken = this.#queue.push(slots, at, count);
    const { flags, flowHash, mark } = this.#pool;
    for (let i = at, end = at + taken; i < end; i++) {
      const slot = slots[i]!;
      flags[slot] = flags[slot]! & KEPT_FLAGS;
      flowHash[slot] = 0;
      mark[slot] = 0;
    }
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
