import type { PacketPool } from '../mem/packet-pool.js';
import { linearize } from './copy-packet.js';
import type { Device } from './device.js';
import { DeviceWrapper } from './device-wrapper.js';
import { formatPacket } from './packet-text.js';

export type LinkTraceDirection = 'rx' | 'tx';

/** Describes each packet that passes a device, in both directions, by a line of text. */
export class LinkTracer extends DeviceWrapper {
  readonly #pool: PacketPool;
  readonly #onPacket: (direction: LinkTraceDirection, text: string) => void;

  constructor(inner: Device, pool: PacketPool, onPacket: (direction: LinkTraceDirection, text: string) => void) {
    super(inner);
    this.#pool = pool;
    this.#onPacket = onPacket;
  }

  override receive(into: Int32Array, at: number, max: number): number {
    const count = this.inner.receive(into, at, max);
    for (let i = at; i < at + count; i++) this.#describe('rx', into[i]!);
    return count;
  }

  override transmit(slots: Int32Array, at: number, count: number): number {
    for (let i = at; i < at + count; i++) this.#describe('tx', slots[i]!);
    return this.inner.transmit(slots, at, count);
  }

  #describe(direction: LinkTraceDirection, slot: number): void {
    const bytes = new Uint8Array(this.#pool.totalLength[slot]!);
    linearize(this.#pool, slot, bytes, 0);
    this.#onPacket(direction, formatPacket(new DataView(bytes.buffer), 0, bytes.length, this.linkType));
  }
}
