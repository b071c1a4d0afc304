/**
 * Datagrams that are being put together. Read RFC 791 section 3.2 and RFC 815 first, RFC 5722 for what to do about
 * overlaps (done for IPv4 too here), RFC 1858 and RFC 4963 for what goes wrong with fragments.
 *
 *   payload of a datagram, 1,600 bytes a slot:   │ slot 0 ▓▓▓▓▓▓░░▓▓▓▓▓│ slot 1 ▓▓▓▓▓▓▓▓▓│ slot 2 ░░░░░▓▓▓ │
 *                                        header in front ┘      ▓ bytes that came, ░ still missing
 *
 * A fragment's bytes are copied to their place at once and its slot goes back, so that small fragments do not hold large
 * slots. Each piece is noted by offset and end: one that came before is ignored, one that overlaps another ends the
 * datagram. Everything is bounded: datagrams, datagrams of one source, pieces of one datagram, slots, time.
 */
import type { Random } from '../base/random.js';
import { type Clock, NS_PER_MS, type TimerSource } from '../base/time.js';
import { TimingWheel } from '../base/timing-wheel.js';
import { copyColumns } from '../drivers/copy-packet.js';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import { Icmpv4TimeExceeded, Icmpv4Type } from '../wire/icmpv4.js';
import {
  Ecn,
  hasIpv4MoreFragments,
  IPV4_MAX_TOTAL_BYTES,
  ipv4Ecn,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  ipv4TotalLength,
  ipv4TrafficClass,
  setIpv4Fragment,
  setIpv4TotalLength,
  setIpv4TrafficClass,
  updateIpv4Checksum,
} from '../wire/ipv4.js';
import type { IcmpErrorColumn } from './icmp-error-column.js';
import { L3Target, type Send } from './l3-target.js';
import { copyFromPacket } from './packet-edit.js';
import {
  hashReassemblyKey,
  isReassemblyKey,
  isSameSource,
  REASSEMBLY_KEY_WORDS,
  writeReassemblyKey,
} from './reassembly-key.js';
import { RowHash } from './row-hash.js';

/** RFC 791 asks for 15 s at least, RFC 1122 section 3.3.2 for 60 s; 30 s is what hosts do today. */
export const REASSEMBLY_TIMEOUT_MS = 30_000;
const MAX_PIECES = 128;
const MAX_PER_SOURCE = 32;
/** Payload bytes in a slot; a multiple of 8. */
const SLOT_PAYLOAD_BYTES = 1600;
const MAX_DATAGRAM_SLOTS = Math.ceil(IPV4_MAX_TOTAL_BYTES / SLOT_PAYLOAD_BYTES);
/** Room in front of the first slot's payload: the longest header, rounded up. */
const HEADER_ROOM_BYTES = 64;
const NONE = -1;
const UNKNOWN = -1;

/** What became of a fragment that did not complete its datagram. The negative of an index in the node's counters. */
export const ReassemblyResult = {
  waiting: -1,
  duplicate: -2,
  malformed: -3,
  overlap: -4,
  tooManyPieces: -5,
  noRoom: -6,
  badEcn: -7,
} as const;

export interface ReassemblyParts {
  readonly pool: PacketPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly icmpErrors: IcmpErrorColumn;
}

export class ReassemblyTable implements TimerSource {
  /** Slots that hold payload. */
  slotsInUse = 0;
  /** Datagrams given up since the start because their time ran out. */
  timeouts = 0;
  /** Datagrams given up since the start to make room. */
  evictions = 0;
  readonly #parts: ReassemblyParts;
  readonly #send: Send;
  readonly #rows: number;
  readonly #maxSlots: number;
  readonly #secret: number;
  readonly #hash: RowHash;
  readonly #wheel: TimingWheel;
  readonly #key = new Int32Array(REASSEMBLY_KEY_WORDS);

  // Columns by datagram.
  readonly #keys: Int32Array;
  readonly #hashes: Int32Array;
  readonly #isUsed: Uint8Array;
  readonly #startedNs: Float64Array;
  /** Payload bytes in all, or UNKNOWN until the last fragment has come. */
  readonly #end: Int32Array;
  readonly #highest: Int32Array;
  readonly #received: Int32Array;
  readonly #pieceCount: Int32Array;
  /** Bytes of the first fragment's header, 0 until it has come, and of its payload. */
  readonly #headerBytes: Int32Array;
  readonly #firstBytes: Int32Array;
  /** PacketFlag.checksumValid while all fragments had it. */
  readonly #flags: Int32Array;
  /** Bit per ECN code point seen. */
  readonly #ecn: Int32Array;
  /** Per piece: offset and end. */
  readonly #pieces: Int32Array;
  /** Slots by position, + 1. */
  readonly #slots: Int32Array;

