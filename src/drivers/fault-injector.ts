/**
 * A link that does what bad networks do to the packets that are sent over it, by seeded random numbers and in the
 * clock's time, so that a run can be repeated exactly.
 *
 *   transmit ──► down? ──► loss ──► duplicate ──► corrupt ──► rate limit ──► delay, jitter, reorder ──► inner device
 */
import { type Random, randomBelow, randomFraction } from '../base/random.js';
import { type Clock, NS_PER_MS, NS_PER_S, type TimerSource } from '../base/time.js';
import { FRAME_PACKETS } from '../graph/frame.js';
import type { Kernels } from '../kernels/kernels.js';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import { ETHERNET_HEADER_BYTES, EtherType, ethernetType } from '../wire/ethernet.js';
import { copyPacket } from './copy-packet.js';
import { DelayQueue } from './delay-queue.js';
import type { Device, DeviceCapabilities } from './device.js';
import { DeviceWrapper } from './device-wrapper.js';
import { fillTransportChecksum } from './transport-checksum.js';

/** Probabilities are in 0 … 1 and apply to each packet; what is left out does not happen. */
export interface FaultOptions {
  readonly loss?: number;
  readonly duplicate?: number;
  /** Probability that a packet is held back by `reorderMs`, so that those behind overtake it. */
  readonly reorder?: number;
  /** Default: 1. */
  readonly reorderMs?: number;
  /** Probability that one bit of an IP packet is flipped. Link headers and ARP are spared: links guard them by a CRC. */
  readonly corrupt?: number;
  readonly delayMs?: number;
  /** The delay varies evenly by up to so much in both directions; packets may overtake each other. */
  readonly jitterMs?: number;
  readonly rateBytesPerSecond?: number;
  /** Bytes that wait for the rate limit; further packets are refused. Default: 262,144. */
  readonly queueBytes?: number;
  /** Packets that are held back for whatever reason; further ones are refused. Default: 4,096. */
  readonly queuePackets?: number;
  /** True: nothing passes, in neither direction. */
  readonly down?: boolean;
}

/** What has happened so far, in packets. */
export interface FaultCounters {
  passed: number;
  lost: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
  /** Met a link that was down. */
  cutOff: number;
  /** Refused because of `queueBytes` or `queuePackets`. */
  refused: number;
  /** Lost because the inner device had no room when they were due. */
  overflowed: number;
}

export interface FaultContext {
  readonly pool: PacketPool;
  readonly kernels: Kernels;
  readonly clock: Clock;
  readonly random: Random;
}

const DEFAULT_REORDER_MS = 1;
const DEFAULT_QUEUE_BYTES = 262_144;
const DEFAULT_QUEUE_PACKETS = 4096;
/** A packet of usual size, to tell senders how many fit into a queue of bytes. */
const USUAL_PACKET_BYTES = 1514;

export class FaultInjector extends DeviceWrapper implements TimerSource {
  readonly counters: FaultCounters = {
    passed: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    cutOff: 0,
    refused: 0,
    overflowed: 0,
  };
  readonly #context: FaultContext;
  readonly #held: DelayQueue;
  readonly #batch = new Int32Array(FRAME_PACKETS);
  #options: FaultOptions;
  /** When the rate limit has let through all that was sent so far. */
  #busyUntilNs = 0;

  constructor(inner: Device, context: FaultContext, options: FaultOptions) {
    super(inner);
    this.#context = context;
    this.#options = options;
    // A duplicate may come on top.
    this.#held = new DelayQueue((options.queuePackets ?? DEFAULT_QUEUE_PACKETS) + 1);
  }

  get options(): FaultOptions {
    return this.#options;
  }

  /**
   * Changes what happens to packets from now on; `queuePackets` stays. The interface's capabilities may have changed:
   * InterfaceTable.refreshCapabilities.
   */
  configure(options: FaultOptions): void {
    this.#options = options;
  }

  /** Faults that strike single packets of the wire need these, not super-segments; corruption needs real checksums. */
  override get capabilities(): DeviceCapabilities {
    const { loss = 0, duplicate = 0, reorder = 0, corrupt = 0 } = this.#options;
    const inner = this.inner.capabilities;
    return {
      gso: inner.gso && loss + duplicate + reorder + corrupt === 0,
      checksum: inner.checksum && corrupt === 0,
    };
  }

