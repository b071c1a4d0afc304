/**
 * Sets of ranges of sequence numbers, one set per connection: what has arrived out of order (RFC 9293 section 3.10.7.4), and what
 * the peer has acknowledged selectively (the scoreboard of RFC 6675 section 3).
 *
 * A set holds up to MAX_RANGES disjoint ranges [left, right), sorted, with gaps between them.
 */
import { seqGeq, seqGt, seqLeq, seqLt } from '../../base/seqnum.js';
import type { Arena } from '../../mem/arena.js';

export const MAX_RANGES = 32;
const WORDS = MAX_RANGES * 2;

export class SeqRanges {
  /** Ranges of each connection. */
  readonly count: Int32Array;
  /** Left and right edges: range i of connection c stands at (c * MAX_RANGES + i) * 2. */
  readonly edges: Int32Array;

  constructor(arena: Arena, connections: number) {
    this.count = arena.int32(connections);
    this.edges = arena.int32(connections * WORDS);
  }

  left(connection: number, index: number): number {
    return this.edges[connection * WORDS + index * 2]!;
  }

  right(connection: number, index: number): number {
    return this.edges[connection * WORDS + index * 2 + 1]!;
  }

  clear(connection: number): void {
    this.count[connection] = 0;
  }

  /** Adds [left, right), joined with what it touches. Returns false when there is no room for one more range. */
  add(connection: number, left: number, right: number): boolean {
    const edges = this.edges;
    const base = connection * WORDS;
    const end = base + this.count[connection]! * 2;
    let first = base;
    while (first < end && seqLt(edges[first + 1]!, left)) first += 2;
    let last = first;
    while (last < end && seqLeq(edges[last]!, right)) last += 2;
    if (first === last) return this.#insert(connection, first, end, left, right);
    if (seqLt(left, edges[first]!)) edges[first] = left;
    const oldRight = edges[last - 1]!;
    edges[first + 1] = seqGt(right, oldRight) ? right : oldRight;
    if (last > first + 2) {
      edges.copyWithin(first + 2, last, end);
      this.count[connection]! -= (last - first - 2) >> 1;
    }
    return true;
  }

  /** Forgets everything before `sequence`. */
  trim(connection: number, sequence: number): void {
    const edges = this.edges;
    const base = connection * WORDS;
    const end = base + this.count[connection]! * 2;
    let first = base;
    while (first < end && seqLeq(edges[first + 1]!, sequence)) first += 2;
    if (first < end && seqLt(edges[first]!, sequence)) edges[first] = sequence;
    if (first === base) return;
    edges.copyWithin(base, first, end);
    this.count[connection]! -= (first - base) >> 1;
  }

  /** Index of the range that holds `sequence`, or −1. */
  find(connection: number, sequence: number): number {
    const edges = this.edges;
    const base = connection * WORDS;
    for (let i = 0; i < this.count[connection]!; i++) {
      if (seqLt(sequence, edges[base + i * 2]!)) return -1;
      if (seqLt(sequence, edges[base + i * 2 + 1]!)) return i;
    }
    return -1;
  }

  /** True if all of [left, right) is in the set. */
  covers(connection: number, left: number, right: number): boolean {
    const index = this.find(connection, left);
    return index >= 0 && seqGeq(this.right(connection, index), right);
  }

  /** Bytes in all ranges. */
  bytes(connection: number): number {
    const edges = this.edges;
    const base = connection * WORDS;
    let total = 0;
    for (let i = 0; i < this.count[connection]! * 2; i += 2) total += (edges[base + i + 1]! - edges[base + i]!) | 0;
    return total;
  }

  #insert(connection: number, at: number, end: number, left: number, right: number): boolean {
    if (this.count[connection] === MAX_RANGES) return false;
    this.edges.copyWithin(at + 2, at, end);
    this.edges[at] = left;
    this.edges[at + 1] = right;
    this.count[connection]!++;
    return true;
  }
}