  /** @param rows datagrams at a time. @param maxSlots slots of all of them. */
  constructor(parts: ReassemblyParts, send: Send, rows: number, maxSlots: number) {
    this.#parts = parts;
    this.#send = send;
    this.#rows = rows;
    this.#maxSlots = maxSlots;
    this.#secret = parts.random.uint32() | 0;
    this.#hash = new RowHash(256, rows);
    this.#wheel = new TimingWheel(rows, parts.clock.nowNs / NS_PER_MS);
    this.#keys = new Int32Array(rows * REASSEMBLY_KEY_WORDS);
    this.#hashes = new Int32Array(rows);
    this.#isUsed = new Uint8Array(rows);
    this.#startedNs = new Float64Array(rows);
    this.#end = new Int32Array(rows);
    this.#highest = new Int32Array(rows);
    this.#received = new Int32Array(rows);
    this.#pieceCount = new Int32Array(rows);
    this.#headerBytes = new Int32Array(rows);
    this.#firstBytes = new Int32Array(rows);
    this.#flags = new Int32Array(rows);
    this.#ecn = new Int32Array(rows);
    this.#pieces = new Int32Array(rows * MAX_PIECES * 2);
    this.#slots = new Int32Array(rows * MAX_DATAGRAM_SLOTS);
  }

  nextDeadlineNs(): number {
    return this.#wheel.nextDeadlineMs() * NS_PER_MS;
  }

  advance(nowNs: number): void {
    this.#wheel.advance(nowNs / NS_PER_MS, this.#expire);
  }

