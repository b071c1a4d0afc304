/**
 * Received datagrams of each socket, as records in its FIFO:
 *
 *   word  0      1                          2                   3    4 … 7           8 … 11
 *        │length│local port, remote port   │ttl, traffic class │ 0  │local address  │remote address│ datagram, `length` bytes │
 */
import type { Arena } from '../../mem/arena.js';
import { FifoTable } from '../../mem/fifo.js';
import type { PacketPool } from '../../mem/packet-pool.js';
import type { RegionHeap } from '../../mem/region-heap.js';
import { NO_SLOT } from '../../mem/slot.js';
import { ipv4Destination, ipv4Source, ipv4TrafficClass, ipv4Ttl } from '../../wire/ipv4.js';
import { UDP_HEADER_BYTES, udpDestinationPort, udpLength, udpSourcePort } from '../../wire/udp.js';
import type { UdpDatagram } from './udp.js';

export const RECORD_HEADER_BYTES = 48;
const RECORD_WORDS = RECORD_HEADER_BYTES / 4;
const LENGTH = 0;
const PORTS = 1;
const IP_FIELDS = 2;
const LOCAL = 4;
const REMOTE = 8;
const MAPPED_PREFIX = 0xffff;

export class UdpReceiveQueue {
  readonly fifos: FifoTable;
  readonly #pool: PacketPool;
  readonly #headerAt: number;
  /** The record header being written or read: the words at `#headerAt`. */
  readonly #header: Int32Array;

  constructor(arena: Arena, heap: RegionHeap, pool: PacketPool, sockets: number) {
    this.fifos = new FifoTable(arena, heap, sockets);
    this.#pool = pool;
    this.#headerAt = arena.allocate(RECORD_HEADER_BYTES);
    this.#header = new Int32Array(arena.memory.buffer, this.#headerAt, RECORD_WORDS);
  }

  /** Appends the datagram of a packet whose `network` and `transport` are set. False if there is no room for it. */
  push(socket: number, slot: number): boolean {
    const { fifos } = this;
    const { view, head, length, next, network, transport } = this.#pool;
    const at = transport[slot]!;
    const bytes = udpLength(view, at) - UDP_HEADER_BYTES;
    const recordBytes = RECORD_HEADER_BYTES + bytes;
    if (fifos.space(socket) < recordBytes) return false;
    this.#writeHeader(network[slot]!, at, bytes);
    // The last byte first: it takes all the memory at once, or none.
    if (fifos.place(socket, recordBytes - 1, this.#headerAt, 1) === 0) return false;
    fifos.place(socket, 0, this.#headerAt, RECORD_HEADER_BYTES);
    let from = at + UDP_HEADER_BYTES;
    let room = head[slot]! + length[slot]! - from;
    let piece = slot;
    for (let done = 0; done < bytes; ) {
      const count = Math.min(room, bytes - done);
      if (count > 0) fifos.place(socket, RECORD_HEADER_BYTES + done, from, count);
      done += count;
      piece = next[piece]!;
      if (piece === NO_SLOT) break;
      from = head[piece]!;
      room = length[piece]!;
    }
    fifos.commit(socket, recordBytes);
    return true;
  }

  /** Takes the oldest datagram into `into[at …]`, cut off at the end; returns its whole length, or −1. */
  take(socket: number, into: Uint8Array, at: number, info: UdpDatagram): number {
    const { fifos } = this;
    const bytes = this.nextLength(socket);
    if (bytes < 0) return -1;
    const header = this.#header;
    info.remotePort = header[PORTS]! & 0xffff;
    info.ttl = header[IP_FIELDS]! & 0xff;
    for (let i = 0; i < 4; i++) {
      info.local[i] = header[LOCAL + i]!;
      info.remote[i] = header[REMOTE + i]!;
    }
    fifos.drop(socket, RECORD_HEADER_BYTES);
    const taken = fifos.read(socket, into, at, Math.min(bytes, into.length - at));
    if (taken < bytes) fifos.drop(socket, bytes - taken);
    return bytes;
  }

  /** Length of the oldest datagram, or −1. Reads its record header. */
  nextLength(socket: number): number {
    if (this.fifos.readable(socket) === 0) return -1;
    this.fifos.peek(socket, 0, this.#headerAt, RECORD_HEADER_BYTES);
    return this.#header[LENGTH]!;
  }

  #writeHeader(network: number, at: number, bytes: number): void {
    const { view } = this.#pool;
    const header = this.#header;
    header[LENGTH] = bytes;
    header[PORTS] = (udpDestinationPort(view, at) << 16) | udpSourcePort(view, at);
    header[IP_FIELDS] = (ipv4TrafficClass(view, network) << 8) | ipv4Ttl(view, network);
    header[LOCAL + 2] = MAPPED_PREFIX;
    header[LOCAL + 3] = ipv4Destination(view, network);
    header[REMOTE + 2] = MAPPED_PREFIX;
    header[REMOTE + 3] = ipv4Source(view, network);
  }
}
