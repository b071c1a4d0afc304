/** Changes to packets that may be chains; off the fast path. */
import type { PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';

/** Cuts the packet to its first `bytes` bytes; slots that become empty go back to the pool. */
export function trimPacket(pool: PacketPool, slot: number, bytes: number): void {
  let left = bytes;
  let last = slot;
  while (left > pool.length[last]!) {
    left -= pool.length[last]!;
    last = pool.next[last]!;
  }
  pool.length[last] = left;
  pool.totalLength[slot] = bytes;
  const rest = pool.next[last]!;
  if (rest === NO_SLOT) return;
  pool.next[last] = NO_SLOT;
  pool.give(rest);
}

/** Copies `count` bytes of the packet, from byte `from` on, to the offset `to`. Precondition: the packet has them. */
export function copyFromPacket(pool: PacketPool, slot: number, from: number, count: number, to: number): void {
  let skip = from;
  let current = slot;
  while (skip >= pool.length[current]! && pool.next[current] !== NO_SLOT) {
    skip -= pool.length[current]!;
    current = pool.next[current]!;
  }
  let copied = 0;
  while (copied < count) {
    const bytes = Math.min(pool.length[current]! - skip, count - copied);
    pool.arena.copy(to + copied, pool.head[current]! + skip, bytes);
    copied += bytes;
    skip = 0;
    current = pool.next[current]!;
  }
}

/** Takes slots for `bytes` bytes as one packet whose contents are arbitrary. NO_SLOT when the pool has not enough. */
export function takeChain(pool: PacketPool, bytes: number): number {
  const first = pool.take();
  if (first === NO_SLOT) return NO_SLOT;
  let tail = first;
  let left = bytes;
  for (;;) {
    pool.length[tail] = Math.min(left, pool.dataEnd(tail) - pool.head[tail]!);
    left -= pool.length[tail]!;
    if (left === 0) break;
    const following = pool.take();
    if (following === NO_SLOT) {
      pool.give(first);
      return NO_SLOT;
    }
    pool.next[tail] = following;
    tail = following;
  }
  pool.totalLength[first] = bytes;
  return first;
}
