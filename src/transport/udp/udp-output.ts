/**
 * Datagrams on their way out: built when the application sends, kept in a queue until the next pass of the graph.
 *
 *   first slot:  headroom │ IPv4 │ UDP │ payload …      following slots: payload from their first byte on
 *
 * The checksum is left to the interface (PacketFlag.checksumPartial); what exceeds the MTU is cut by ip4-fragment.
 */
import { PacketFlag, type PacketPool } from '../../mem/packet-pool.js';
import { NO_SLOT } from '../../mem/slot.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { IPV4_MIN_HEADER_BYTES, writeIpv4 } from '../../wire/ipv4.js';
import { UDP_HEADER_BYTES, writeUdp } from '../../wire/udp.js';

const HEADER_BYTES = IPV4_MIN_HEADER_BYTES + UDP_HEADER_BYTES;

/** Where a datagram goes, and how. Filled in by the sender; used again for each. */
export interface UdpDeparture {
  socket: number;
  stack: number;
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
  trafficClass: number;
  timeToLive: number;
  identification: number;
}

export class UdpOutput {
  readonly #pool: PacketPool;
  /** Ring of packets, oldest first. */
  readonly #ring: Int32Array;
  #head = 0;
  #count = 0;

  /** @param capacity most packets that wait. */
  constructor(pool: PacketPool, capacity: number) {
    this.#pool = pool;
    this.#ring = new Int32Array(capacity);
  }

  /** Packets that wait. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#ring.length;
  }

  /** Builds a datagram of `count` bytes from `bytes[from]` on and queues it. False if there are no slots for it. */
  push(departure: UdpDeparture, bytes: Uint8Array, from: number, count: number): boolean {
    const slot = this.#build(bytes, from, count);
    if (slot === NO_SLOT) return false;
    this.#writeHeaders(slot, departure, count);
    const at = this.#head + this.#count++;
    this.#ring[at < this.#ring.length ? at : at - this.#ring.length] = slot;
    return true;
  }

  /** Moves up to `max` packets to `into`; returns how many. */
  take(into: Int32Array, max: number): number {
    const count = Math.min(max, this.#count);
    for (let i = 0; i < count; i++) {
      into[i] = this.#ring[this.#head]!;
      this.#head = this.#head + 1 === this.#ring.length ? 0 : this.#head + 1;
    }
    this.#count -= count;
    return count;
  }

  /** Gives every packet back to the pool. */
  clear(): void {
    const slots = new Int32Array(this.#count);
    this.#pool.giveMany(slots, this.take(slots, slots.length));
  }

  /** A packet with room for the headers and the payload in place. */
  #build(bytes: Uint8Array, from: number, count: number): number {
    const pool = this.#pool;
    const first = pool.take();
    if (first === NO_SLOT) return NO_SLOT;
    let slot = first;
    let at = pool.head[slot]! + HEADER_BYTES;
    pool.length[slot] = HEADER_BYTES;
    for (let done = 0; ; ) {
      const piece = Math.min(count - done, pool.dataEnd(slot) - at);
      if (piece > 0) pool.arena.copyIn(at, bytes, from + done, piece);
      pool.length[slot]! += piece;
      done += piece;
      if (done === count) break;
      const following = pool.take();
      if (following === NO_SLOT) {
        pool.give(first);
        return NO_SLOT;
      }
      pool.next[slot] = following;
      slot = following;
      at = pool.slotStart(slot);
      pool.head[slot] = at;
    }
    pool.totalLength[first] = HEADER_BYTES + count;
    return first;
  }

  #writeHeaders(slot: number, departure: UdpDeparture, count: number): void {
    const pool = this.#pool;
    const ip = pool.head[slot]!;
    const at = ip + IPV4_MIN_HEADER_BYTES;
    const { trafficClass, identification, timeToLive, source, destination, sourcePort, destinationPort } = departure;
    // Fragments may be needed, here or on the way: DF stays off. RFC 1122 section 3.3.3.
    writeIpv4(
      pool.view,
      ip,
      trafficClass,
      HEADER_BYTES + count,
      identification,
      0,
      timeToLive,
      IpProtocol.udp,
      source,
      destination,
    );
    writeUdp(pool.view, at, sourcePort, destinationPort, UDP_HEADER_BYTES + count);
    pool.network[slot] = ip;
    pool.transport[slot] = at;
    pool.stack[slot] = departure.stack;
    pool.connection[slot] = departure.socket;
    pool.flags[slot] = PacketFlag.checksumPartial;
  }
}
