/**
 * Neighbors: next hops on Ethernet links and what is known about their link addresses. A neighbor is a row of the
 * adjacency table; this adds its state, finds it by interface and address, and keeps the number per interface bounded:
 * the one that has gone unused longest makes room.
 */
import type { Random } from '../base/random.js';
import type { Arena } from '../mem/arena.js';
import { AdjacencyKind, type AdjacencyTable } from './adjacency.js';
import { hashWord, RowHash } from './row-hash.js';

/** RFC 4861 section 7.3.2, for ARP as well. `idle` is a router of a route that nobody has asked for yet. */
export const NeighborState = {
  idle: 0,
  incomplete: 1,
  reachable: 2,
  stale: 3,
  delay: 4,
  probe: 5,
  failed: 6,
  permanent: 7,
  /** A multicast group: its link address follows from it. */
  group: 8,
} as const;

export const NEIGHBOR_STATE_NAMES = [
  'idle',
  'incomplete',
  'reachable',
  'stale',
  'delay',
  'probe',
  'failed',
  'permanent',
  'group',
] as const;

/** Row 0 is no neighbor. */
export const NO_NEIGHBOR = 0;
/** Rows that are looked at, from the one unused longest, to find one that may go. */
const EVICTION_CANDIDATES = 16;
const HASH_BUCKETS = 4096;

/** How readily a row makes room: the highest goes first; 0 stays. */
function evictionRank(state: number): number {
  if (state === NeighborState.failed || state === NeighborState.idle) return 3;
  if (state === NeighborState.stale || state === NeighborState.group) return 2;
  return state === NeighborState.permanent ? 0 : 1;
}

export class NeighborTable {
  // Columns by adjacency row. Written by: the neighbor machine.
  /** One of {@link NeighborState}. */
  readonly state: Int32Array;
  /** Requests sent since the state began. */
  readonly retries: Int32Array;
  /** When reachability was confirmed last, in nanoseconds. */
  readonly confirmedNs: Float64Array;
  /** Rows evicted since the start. */
  evictions = 0;

  readonly #adjacencies: AdjacencyTable;
  readonly #hash: RowHash;
  readonly #secret: number;
  readonly #limit: number;
  // Rows of an interface as a ring, by use: newer[oldest] … Row 0 ends it.
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  readonly #newest: Int32Array;
  readonly #oldest: Int32Array;
  readonly #counts: Int32Array;

  /** @param limit neighbors of one interface. */
  constructor(arena: Arena, adjacencies: AdjacencyTable, maxInterfaces: number, limit: number, random: Random) {
    const rows = adjacencies.capacity;
    this.#adjacencies = adjacencies;
    this.#limit = limit;
    this.#secret = random.uint32() | 0;
    this.#hash = new RowHash(HASH_BUCKETS, rows);
    this.state = arena.int32(rows);
    this.retries = arena.int32(rows);
    this.confirmedNs = arena.float64(rows);
    this.#newer = arena.int32(rows);
    this.#older = arena.int32(rows);
    this.#newest = arena.int32(maxInterfaces);
    this.#oldest = arena.int32(maxInterfaces);
    this.#counts = arena.int32(maxInterfaces);
  }

  /** Neighbors of an interface. */
  count(interfaceIndex: number): number {
    return this.#counts[interfaceIndex]!;
  }

  /** The row of an IPv4 neighbor, or NO_NEIGHBOR. */
  find(interfaceIndex: number, address: number): number {
    const { interface: interfaces, address2, address3 } = this.#adjacencies;
    const wanted = address | 0;
    let row = this.#hash.first(this.#hashOf(interfaceIndex, 0, 0, 0xffff, wanted));
    while (row >= 0) {
      if (interfaces[row] === interfaceIndex && address3[row] === wanted && address2[row] === 0xffff) return row;
      row = this.#hash.after(row);
    }
    return NO_NEIGHBOR;
  }

  /** True if there is room for one more on the interface without an eviction. */
  hasRoom(interfaceIndex: number): boolean {
    return this.#counts[interfaceIndex]! < this.#limit && !this.#adjacencies.isFull;
  }

  /** Adds a neighbor in state `idle`. Precondition: it is not there and there is room. */
  add(interfaceIndex: number, address: number): number {
    const row = this.#adjacencies.add(AdjacencyKind.incomplete, interfaceIndex, address);
    this.state[row] = NeighborState.idle;
    this.retries[row] = 0;
    this.confirmedNs[row] = Number.NEGATIVE_INFINITY;
    this.#hash.add(this.#hashOf(interfaceIndex, 0, 0, 0xffff, address | 0), row);
    this.#append(row);
    return row;
  }

  /** Removes the row. Precondition: nothing refers to it. */
  remove(row: number): void {
    const interfaceIndex = this.#adjacencies.interface[row]!;
    this.#hash.remove(this.#hashOf(interfaceIndex, 0, 0, 0xffff, this.#adjacencies.address3[row]!), row);
    this.#unlink(row);
    this.state[row] = NeighborState.idle;
    this.#adjacencies.remove(row);
  }

  /** Notes that the row is in use: it becomes the last to be evicted. */
  touch(row: number): void {
    this.#unlink(row);
    this.#append(row);
  }

  /** The row that has to go first to make room on the interface, or NO_NEIGHBOR when none may go. */
  victim(interfaceIndex: number): number {
    let victim = NO_NEIGHBOR;
    let best = 0;
    let row = this.#oldest[interfaceIndex]!;
    for (let i = 0; i < EVICTION_CANDIDATES && row !== NO_NEIGHBOR; i++) {
      const rank = this.#adjacencies.references[row] === 0 ? evictionRank(this.state[row]!) : 0;
      if (rank > best) {
        best = rank;
        victim = row;
      } else if (rank === 0) {
        // Out of the way of the next search.
        const following = this.#newer[row]!;
        this.touch(row);
        row = following;
        continue;
      }
      row = this.#newer[row]!;
    }
    return victim;
  }

  /** Rows of an interface, the one unused longest first. */
  rowsOf(interfaceIndex: number): number[] {
    const rows: number[] = [];
    for (let row = this.#oldest[interfaceIndex]!; row !== NO_NEIGHBOR; row = this.#newer[row]!) rows.push(row);
    return rows;
  }

  #hashOf(interfaceIndex: number, word0: number, word1: number, word2: number, word3: number): number {
    const hash = hashWord(hashWord(this.#secret ^ interfaceIndex, word0), word1);
    return hashWord(hashWord(hash, word2), word3);
  }

  #append(row: number): void {
    const interfaceIndex = this.#adjacencies.interface[row]!;
    const newest = this.#newest[interfaceIndex]!;
    this.#older[row] = newest;
    this.#newer[row] = NO_NEIGHBOR;
    if (newest === NO_NEIGHBOR) this.#oldest[interfaceIndex] = row;
    else this.#newer[newest] = row;
    this.#newest[interfaceIndex] = row;
    this.#counts[interfaceIndex]!++;
  }

  #unlink(row: number): void {
    const interfaceIndex = this.#adjacencies.interface[row]!;
    const older = this.#older[row]!;
    const newer = this.#newer[row]!;
    if (older === NO_NEIGHBOR) this.#oldest[interfaceIndex] = newer;
    else this.#newer[older] = newer;
    if (newer === NO_NEIGHBOR) this.#newest[interfaceIndex] = older;
    else this.#older[newer] = older;
    this.#counts[interfaceIndex]!--;
  }
}
