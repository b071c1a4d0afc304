/** ICMP messages for this stack. Read RFC 792 first, then RFC 1122 section 3.2.2 and RFC 1191 section 6. */
import { chainSum } from '../drivers/transport-checksum.js';
import { CONSUMED, type NodeSpec } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { checksumReplace16, isChecksumSumValid } from '../wire/checksum.js';
import {
  checkIcmpv4,
  ICMPV4_CHECK_NAMES,
  Icmpv4Check,
  Icmpv4Type,
  Icmpv4Unreachable,
  icmpv4Checksum,
  icmpv4Code,
  icmpv4NextHopMtu,
  icmpv4QuoteAt,
  icmpv4Type,
  isIcmpv4Error,
} from '../wire/icmpv4.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import {
  IPV4_DEFAULT_TTL,
  ipv4Destination,
  ipv4Protocol,
  ipv4Source,
  ipv4TotalLength,
  setIpv4Destination,
  setIpv4Fragment,
  setIpv4Identification,
  setIpv4Source,
  setIpv4Ttl,
  updateIpv4Checksum,
} from '../wire/ipv4.js';
import { AdjacencyKind } from './adjacency.js';
import type { L3Context } from './l3-context.js';
import { plausibleMtu } from './path-mtu.js';

const Next = { lookup: 0, drop: 1 } as const;
/** The codes of {@link Icmpv4Check} come first. */
const Counter = {
  echoRequests: 4,
  echoReplies: 5,
  errors: 6,
  echoToGroup: 7,
  unknownType: 8,
  ignoredType: 9,
  quoteNotOurs: 10,
  notAwaited: 11,
} as const;

/** Answers echo requests; hands echo replies and errors to whom they concern. */
export const icmp4Input: NodeSpec<L3Context> = {
  name: 'icmp4-input',
  nexts: ['ip4-lookup', 'drop'],
  counters: [
    ...ICMPV4_CHECK_NAMES,
    'echo requests',
    'echo replies',
    'errors',
    'echo request to a group',
    'unknown type',
    'ignored type',
    'quoted packet not ours',
    'not awaited',
  ],
  make: (context) => {
    const { pool, kernels, counters, l3 } = context;
    const { view, head, transport, flags, length, totalLength } = pool;
    const answerEcho = makeAnswerEcho(context);
    const receiveError = makeReceiveError(context);

    function check(slot: number, at: number): number {
      const found = checkIcmpv4(view, at, head[slot]! + length[slot]! - at);
      if (found !== Icmpv4Check.ok || (flags[slot]! & PacketFlag.checksumValid) !== 0) return found;
      return isChecksumSumValid(chainSum(pool, kernels, slot, at)) ? Icmpv4Check.ok : Icmpv4Check.badChecksum;
    }

    function finish(slot: number): number {
      pool.give(slot);
      return CONSUMED;
    }

    function discard(reason: number): number {
      counters[reason]!++;
      return Next.drop;
    }

    function receive(slot: number, at: number): number {
      const type = icmpv4Type(view, at);
      if (type === Icmpv4Type.echoRequest) return answerEcho(slot, at);
      if (type === Icmpv4Type.echoReply) {
        counters[Counter.echoReplies]!++;
        const bytes = totalLength[slot]! - (at - head[slot]!);
        return l3.echo.receive(pool.stack[slot]!, head[slot]!, at, bytes) ? finish(slot) : discard(Counter.notAwaited);
      }
      // RFC 6633 section 3; redirects would let the link reroute a host.
      if (type === Icmpv4Type.sourceQuench || type === Icmpv4Type.redirect) return discard(Counter.ignoredType);
      // RFC 1122 section 3.2.2: unknown types are silently discarded.
      if (!isIcmpv4Error(type)) return discard(Counter.unknownType);
      counters[Counter.errors]!++;
      return receiveError(slot, at) ? finish(slot) : Next.drop;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const at = transport[slot]!;
        const found = check(slot, at);
        next[i] = found === Icmpv4Check.ok ? receive(slot, at) : discard(found);
      }
    };
  },
};

/** Turns an echo request into its reply. RFC 1122 section 3.2.2.6. */
function makeAnswerEcho({ pool, counters, l3 }: L3Context): (slot: number, at: number) => number {
  const { view, head, adjacency, flags, rxInterface } = pool;
  return (slot, at) => {
    counters[Counter.echoRequests]!++;
    if (l3.adjacencies.kind[adjacency[slot]!]! >= AdjacencyKind.broadcast) {
      counters[Counter.echoToGroup]!++;
      return Next.drop;
    }
    const ip = head[slot]!;
    const source = ipv4Source(view, ip);
    const own = ipv4Destination(view, ip);
    view.setUint8(at, Icmpv4Type.echoReply);
    const checksum = checksumReplace16(
      icmpv4Checksum(view, at),
      Icmpv4Type.echoRequest << 8,
      Icmpv4Type.echoReply << 8,
    );
    view.setUint16(at + 2, checksum);
    setIpv4Source(view, ip, own);
    setIpv4Destination(view, ip, source);
    setIpv4Identification(view, ip, l3.identifications.next(own, source, IpProtocol.icmp));
    setIpv4Fragment(view, ip, 0, 0);
    setIpv4Ttl(view, ip, IPV4_DEFAULT_TTL);
    updateIpv4Checksum(view, ip);
    rxInterface[slot] = 0;
    flags[slot] = flags[slot]! & PacketFlag.checksumValid;
    return Next.lookup;
  };
}

/** Hands an error to the transport of the packet it quotes. True if that knows the packet. */
function makeReceiveError({ pool, counters, l3 }: L3Context): (slot: number, at: number) => boolean {
  const { view, head, length, stack, vrf } = pool;
  return (slot, at) => {
    const quoteAt = icmpv4QuoteAt(at);
    const quoteBytes = head[slot]! + length[slot]! - quoteAt;
    // Only packets that this stack sent. RFC 5927 section 4.
    if (l3.adjacencies.kind[l3.lookup(vrf[slot]!, ipv4Source(view, quoteAt))] !== AdjacencyKind.local) {
      counters[Counter.quoteNotOurs]!++;
      return false;
    }
    const type = icmpv4Type(view, at);
    const code = icmpv4Code(view, at);
    const isTooBig = type === Icmpv4Type.destinationUnreachable && code === Icmpv4Unreachable.fragmentationNeeded;
    const info = isTooBig ? plausibleMtu(icmpv4NextHopMtu(view, at), ipv4TotalLength(view, quoteAt)) : 0;
    const protocol = ipv4Protocol(view, quoteAt);
    const from = ipv4Source(view, head[slot]!);
    if (!l3.errorHandlers.report(protocol, stack[slot]!, type, code, info, quoteAt, quoteBytes, from)) {
      counters[Counter.notAwaited]!++;
      return false;
    }
    if (isTooBig) l3.pathMtus.learn(vrf[slot]!, ipv4Destination(view, quoteAt), info);
    return true;
  };
}
