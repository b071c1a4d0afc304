/**
 * ICMP errors about packets that cannot be delivered. Read RFC 1122 section 3.2.2 and RFC 1812 section 4.3.2 first.
 *
 *   rejected:  │ IPv4 │ payload …           │
 *   error:     │ IPv4 │ ICMP (8) │ rejected IPv4 header and payload, 576 bytes in all │
 *
 * A packet that this stack made itself is not answered on the wire: its transport is told directly.
 */
import { CONSUMED, type NodeSpec } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import { isIpv4Unicast } from '../wire/address.js';
import {
  ICMPV4_HEADER_BYTES,
  ICMPV4_MAX_ERROR_BYTES,
  ICMPV4_MIN_QUOTED_PAYLOAD_BYTES,
  Icmpv4Type,
  icmpv4Type,
  isIcmpv4Error,
  writeIcmpv4Error,
} from '../wire/icmpv4.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import {
  IPV4_DEFAULT_TTL,
  IPV4_MIN_HEADER_BYTES,
  ipv4Destination,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  ipv4Protocol,
  ipv4Source,
  ipv4TotalLength,
  writeIpv4,
} from '../wire/ipv4.js';
import { AdjacencyKind } from './adjacency.js';
import type { L3Context } from './l3-context.js';
import { copyFromPacket } from './packet-edit.js';

const Next = { lookup: 0 } as const;
const Counter = { sent: 0, toTransport: 1, notAllowed: 2, rateLimited: 3, noSource: 4, noSlot: 5 } as const;
const MAX_QUOTE_BYTES = ICMPV4_MAX_ERROR_BYTES - IPV4_MIN_HEADER_BYTES - ICMPV4_HEADER_BYTES;
/** RFC 1812 section 4.3.2.5: precedence 6, internetwork control. */
const TRAFFIC_CLASS = 0xc0;

/** Answers each packet with the error that its entry in the ICMP error column says, as far as the rules allow. */
export const ip4IcmpError: NodeSpec<L3Context> = {
  name: 'ip4-icmp-error',
  nexts: ['ip4-lookup'],
  counters: ['sent', 'told to the transport', 'not allowed', 'rate limited', 'no source address', 'no slot'],
  make: (context) => {
    const { pool, emit, counters } = context;
    const isAllowed = makeAllowed(context);
    const tellTransport = makeTellTransport(context);
    const build = makeBuild(context);
    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        if (pool.rxInterface[slot] === 0) {
          tellTransport(slot);
        } else if (isAllowed(slot)) {
          const error = build(slot);
          if (error !== NO_SLOT) {
            counters[Counter.sent]!++;
            emit(error, Next.lookup);
          }
        }
        pool.give(slot);
        next[i] = CONSUMED;
      }
    };
  },
};

/** The rules on when no error is sent; counts what they forbid. */
function makeAllowed({ pool, clock, counters, l3 }: L3Context): (slot: number) => boolean {
  const { view, head, length, flags, vrf, stack } = pool;

  /** RFC 1122 section 3.2.2, RFC 1812 section 4.3.2.7. */
  function isForbidden(slot: number): boolean {
    const at = head[slot]!;
    // A fragment other than the first.
    if (ipv4FragmentOffsetBytes(view, at) !== 0) return true;
    // A link-layer broadcast or multicast.
    if ((flags[slot]! & (PacketFlag.linkBroadcast | PacketFlag.linkMulticast)) !== 0) return true;
    // Destined to a broadcast or multicast address.
    const destinationKind = l3.adjacencies.kind[l3.lookup(vrf[slot]!, ipv4Destination(view, at))]!;
    if (destinationKind >= AdjacencyKind.broadcast) return true;
    // A source that is not a single host.
    const source = ipv4Source(view, at);
    if (!isIpv4Unicast(source)) return true;
    if (l3.adjacencies.kind[l3.lookup(vrf[slot]!, source)]! >= AdjacencyKind.broadcast) return true;
    // About an ICMP error message. What is cut off cannot be told from one.
    const icmpAt = at + ipv4HeaderBytes(view, at);
    if (ipv4Protocol(view, at) !== IpProtocol.icmp) return false;
    return icmpAt >= at + length[slot]! || isIcmpv4Error(icmpv4Type(view, icmpAt));
  }

  return (slot) => {
    if (isForbidden(slot)) {
      counters[Counter.notAllowed]!++;
      return false;
    }
    // RFC 1812 section 4.3.2.8.
    if (l3.icmpLimits.take(stack[slot]!, clock.nowNs)) return true;
    counters[Counter.rateLimited]!++;
    return false;
  };
}

