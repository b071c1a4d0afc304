/**
 * Packets in and out by callbacks, as bytes: a tunnel over a WebSocket, another library's stack, a test.
 *
 *   inject(bytes) ──► queue ──► receive        transmit ──► onPacket(bytes), or a queue while the taker is not ready
 */
import { UsernetError } from '../base/errors.js';
import type { PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js';
import { IPV4_MIN_HEADER_BYTES } from '../wire/ipv4.js';
import { linearize, makePacket } from './copy-packet.js';
import type { Device, DeviceCapabilities, LinkType } from './device.js';
import { PacketQueue } from './packet-queue.js';
import type { RingStore } from './ring-store.js';

const DEFAULT_QUEUE_PACKETS = 256;

export interface StreamDeviceOptions {
  /** 'ethernet': frames without their check sequence; 'ip': bare IP packets. */
  readonly linkType: LinkType;
  /** Most bytes of an IP packet. */
  readonly mtu: number;
  /**
   * Takes a packet; the bytes are its own. False means: this one was taken, but wait for {@link StreamDevice.resume}
   * before the next.
   */
  readonly onPacket: (bytes: Uint8Array) => boolean;
  /** Called when `inject` has room again after it had none. */
  readonly onSpace?: () => void;
  /** Packets that wait in each direction, a power of two. Default: 256. */
  readonly queuePackets?: number;
}

/** What has happened so far, in packets. */
export interface StreamCounters {
  injected: number;
  delivered: number;
  /** Injected packets that were shorter than a header or longer than the MTU. */
  invalidSize: number;
  /** Injected packets that found the queue full. */
  queueFull: number;
  /** Injected packets for which the pool had no slot. */
  noMemory: number;
}

export class StreamDevice implements Device {
  readonly kind = 'stream';
  readonly linkType: LinkType;
  readonly capabilities: DeviceCapabilities = { gso: false, checksum: false };
  onPending: () => void = () => {};
  readonly counters: StreamCounters = { injected: 0, delivered: 0, invalidSize: 0, queueFull: 0, noMemory: 0 };
  readonly #pool: PacketPool;
  readonly #options: StreamDeviceOptions;
  readonly #minBytes: number;
  readonly #maxBytes: number;
  readonly #queuePackets: number;
  readonly #in: PacketQueue;
  readonly #out: PacketQueue;
  readonly #one = new Int32Array(1);
  #isPaused = false;
  #isFull = false;
  #isClosed = false;

  constructor(pool: PacketPool, rings: RingStore, options: StreamDeviceOptions) {
    const isEthernet = options.linkType === 'ethernet';
    this.linkType = options.linkType;
    this.#pool = pool;
    this.#options = options;
    this.#minBytes = isEthernet ? ETHERNET_HEADER_BYTES : IPV4_MIN_HEADER_BYTES;
    this.#maxBytes = options.mtu + (isEthernet ? ETHERNET_HEADER_BYTES : 0);
    this.#queuePackets = options.queuePackets ?? DEFAULT_QUEUE_PACKETS;
    this.#in = new PacketQueue(pool, rings, this.#queuePackets, 0);
    this.#out = new PacketQueue(pool, rings, this.#queuePackets, 0);
  }

  /** Packets that `inject` would take now. */
  get injectSpace(): number {
    return this.#in.space;
  }

  /** Brings a packet in; the bytes are copied. False when it was not taken. Throws USERNET_CLOSED. */
  inject(bytes: Uint8Array): boolean {
    if (this.#isClosed) throw new UsernetError('USERNET_CLOSED', 'the packet stream is closed');
    if (bytes.length < this.#minBytes || bytes.length > this.#maxBytes) {
      this.counters.invalidSize++;
      return false;
    }
    if (this.#in.space === 0) {
      this.#isFull = true;
      this.counters.queueFull++;
      return false;
    }
    const slot = makePacket(this.#pool, bytes);
    if (slot === NO_SLOT) {
      this.counters.noMemory++;
      return false;
    }
    this.#one[0] = slot;
    this.#in.push(this.#one, 0, 1);
    this.counters.injected++;
    this.onPending();
    return true;
  }

  /** The taker of packets is ready again. */
  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && this.#out.pop(this.#one, 0, 1) === 1) this.#deliver(this.#one[0]!);
  }

  receive(into: Int32Array, at: number, max: number): number {
    const count = this.#in.pop(into, at, max);
    if (this.#isFull && count > 0) {
      this.#isFull = false;
      this.#options.onSpace?.();
    }
    return count;
  }

  transmit(slots: Int32Array, at: number, count: number): number {
    let taken = 0;
    while (taken < count && !this.#isPaused && !this.#isClosed) this.#deliver(slots[at + taken++]!);
    return taken + this.#out.push(slots, at + taken, count - taken);
  }

  get txSpace(): number {
    return this.#isPaused ? this.#out.space : this.#queuePackets;
  }

  close(): void {
    this.#isClosed = true;
    this.#in.close();
    this.#out.close();
  }

  #deliver(slot: number): void {
    const bytes = new Uint8Array(this.#pool.totalLength[slot]!);
    linearize(this.#pool, slot, bytes, 0);
    this.#pool.give(slot);
    this.counters.delivered++;
    if (!this.#options.onPacket(bytes)) this.#isPaused = true;
  }
}