  override receive(into: Int32Array, at: number, max: number): number {
    const count = this.inner.receive(into, at, max);
    if (this.#options.down !== true || count === 0) return count;
    for (let i = at; i < at + count; i++) this.#lose(into[i]!, 'cutOff');
    // Nothing was handed out, but there may be more to throw away.
    if (count === max) this.onPending();
    return 0;
  }

  override transmit(slots: Int32Array, at: number, count: number): number {
    const nowNs = this.#context.clock.nowNs;
    let taken = 0;
    while (taken < count && this.#hasRoom(nowNs, this.#context.pool.totalLength[slots[at + taken]!]!)) {
      this.#accept(slots[at + taken]!, nowNs);
      taken++;
    }
    this.counters.refused += count - taken;
    this.#release(nowNs);
    return taken;
  }

  override get txSpace(): number {
    const { rateBytesPerSecond, queueBytes = DEFAULT_QUEUE_BYTES } = this.#options;
    const space = Math.min(this.inner.txSpace, this.#held.capacity - 1 - this.#held.count);
    if (rateBytesPerSecond === undefined) return Math.max(0, space);
    const backlog = this.#backlogBytes(this.#context.clock.nowNs);
    const room = Math.floor((queueBytes - backlog) / USUAL_PACKET_BYTES);
    // An idle link takes one packet of any size.
    return Math.max(backlog === 0 ? 1 : 0, Math.min(space, room));
  }

  override get timers(): TimerSource {
    return this;
  }

  nextDeadlineNs(): number {
    return Math.min(this.#held.nextDueNs, this.inner.timers?.nextDeadlineNs() ?? Infinity);
  }

  advance(nowNs: number): void {
    this.#release(nowNs);
    this.inner.timers?.advance(nowNs);
  }

  override close(): void {
    while (this.#held.count > 0) this.#context.pool.give(this.#held.pop());
    this.inner.close();
  }

  #hasRoom(nowNs: number, bytes: number): boolean {
    if (this.#held.count >= this.#held.capacity - 1) return false;
    const { rateBytesPerSecond, queueBytes = DEFAULT_QUEUE_BYTES } = this.#options;
    if (rateBytesPerSecond === undefined) return true;
    const backlog = this.#backlogBytes(nowNs);
    return backlog === 0 || backlog + bytes <= queueBytes;
  }

  #backlogBytes(nowNs: number): number {
    return (Math.max(0, this.#busyUntilNs - nowNs) / NS_PER_S) * (this.#options.rateBytesPerSecond ?? 0);
  }

  #lose(slot: number, reason: 'lost' | 'cutOff' | 'overflowed'): void {
    this.counters[reason]++;
    this.#context.pool.give(slot);
  }

  #happens(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && randomFraction(this.#context.random) < probability;
  }

  #accept(slot: number, nowNs: number): void {
    const options = this.#options;
    if (options.down === true) {
      this.#lose(slot, 'cutOff');
      return;
    }
    if (this.#happens(options.loss)) {
      this.#lose(slot, 'lost');
      return;
    }
    const copy = this.#happens(options.duplicate)
      ? copyPacket(this.#context.pool, this.#context.kernels, slot)
      : NO_SLOT;
    this.#hold(slot, nowNs);
    if (copy === NO_SLOT) return;
    this.counters.duplicated++;
    this.#hold(copy, nowNs);
  }

  /** Decides what happens to a packet on the link, and when it arrives. */
  #hold(slot: number, nowNs: number): void {
    const { corrupt, rateBytesPerSecond, delayMs = 0, jitterMs = 0, reorder, reorderMs } = this.#options;
    if (this.#happens(corrupt)) this.#corrupt(slot);
    let dueNs = nowNs;
    if (rateBytesPerSecond !== undefined) {
      const serializationNs = (this.#context.pool.totalLength[slot]! / rateBytesPerSecond) * NS_PER_S;
      this.#busyUntilNs = Math.max(nowNs, this.#busyUntilNs) + serializationNs;
      dueNs = this.#busyUntilNs;
    }
    dueNs += delayMs * NS_PER_MS;
    if (jitterMs > 0) dueNs += (randomFraction(this.#context.random) * 2 - 1) * jitterMs * NS_PER_MS;
    if (this.#happens(reorder)) {
      this.counters.reordered++;
      dueNs += (reorderMs ?? DEFAULT_REORDER_MS) * NS_PER_MS;
    }
    this.#held.push(slot, Math.max(nowNs, Math.ceil(dueNs)));
  }

  /** Flips one bit behind the link header: what the Internet checksum always detects. */
  #corrupt(slot: number): void {
    const { pool, kernels, random } = this.#context;
    const { view, head, length, next, flags } = pool;
    const isEthernet = this.linkType === 'ethernet';
    if (isEthernet) {
      if (length[slot]! < ETHERNET_HEADER_BYTES) return;
      const type = ethernetType(view, head[slot]!);
      if (type !== EtherType.ipv4 && type !== EtherType.ipv6) return;
    }
    const from = isEthernet ? ETHERNET_HEADER_BYTES : 0;
    const bits = (pool.totalLength[slot]! - from) * 8;
    if (bits <= 0) return;
    if ((flags[slot]! & PacketFlag.checksumPartial) !== 0) fillTransportChecksum(pool, kernels, slot);
    flags[slot] = flags[slot]! & ~PacketFlag.checksumValid;
    const bit = randomBelow(random, bits);
    let offset = from + (bit >> 3);
    let piece = slot;
    while (offset >= length[piece]!) {
      offset -= length[piece]!;
      piece = next[piece]!;
    }
    const at = head[piece]! + offset;
    view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)));
    this.counters.corrupted++;
  }

  /** Hands the inner device all that is due. */
  #release(nowNs: number): void {
    const held = this.#held;
    const batch = this.#batch;
    while (held.nextDueNs <= nowNs) {
      let count = 0;
      while (count < batch.length && held.nextDueNs <= nowNs) batch[count++] = held.pop();
      const sent = this.inner.transmit(batch, 0, count);
      this.counters.passed += sent;
      for (let i = sent; i < count; i++) this.#lose(batch[i]!, 'overflowed');
    }
  }
}