function makeTellTransport({ pool, counters, l3 }: L3Context): (slot: number) => void {
  const { view, head, length, stack } = pool;
  return (slot) => {
    const at = head[slot]!;
    const quoteBytes = length[slot]!;
    if (quoteBytes < ipv4HeaderBytes(view, at) + ICMPV4_MIN_QUOTED_PAYLOAD_BYTES) return;
    const { icmpErrors } = l3;
    counters[Counter.toTransport]!++;
    l3.errorHandlers.report(
      ipv4Protocol(view, at),
      stack[slot]!,
      icmpErrors.type(slot),
      icmpErrors.code(slot),
      icmpErrors.info(slot),
      at,
      quoteBytes,
      0,
    );
  };
}

/** Makes the error's packet; NO_SLOT if it cannot be. */
function makeBuild({ pool, counters, l3 }: L3Context): (slot: number) => number {
  const { view, head, stack, vrf, length, totalLength, network, transport } = pool;

  /** RFC 1122 section 3.2.2: the address the packet was sent to, if it is ours; else that of the way back. */
  function sourceOf(slot: number): number {
    const destination = ipv4Destination(view, head[slot]!);
    const isOwn = l3.adjacencies.kind[l3.lookup(vrf[slot]!, destination)] === AdjacencyKind.local;
    return isOwn ? destination : l3.selectSource(stack[slot]!, ipv4Source(view, head[slot]!));
  }

  /** The word behind type, code and checksum. RFC 792, RFC 1191 section 4. */
  function restOf(slot: number): number {
    const { icmpErrors } = l3;
    const isPointer = icmpErrors.type(slot) === Icmpv4Type.parameterProblem;
    return isPointer ? icmpErrors.info(slot) << 24 : icmpErrors.info(slot);
  }

  return (slot) => {
    const source = sourceOf(slot);
    if (source === 0) {
      counters[Counter.noSource]!++;
      return NO_SLOT;
    }
    const error = pool.take();
    if (error === NO_SLOT) {
      counters[Counter.noSlot]!++;
      return NO_SLOT;
    }
    const at = head[error]!;
    const icmpAt = at + IPV4_MIN_HEADER_BYTES;
    const rejectedBytes = Math.min(ipv4TotalLength(view, head[slot]!), totalLength[slot]!);
    const quoteBytes = Math.min(rejectedBytes, MAX_QUOTE_BYTES);
    copyFromPacket(pool, slot, 0, quoteBytes, icmpAt + ICMPV4_HEADER_BYTES);
    const icmpBytes = ICMPV4_HEADER_BYTES + quoteBytes;
    const { icmpErrors } = l3;
    writeIcmpv4Error(view, icmpAt, icmpErrors.type(slot), icmpErrors.code(slot), restOf(slot), icmpBytes);
    const bytes = IPV4_MIN_HEADER_BYTES + icmpBytes;
    const to = ipv4Source(view, head[slot]!);
    const id = l3.identifications.next(source, to, IpProtocol.icmp);
    writeIpv4(view, at, TRAFFIC_CLASS, bytes, id, 0, IPV4_DEFAULT_TTL, IpProtocol.icmp, source, to);
    length[error] = bytes;
    totalLength[error] = bytes;
    network[error] = at;
    transport[error] = icmpAt;
    stack[error] = stack[slot]!;
    vrf[error] = vrf[slot]!;
    pool.flags[error] = PacketFlag.control | PacketFlag.checksumValid;
    return error;
  };
}
