import type { PacketPool } from '../mem/packet-pool.js';
import type { Device, DeviceCapabilities, LinkType } from './device.js';

/** A device that takes everything, counts it and gives it back to the pool. */
export class Sink implements Device {
  readonly kind = 'sink';
  readonly linkType: LinkType;
  readonly capabilities: DeviceCapabilities = { gso: true, checksum: true };
  readonly txSpace = 1024;
  onPending: () => void = () => {};
  packets = 0;
  bytes = 0;
  readonly #pool: PacketPool;

  constructor(pool: PacketPool, linkType: LinkType) {
    this.linkType = linkType;
    this.#pool = pool;
  }

  receive(): number {
    return 0;
  }

  transmit(slots: Int32Array, at: number, count: number): number {
    const { totalLength } = this.#pool;
    let bytes = 0;
    for (let i = at; i < at + count; i++) bytes += totalLength[slots[i]!]!;
    this.#pool.giveMany(slots, count, at);
    this.packets += count;
    this.bytes += bytes;
    return count;
  }

  close(): void {}
}