  /**
   * Takes a fragment: its slot is the table's. Returns the slot of the whole datagram when this was the last one missing,
   * else one of {@link ReassemblyResult}.
   */
  receive(slot: number): number {
    const row = this.#obtain(slot);
    const result = row === NONE ? ReassemblyResult.noRoom : this.#enter(row, slot);
    if (result !== 0) {
      const isGivenUp = row !== NONE && (result <= ReassemblyResult.overlap || this.#pieceCount[row] === 0);
      if (isGivenUp) this.#remove(row);
      this.#parts.pool.give(slot);
      return result;
    }
    const { pool } = this.#parts;
    if (this.#received[row] !== this.#end[row]) {
      pool.give(slot);
      return ReassemblyResult.waiting;
    }
    const whole = this.#assemble(row, slot);
    pool.give(slot);
    return whole;
  }

  /** Gives every slot back to the pool. */
  close(): void {
    for (let row = 0; row < this.#rows; row++) if (this.#isUsed[row] === 1) this.#remove(row);
  }

  /** Notes a fragment and copies its payload: 0, or why not. */
  #enter(row: number, slot: number): number {
    const { view, head } = this.#parts.pool;
    const at = head[slot]!;
    const headerBytes = ipv4HeaderBytes(view, at);
    const from = ipv4FragmentOffsetBytes(view, at);
    const to = from + ipv4TotalLength(view, at) - headerBytes;
    const verdict = this.#check(row, from, to, hasIpv4MoreFragments(view, at), headerBytes);
    if (verdict !== 0) return verdict;
    if (!this.#copy(row, slot, headerBytes, from, to)) return ReassemblyResult.noRoom;
    if (from === 0) {
      this.#headerBytes[row] = headerBytes;
      this.#firstBytes[row] = to;
      const first = this.#slots[row * MAX_DATAGRAM_SLOTS]! - 1;
      copyFromPacket(this.#parts.pool, slot, 0, headerBytes, this.#payloadAt(first) - headerBytes);
      copyColumns(this.#parts.pool, first, slot);
    }
    const piece = (row * MAX_PIECES + this.#pieceCount[row]!++) * 2;
    this.#pieces[piece] = from;
    this.#pieces[piece + 1] = to;
    this.#received[row]! += to - from;
    this.#flags[row]! &= this.#parts.pool.flags[slot]!;
    this.#ecn[row]! |= 1 << ipv4Ecn(view, at);
    return this.#isEcnRight(row) ? 0 : ReassemblyResult.badEcn;
  }

  #check(row: number, from: number, to: number, hasMore: boolean, headerBytes: number): number {
    // RFC 791 section 3.2: all but the last hold a multiple of 8 bytes; nothing reaches beyond 65,535.
    const isMalformed = to <= from || to + headerBytes > IPV4_MAX_TOTAL_BYTES || (hasMore && ((to - from) & 7) !== 0);
    if (isMalformed) return ReassemblyResult.malformed;
    const first = row * MAX_PIECES * 2;
    const last = first + this.#pieceCount[row]! * 2;
    for (let piece = first; piece < last; piece += 2) {
      const pieceFrom = this.#pieces[piece]!;
      const pieceTo = this.#pieces[piece + 1]!;
      if (pieceFrom === from && pieceTo === to) return ReassemblyResult.duplicate;
      // RFC 5722 section 4.
      if (from < pieceTo && pieceFrom < to) return ReassemblyResult.overlap;
    }
    if (this.#pieceCount[row] === MAX_PIECES) return ReassemblyResult.tooManyPieces;
    // Two ends, or bytes behind the end: as wrong as an overlap.
    const end = this.#end[row]!;
    if (hasMore) {
      if (end !== UNKNOWN && to > end) return ReassemblyResult.overlap;
    } else {
      if (end !== UNKNOWN || to < this.#highest[row]!) return ReassemblyResult.overlap;
      this.#end[row] = to;
    }
    if (to > this.#highest[row]!) this.#highest[row] = to;
    return 0;
  }

  /** RFC 3168 section 5.3: congestion experienced must not come together with not capable. */
  #isEcnRight(row: number): boolean {
    const bad = (1 << Ecn.congestionExperienced) | (1 << Ecn.notCapable);
    return (this.#ecn[row]! & bad) !== bad;
  }

  /** Copies the payload to its place; false when there are no slots for it. */
  #copy(row: number, slot: number, headerBytes: number, from: number, to: number): boolean {
    const { pool } = this.#parts;
    for (let at = from; at < to; ) {
      const position = Math.floor(at / SLOT_PAYLOAD_BYTES);
      const target = this.#slotAt(row, position);
      if (target === NO_SLOT) return false;
      const inSlot = at - position * SLOT_PAYLOAD_BYTES;
      const bytes = Math.min(SLOT_PAYLOAD_BYTES - inSlot, to - at);
      copyFromPacket(pool, slot, headerBytes + at - from, bytes, this.#payloadAt(target) + inSlot);
      at += bytes;
    }
    return true;
  }

  #slotAt(row: number, position: number): number {
    const index = row * MAX_DATAGRAM_SLOTS + position;
    if (this.#slots[index] !== 0) return this.#slots[index]! - 1;
    while (this.slotsInUse >= this.#maxSlots) if (!this.#evict(row)) return NO_SLOT;
    const slot = this.#parts.pool.take();
    if (slot === NO_SLOT) return NO_SLOT;
    this.#slots[index] = slot + 1;
    this.slotsInUse++;
    return slot;
  }

  #payloadAt(slot: number): number {
    return this.#parts.pool.dataStart(slot) + HEADER_ROOM_BYTES;
  }

  /** Makes one packet of the datagram, with the columns of its last fragment `slot`, and frees the row. */
  #assemble(row: number, slot: number): number {
    const { pool } = this.#parts;
    const { view } = pool;
    const end = this.#end[row]!;
    const headerBytes = this.#headerBytes[row]!;
    const whole = this.#link(row, end);
    const at = pool.head[whole]!;
    copyColumns(pool, whole, slot);
    pool.flags[whole] =
      (pool.flags[slot]! & ~PacketFlag.checksumValid) | (this.#flags[row]! & PacketFlag.checksumValid);
    pool.flowHash[whole] = 0;
    pool.network[whole] = at;
    pool.transport[whole] = at + headerBytes;
    setIpv4TotalLength(view, at, headerBytes + end);
    setIpv4Fragment(view, at, 0, 0);
    if ((this.#ecn[row]! & (1 << Ecn.congestionExperienced)) !== 0) {
      setIpv4TrafficClass(view, at, ipv4TrafficClass(view, at) | Ecn.congestionExperienced);
    }
    updateIpv4Checksum(view, at);
    this.#free(row);
    return whole;
  }

  /** Chains the slots of the first `end` payload bytes, which are all there, behind the header; takes them off the row. */
  #link(row: number, end: number): number {
    const { pool } = this.#parts;
    const headerBytes = this.#headerBytes[row]!;
    const base = row * MAX_DATAGRAM_SLOTS;
    const first = this.#slots[base]! - 1;
    let tail = first;
    for (let position = 0; position * SLOT_PAYLOAD_BYTES < end; position++) {
      const piece = this.#slots[base + position]! - 1;
      this.#slots[base + position] = 0;
      this.slotsInUse--;
      pool.head[piece] = this.#payloadAt(piece);
      pool.length[piece] = Math.min(SLOT_PAYLOAD_BYTES, end - position * SLOT_PAYLOAD_BYTES);
      if (piece !== first) pool.next[tail] = piece;
      tail = piece;
    }
    pool.head[first] = pool.head[first]! - headerBytes;
    pool.length[first] = pool.length[first]! + headerBytes;
    pool.totalLength[first] = headerBytes + end;
    return first;
  }

  /** RFC 1122 section 3.3.2: "time exceeded" if the first fragment had come. */
  readonly #expire = (row: number): void => {
    this.timeouts++;
    if (this.#headerBytes[row]! > 0) {
      const first = this.#link(row, this.#firstBytes[row]!);
      this.#parts.icmpErrors.set(first, Icmpv4Type.timeExceeded, Icmpv4TimeExceeded.reassembly);
      this.#send(first, L3Target.icmpError);
    }
    this.#remove(row);
  };

  /** The row of the fragment's datagram, made if it is not there; NONE when it may not be. */
  #obtain(slot: number): number {
    const { pool, clock } = this.#parts;
    const key = this.#key;
    writeReassemblyKey(key, pool.vrf[slot]!, pool.view, pool.head[slot]!);
    const hash = hashReassemblyKey(key, this.#secret);
    for (let row = this.#hash.first(hash); row >= 0; row = this.#hash.after(row)) {
      if (isReassemblyKey(this.#keys, row, key)) return row;
    }
    const row = pool.isLow ? NONE : this.#freeRow(key);
    if (row === NONE) return NONE;
    this.#keys.set(key, row * REASSEMBLY_KEY_WORDS);
    this.#hashes[row] = hash;
    this.#hash.add(hash, row);
    this.#isUsed[row] = 1;
    this.#startedNs[row] = clock.nowNs;
    this.#end[row] = UNKNOWN;
    this.#highest[row] = 0;
    this.#received[row] = 0;
    this.#pieceCount[row] = 0;
    this.#headerBytes[row] = 0;
    this.#flags[row] = PacketFlag.checksumValid;
    this.#ecn[row] = 0;
    this.#wheel.start(row, REASSEMBLY_TIMEOUT_MS, clock.nowNs / NS_PER_MS);
    return row;
  }

  /** A free row; the oldest datagram makes room, of the same source if that has too many. */
  #freeRow(key: Int32Array): number {
    let free = NONE;
    let ofSource = 0;
    let oldestOfSource = NONE;
    for (let row = 0; row < this.#rows; row++) {
      if (this.#isUsed[row] === 0) {
        free = row;
      } else if (isSameSource(this.#keys, row, key)) {
        ofSource++;
        const isOlder = oldestOfSource === NONE || this.#startedNs[row]! < this.#startedNs[oldestOfSource]!;
        if (isOlder) oldestOfSource = row;
      }
    }
    if (ofSource >= MAX_PER_SOURCE) {
      this.evictions++;
      this.#remove(oldestOfSource);
      return oldestOfSource;
    }
    return free === NONE ? this.#evictOldest(NONE) : free;
  }

  /** Gives up the oldest datagram but `except`; false when there is none. */
  #evict(except: number): boolean {
    return this.#evictOldest(except) !== NONE;
  }

  #evictOldest(except: number): number {
    let oldest = NONE;
    for (let row = 0; row < this.#rows; row++) {
      if (this.#isUsed[row] === 0 || row === except) continue;
      if (oldest === NONE || this.#startedNs[row]! < this.#startedNs[oldest]!) oldest = row;
    }
    if (oldest === NONE) return NONE;
    this.evictions++;
    this.#remove(oldest);
    return oldest;
  }

  /** Gives the row's slots back and frees it. */
  #remove(row: number): void {
    const base = row * MAX_DATAGRAM_SLOTS;
    for (let index = base; index < base + MAX_DATAGRAM_SLOTS; index++) {
      if (this.#slots[index] === 0) continue;
      this.#parts.pool.give(this.#slots[index]! - 1);
      this.#slots[index] = 0;
      this.slotsInUse--;
    }
    this.#free(row);
  }

  #free(row: number): void {
    this.#hash.remove(this.#hashes[row]!, row);
    this.#wheel.stop(row);
    this.#isUsed[row] = 0;
  }
}
