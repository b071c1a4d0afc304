/** Copies of packets: for flooding, duplication and taps. A slot has one owner, so nothing is ever shared. */
import type { Kernels } from '../kernels/kernels.js';
import type { PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';

/** Copies the columns that describe a packet as a whole; not its bytes, `head`, `network` and `transport`. */
export function copyColumns(pool: PacketPool, to: number, from: number): void {
  pool.rxInterface[to] = pool.rxInterface[from]!;
  pool.txInterface[to] = pool.txInterface[from]!;
  pool.stack[to] = pool.stack[from]!;
  pool.vrf[to] = pool.vrf[from]!;
  pool.adjacency[to] = pool.adjacency[from]!;
  pool.connection[to] = pool.connection[from]!;
  pool.flowHash[to] = pool.flowHash[from]!;
  pool.flags[to] = pool.flags[from]!;
  pool.gsoSize[to] = pool.gsoSize[from]!;
  pool.mark[to] = pool.mark[from]!;
  pool.trace[to] = pool.trace[from]!;
  pool.timestamp[to] = pool.timestamp[from]!;
}

/** Copies a packet, slot by slot of its chain. Returns the copy, or NO_SLOT when the pool is out of slots. */
export function copyPacket(pool: PacketPool, kernels: Kernels, slot: number): number {
  const copy = copySlot(pool, kernels, slot);
  if (copy === NO_SLOT) return NO_SLOT;
  copyColumns(pool, copy, slot);
  const moved = pool.head[copy]! - pool.head[slot]!;
  pool.network[copy] = pool.network[slot]! + moved;
  pool.transport[copy] = pool.transport[slot]! + moved;
  pool.totalLength[copy] = pool.totalLength[slot]!;
  let tail = copy;
  for (let piece = pool.next[slot]!; piece !== NO_SLOT; piece = pool.next[piece]!) {
    const following = copySlot(pool, kernels, piece);
    if (following === NO_SLOT) {
      pool.give(copy);
      return NO_SLOT;
    }
    pool.next[tail] = following;
    tail = following;
  }
  return copy;
}

function copySlot(pool: PacketPool, kernels: Kernels, slot: number): number {
  const copy = pool.take();
  if (copy === NO_SLOT) return NO_SLOT;
  const { head, length } = pool;
  const at = pool.slotStart(copy) + (head[slot]! - pool.slotStart(slot));
  head[copy] = at;
  length[copy] = length[slot]!;
  kernels.copy(at, head[slot]!, length[slot]!);
  return copy;
}

/** Writes a packet's bytes, all slots of its chain, into `target` from index `at` on. */
export function linearize(pool: PacketPool, slot: number, target: Uint8Array, at: number): void {
  let to = at;
  for (let piece = slot; piece !== NO_SLOT; piece = pool.next[piece]!) {
    const from = pool.head[piece]!;
    const bytes = pool.length[piece]!;
    target.set(pool.bytes.subarray(from, from + bytes), to);
    to += bytes;
  }
}

/**
 * Makes a packet of `bytes`: a chain when they are longer than a slot. Returns it, or NO_SLOT when the pool is out of
 * slots.
 */
export function makePacket(pool: PacketPool, bytes: Uint8Array): number {
  const first = pool.take();
  if (first === NO_SLOT) return NO_SLOT;
  let tail = first;
  let done = 0;
  for (;;) {
    const at = pool.head[tail]!;
    const piece = Math.min(bytes.length - done, pool.dataEnd(tail) - at);
    pool.bytes.set(bytes.subarray(done, done + piece), at);
    pool.length[tail] = piece;
    done += piece;
    if (done === bytes.length) break;
    const following = pool.take();
    if (following === NO_SLOT) {
      pool.give(first);
      return NO_SLOT;
    }
    pool.next[tail] = following;
    tail = following;
  }
  pool.totalLength[first] = bytes.length;
  return first;
}
