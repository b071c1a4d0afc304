/**
 * A pair of Ethernet devices joined back to back: what one transmits, the other receives. Packets change hands as slot
 * numbers, nothing is copied.
 *
 *   a.transmit ──► queue of b ──► b.receive        b.transmit ──► queue of a ──► a.receive
 */
import type { PacketPool } from '../mem/packet-pool.js';
import type { Device, DeviceCapabilities } from './device.js';
import { OFFLOAD_FLAGS, PacketQueue } from './packet-queue.js';
import type { RingStore } from './ring-store.js';

export interface VethOptions {
  /**
   * True (default): super-segments cross in one piece and checksums stay metadata, computed by nobody. False: the link
   * behaves as a wire does, with packets of MTU size and real checksums that the receiver verifies.
   */
  readonly offload?: boolean;
  /** Packets that wait in each direction, a power of two. Default: 1024. */
  readonly queuePackets?: number;
}

export const DEFAULT_VETH_QUEUE_PACKETS = 1024;

/** Makes both ends of a link. */
export function makeVethPair(pool: PacketPool, rings: RingStore, options: VethOptions = {}): [VethDevice, VethDevice] {
  const a = new VethDevice(pool, rings, options);
  const b = new VethDevice(pool, rings, options);
  a.join(b);
  b.join(a);
  return [a, b];
}

export class VethDevice implements Device {
  readonly kind = 'veth';
  readonly linkType = 'ethernet';
  readonly capabilities: DeviceCapabilities;
  onPending: () => void = () => {};
  /** Packets sent while nobody was at the other end. */
  lost = 0;
  readonly #pool: PacketPool;
  /** Packets that wait to be received here. */
  readonly #queue: PacketQueue;
  readonly #queuePackets: number;
  #peer: VethDevice | undefined;

  constructor(pool: PacketPool, rings: RingStore, options: VethOptions) {
    const offload = options.offload ?? true;
    this.capabilities = { gso: offload, checksum: offload };
    this.#pool = pool;
    this.#queuePackets = options.queuePackets ?? DEFAULT_VETH_QUEUE_PACKETS;
    this.#queue = new PacketQueue(pool, rings, this.#queuePackets, offload ? OFFLOAD_FLAGS : 0);
  }

  join(peer: VethDevice): void {
    this.#peer = peer;
  }

  receive(into: Int32Array, at: number, max: number): number {
    return this.#queue.pop(into, at, max);
  }

  transmit(slots: Int32Array, at: number, count: number): number {
    const peer = this.#peer;
    if (peer === undefined) {
      // Nobody is at the other end: packets are lost as on a cut wire, and senders run into their timeouts.
      this.#pool.giveMany(slots, count, at);
      this.lost += count;
      return count;
    }
    const taken = peer.#queue.push(slots, at, count);
    if (taken > 0) peer.onPending();
    return taken;
  }

  get txSpace(): number {
    return this.#peer === undefined ? this.#queuePackets : this.#peer.#queue.space;
  }

  close(): void {
    this.#queue.close();
    if (this.#peer !== undefined) this.#peer.#peer = undefined;
    this.#peer = undefined;
  }
}
