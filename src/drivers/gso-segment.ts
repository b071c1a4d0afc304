/**
 * Software segmentation: cuts TCP super-segments over IPv4 into packets of `gsoSize` payload bytes, for devices that do
 * not take them whole. Read RFC 9293 sections 3.1 and 3.7.1 first, RFC 3168 section 6.1.2 for CWR.
 *
 *   super-segment: │ link │ IPv4 │ TCP │ ……………… payload ……………… │
 *   pieces:        │ link │ IPv4 │ TCP │ gsoSize │   │ link │ IPv4 │ TCP │ gsoSize │ …  │ link │ IPv4 │ TCP │ rest │
 *                            id + 0   seq + 0           id + 1   seq + gsoSize            FIN, PSH as they were
 */
import type { Kernels } from '../kernels/kernels.js';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT, SLOT_DATA_BYTES } from '../mem/slot.js';
import { checksumFinish, checksumFold, checksumSwap, pseudoHeaderSumIpv4 } from '../wire/checksum.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import {
  ipv4Destination,
  ipv4Identification,
  ipv4Source,
  setIpv4Identification,
  setIpv4TotalLength,
  updateIpv4Checksum,
} from '../wire/ipv4.js';
import {
  setTcpChecksum,
  setTcpFlags,
  setTcpSequence,
  TcpFlag,
  tcpFlags,
  tcpHeaderBytes,
  tcpSequence,
} from '../wire/tcp.js';
import { copyColumns } from './copy-packet.js';

/** Most pieces of one super-segment: 64 KiB in pieces of 32 bytes. */
export const MAX_GSO_PIECES = 2048;

export class GsoSegmenter {
  readonly #pool: PacketPool;
  readonly #kernels: Kernels;
  /** Slots taken for the super-segment at hand, and how many of them are used. */
  readonly #taken = new Int32Array(2 * MAX_GSO_PIECES);
  #used = 0;
  /** Where the payload is read: slot of the chain and arena offset. */
  #sourceSlot = NO_SLOT;
  #sourceAt = 0;
  /** Partial sum of the payload that was copied last. */
  #payloadSum = 0;

  constructor(pool: PacketPool, kernels: Kernels) {
    this.#pool = pool;
    this.#kernels = kernels;
  }

