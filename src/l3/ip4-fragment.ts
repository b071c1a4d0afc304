/** Packets that are larger than the MTU of their link. Read RFC 791 section 3.2 first, then RFC 1191 section 4. */
import { copyColumns } from '../drivers/copy-packet.js';
import { fillTransportChecksum } from '../drivers/transport-checksum.js';
import { CONSUMED, type NodeSpec } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import { Icmpv4Type, Icmpv4Unreachable } from '../wire/icmpv4.js';
import {
  hasIpv4DontFragment,
  hasIpv4MoreFragments,
  IPV4_MAX_HEADER_BYTES,
  IPV4_MIN_HEADER_BYTES,
  Ipv4Flag,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  setIpv4Fragment,
  setIpv4TotalLength,
  updateIpv4Checksum,
} from '../wire/ipv4.js';
import { writeIpv4FragmentOptions } from '../wire/ipv4-options.js';
import type { L3Context } from './l3-context.js';
import { copyFromPacket, takeChain } from './packet-edit.js';

const Next = { rewrite: 0, icmpError: 1, drop: 2 } as const;
const Counter = { fragmented: 0, fragments: 1, dontFragment: 2, noSlot: 3, mtuTooSmall: 4 } as const;

/**
 * Cuts packets into fragments, or says to the sender what would have fitted. Super-segments count as packets that must
 * not be fragmented: their sender makes smaller ones when it is told.
 */
export const ip4Fragment: NodeSpec<L3Context> = {
  name: 'ip4-fragment',
  nexts: ['ip4-rewrite', 'ip4-icmp-error', 'drop'],
  counters: ['fragmented', 'fragments', 'fragmentation needed', 'no slot', 'mtu too small'],
  make: (context) => {
    const { pool, counters, kernels, l3 } = context;
    const { view, head, flags, adjacency } = pool;
    const cut = makeCut(context);
    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const mtu = l3.adjacencies.mtu[adjacency[slot]!]!;
        if ((flags[slot]! & PacketFlag.gso) !== 0 || hasIpv4DontFragment(view, head[slot]!)) {
          counters[Counter.dontFragment]!++;
          l3.icmpErrors.set(slot, Icmpv4Type.destinationUnreachable, Icmpv4Unreachable.fragmentationNeeded, mtu);
          next[i] = Next.icmpError;
          continue;
        }
        if ((flags[slot]! & PacketFlag.checksumPartial) !== 0) fillTransportChecksum(pool, kernels, slot);
        if (cut(slot, mtu)) {
          pool.give(slot);
          next[i] = CONSUMED;
        } else next[i] = Next.drop;
      }
    };
  },
};

/** Emits the packet's fragments; false, with a count of the reason, if it cannot be cut. */
function makeCut({ pool, arena, counters, emit }: L3Context): (slot: number, mtu: number) => boolean {
  const { view, head, length, totalLength, network } = pool;
  /** Header of the fragments behind the first. */
  const laterHeader = arena.allocate(IPV4_MAX_HEADER_BYTES);

  function prepareLaterHeader(at: number): number {
    arena.copy(laterHeader, at, IPV4_MIN_HEADER_BYTES);
    const bytes = IPV4_MIN_HEADER_BYTES + writeIpv4FragmentOptions(view, at, laterHeader + IPV4_MIN_HEADER_BYTES);
    view.setUint8(laterHeader, 0x40 | (bytes >>> 2));
    return bytes;
  }

  /** One fragment: a header of `headerBytes` at `headerAt` and `count` payload bytes from byte `from` of the packet. */
  function makeFragment(slot: number, headerAt: number, headerBytes: number, from: number, count: number): number {
    const fragment = takeChain(pool, headerBytes + count);
    if (fragment === NO_SLOT) return NO_SLOT;
    const at = head[fragment]!;
    arena.copy(at, headerAt, headerBytes);
    let piece = fragment;
    let room = at + headerBytes;
    for (let copied = 0; copied < count; ) {
      const bytes = Math.min(head[piece]! + length[piece]! - room, count - copied);
      copyFromPacket(pool, slot, from + copied, bytes, room);
      copied += bytes;
      piece = pool.next[piece]!;
      room = piece === NO_SLOT ? 0 : head[piece]!;
    }
    copyColumns(pool, fragment, slot);
    network[fragment] = at;
    setIpv4TotalLength(view, at, headerBytes + count);
    return fragment;
  }

  return (slot, mtu) => {
    const at = head[slot]!;
    const headerBytes = ipv4HeaderBytes(view, at);
    // Offsets count units of 8 bytes.
    const most = (mtu - headerBytes) & ~7;
    if (most < 8) {
      counters[Counter.mtuTooSmall]!++;
      return false;
    }
    const payloadBytes = totalLength[slot]! - headerBytes;
    const offset = ipv4FragmentOffsetBytes(view, at);
    const hadMore = hasIpv4MoreFragments(view, at);
    const laterBytes = prepareLaterHeader(at);
    counters[Counter.fragmented]!++;
    for (let done = 0; done < payloadBytes; ) {
      const count = Math.min(most, payloadBytes - done);
      const isFirst = done === 0;
      const ownHeader = isFirst ? at : laterHeader;
      const fragment = makeFragment(slot, ownHeader, isFirst ? headerBytes : laterBytes, headerBytes + done, count);
      if (fragment === NO_SLOT) {
        counters[Counter.noSlot]!++;
        return false;
      }
      const hasMore = hadMore || done + count < payloadBytes;
      setIpv4Fragment(view, head[fragment]!, hasMore ? Ipv4Flag.moreFragments : 0, offset + done);
      updateIpv4Checksum(view, head[fragment]!);
      counters[Counter.fragments]!++;
      emit(fragment, Next.rewrite);
      done += count;
    }
    return true;
  };
}