  /**
   * Writes the pieces of super-segment `slot` to `into` (MAX_GSO_PIECES entries), in order, and gives the super-segment
   * back. Checksums of the pieces are computed if `withChecksum`, else they are marked `checksumPartial`.
   * Returns how many pieces there are; 0 when the pool has not enough slots or the pieces would be too many: then the
   * super-segment is still the caller's.
   * Preconditions: `network` and `transport` are set; all headers lie in the first slot; no URG.
   */
  segment(slot: number, withChecksum: boolean, into: Int32Array): number {
    const pool = this.#pool;
    const transport = pool.transport[slot]!;
    const headerBytes = transport - pool.head[slot]! + tcpHeaderBytes(pool.view, transport);
    const payloadBytes = pool.totalLength[slot]! - headerBytes;
    const gsoSize = pool.gsoSize[slot]!;
    const pieces = Math.ceil(payloadBytes / gsoSize);
    const slots = pieces * Math.ceil((headerBytes + gsoSize) / SLOT_DATA_BYTES);
    // Written so that a size of 0 fails.
    if (!(pieces > 0 && pieces <= MAX_GSO_PIECES && slots <= this.#taken.length)) return 0;
    const taken = pool.takeMany(this.#taken, 0, slots);
    if (taken < slots) {
      pool.giveMany(this.#taken, taken);
      return 0;
    }
    this.#used = 0;
    this.#sourceSlot = slot;
    this.#sourceAt = pool.head[slot]! + headerBytes;
    for (let i = 0; i < pieces; i++) {
      const offset = i * gsoSize;
      const bytes = Math.min(gsoSize, payloadBytes - offset);
      into[i] = this.#makePiece(slot, headerBytes, offset, bytes, i, i === pieces - 1, withChecksum);
    }
    // The last piece may have needed fewer slots than the others.
    while (this.#used < slots) pool.give(this.#taken[this.#used++]!);
    pool.give(slot);
    return pieces;
  }

  #makePiece(
    slot: number,
    headerBytes: number,
    offset: number,
    bytes: number,
    index: number,
    isLast: boolean,
    withChecksum: boolean,
  ): number {
    const pool = this.#pool;
    const { view } = pool;
    const piece = this.#taken[this.#used++]!;
    const head = pool.head[piece]!;
    const moved = head - pool.head[slot]!;
    const network = pool.network[slot]! + moved;
    const transport = pool.transport[slot]! + moved;
    copyColumns(pool, piece, slot);
    pool.gsoSize[piece] = 0;
    pool.network[piece] = network;
    pool.transport[piece] = transport;
    pool.length[piece] = headerBytes;
    pool.totalLength[piece] = headerBytes + bytes;
    this.#kernels.copy(head, pool.head[slot]!, headerBytes);
    this.#copyPayload(piece, bytes, withChecksum);

    setIpv4TotalLength(view, network, headerBytes + bytes - (network - head));
    setIpv4Identification(view, network, (ipv4Identification(view, network) + index) & 0xffff);
    updateIpv4Checksum(view, network);

    let flags = tcpFlags(view, transport);
    if (!isLast) flags &= ~(TcpFlag.fin | TcpFlag.psh);
    if (index > 0) flags &= ~TcpFlag.cwr;
    setTcpFlags(view, transport, flags);
    setTcpSequence(view, transport, (tcpSequence(view, transport) + offset) | 0);
    const marks = pool.flags[slot]! & ~(PacketFlag.gso | PacketFlag.checksumPartial | PacketFlag.checksumValid);
    if (withChecksum) {
      this.#fillChecksum(network, transport, headerBytes - (transport - head), bytes);
      pool.flags[piece] = marks | PacketFlag.checksumValid;
    } else {
      pool.flags[piece] = marks | PacketFlag.checksumPartial;
    }
    return piece;
  }

  #fillChecksum(network: number, transport: number, tcpHeader: number, payloadBytes: number): void {
    const { view } = this.#pool;
    const bytes = tcpHeader + payloadBytes;
    setTcpChecksum(view, transport, 0);
    const pseudoSum = pseudoHeaderSumIpv4(
      ipv4Source(view, network),
      ipv4Destination(view, network),
      IpProtocol.tcp,
      bytes,
    );
    // A TCP header is a multiple of 4 bytes, so the payload begins at an even offset.
    const sum = this.#kernels.checksum(transport, tcpHeader, pseudoSum) + this.#payloadSum;
    setTcpChecksum(view, transport, checksumFinish(sum));
  }

  /** Appends the next `count` payload bytes to a piece, in as many slots as it takes. */
  #copyPayload(piece: number, count: number, withChecksum: boolean): void {
    const { head, length, next } = this.#pool;
    const kernels = this.#kernels;
    let tail = piece;
    let left = count;
    let sum = 0;
    let isOdd = false;
    while (left > 0) {
      const available = head[this.#sourceSlot]! + length[this.#sourceSlot]! - this.#sourceAt;
      const room = SLOT_DATA_BYTES - length[tail]!;
      if (available === 0) {
        this.#sourceSlot = next[this.#sourceSlot]!;
        this.#sourceAt = head[this.#sourceSlot]!;
      } else if (room === 0) {
        const following = this.#taken[this.#used++]!;
        length[following] = 0;
        next[tail] = following;
        tail = following;
      } else {
        const bytes = Math.min(left, available, room);
        const to = head[tail]! + length[tail]!;
        if (withChecksum) {
          const part = kernels.copyAndChecksum(to, this.#sourceAt, bytes, 0);
          sum = checksumFold(sum + (isOdd ? checksumSwap(part) : part));
          if ((bytes & 1) !== 0) isOdd = !isOdd;
        } else {
          kernels.copy(to, this.#sourceAt, bytes);
        }
        length[tail] = length[tail]! + bytes;
        this.#sourceAt += bytes;
        left -= bytes;
      }
    }
    this.#payloadSum = sum;
  }
}
