/**
 * Validation of IPv4 packets from outside. Read RFC 1812 sections 5.2.2 and 5.3.7 and RFC 1122 section 3.2.1 first.
 *
 * Packets begin with the IP header here. What the header alone forbids stops here; what depends on the route is decided
 * after the lookup. Link padding behind the datagram is cut off.
 */
import { InterfaceFlag } from '../drivers/interface-table.js';
import type { NodeSpec } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import {
  IPV4_LIMITED_BROADCAST,
  isIpv4LinkLocal,
  isIpv4Loopback,
  isIpv4Multicast,
  isIpv4ThisNetwork,
} from '../wire/address.js';
import { Icmpv4ParameterProblem, Icmpv4Type } from '../wire/icmpv4.js';
import {
  checkIpv4,
  IPV4_CHECK_NAMES,
  IPV4_MIN_HEADER_BYTES,
  Ipv4Check,
  ipv4Destination,
  ipv4HeaderBytes,
  ipv4Source,
  ipv4TotalLength,
  isIpv4ChecksumValid,
} from '../wire/ipv4.js';
import { checkIpv4Options, findIpv4Option, Ipv4Option, Ipv4OptionsCheck } from '../wire/ipv4-options.js';
import { AdjacencyKind } from './adjacency.js';
import type { L3Context } from './l3-context.js';
import { trimPacket } from './packet-edit.js';

const Next = { drop: 0, icmpError: 1 } as const;
/** The codes of {@link Ipv4Check} come first. */
const Counter = { badOptions: 6, sourceRoute: 7, martianSource: 8, martianDestination: 9, linkBroadcast: 10 } as const;
const OK = 0;

const LINK_GROUP = PacketFlag.linkBroadcast | PacketFlag.linkMulticast;

/** First octets of addresses that need a second look. Bit 1: as a source; bit 2: as a destination. */
const SPECIAL_OCTETS = Uint8Array.from({ length: 256 }, (_, octet) => {
  if (octet === 0 || octet === 127 || octet === 169) return 3;
  return octet >= 224 ? 1 : 0;
});

/** Validates IPv4 packets and starts the arc `ip4-unicast`, which ends at the lookup. */
export const ip4Input: NodeSpec<L3Context> = {
  name: 'ip4-input',
  nexts: ['drop', 'ip4-icmp-error'],
  counters: [
    ...IPV4_CHECK_NAMES,
    'bad options',
    'source route',
    'martian source',
    'martian destination',
    'link broadcast to one host',
  ],
  arcStart: 'ip4-unicast',
  make: (context) => {
    const { pool, featureNext } = context;
    const { view, head, totalLength, flags, rxInterface } = pool;
    const inspect = makeInspect(context);
    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const at = head[slot]!;
        const bytes = totalLength[slot]!;
        const word0 = view.getInt32(at);
        const word1 = view.getInt32(at + 4);
        const word2 = view.getInt32(at + 8);
        const word3 = view.getInt32(at + 12);
        const word4 = view.getInt32(at + 16);
        const high = (word0 >>> 16) + (word1 >>> 16) + (word2 >>> 16) + (word3 >>> 16) + (word4 >>> 16);
        const low = (word0 & 0xffff) + (word1 & 0xffff) + (word2 & 0xffff) + (word3 & 0xffff) + (word4 & 0xffff);
        const sum = high + low;
        // The usual packet: no options, no padding, a right checksum, plain addresses, sent to this station alone.
        if (
          word0 >>> 24 !== 0x45 ||
          (word0 & 0xffff) !== bytes ||
          bytes < IPV4_MIN_HEADER_BYTES ||
          (sum & 0xffff) + (sum >>> 16) !== 0xffff ||
          (SPECIAL_OCTETS[word3 >>> 24]! & 1) !== 0 ||
          (SPECIAL_OCTETS[word4 >>> 24]! & 2) !== 0 ||
          (flags[slot]! & LINK_GROUP) !== 0
        ) {
          next[i] = inspect(slot, featureNext[rxInterface[slot]!]!);
          continue;
        }
        next[i] = featureNext[rxInterface[slot]!]!;
      }
    };
  },
};

/** Checks a packet rule by rule: returns `following` if it may go on, else where it goes, and counts why. */
function makeInspect(context: L3Context): (slot: number, following: number) => number {
  const { pool, counters } = context;
  const { view, head, totalLength, flags } = pool;
  const checkSpecial = makeSpecialCheck(context);

  function check(slot: number, at: number): number {
    const header = checkIpv4(view, at, totalLength[slot]!);
    if (header !== Ipv4Check.ok) return header;
    if ((flags[slot]! & PacketFlag.checksumValid) === 0 && !isIpv4ChecksumValid(view, at)) return Ipv4Check.badChecksum;
    const bytes = ipv4TotalLength(view, at);
    if (bytes !== totalLength[slot]!) trimPacket(pool, slot, bytes);
    return checkSpecial(slot, at);
  }

  return (slot, following) => {
    const reason = check(slot, head[slot]!);
    if (reason === OK) return following;
    counters[reason]!++;
    return reason === Counter.badOptions ? Next.icmpError : Next.drop;
  };
}

/** The rare rules: the index of the drop counter, or OK. */
function makeSpecialCheck({ pool, interfaces, l3 }: L3Context): (slot: number, at: number) => number {
  const { view, rxInterface, vrf, flags } = pool;

  /** RFC 1812 section 5.3.7, RFC 1122 section 3.2.1.3. */
  function checkAddresses(slot: number, source: number, destination: number): number {
    const isFromLoopback = (interfaces.flags[rxInterface[slot]!]! & InterfaceFlag.loopback) !== 0;
    // (g): 127/8 must not appear outside a host.
    if (isIpv4Loopback(source) && !isFromLoopback) return Counter.martianSource;
    if (isIpv4Loopback(destination) && !isFromLoopback) return Counter.martianDestination;
    // (a): 0.0.0.0 is a source only while a host learns its address, which it does by broadcast.
    if (isIpv4ThisNetwork(source) && !(source === 0 && destination === IPV4_LIMITED_BROADCAST)) {
      return Counter.martianSource;
    }
    if (isIpv4ThisNetwork(destination)) return Counter.martianDestination;
    // (c), (d): neither a group nor everybody sends; class E is reserved.
    if (source >>> 28 >= 0xe) return Counter.martianSource;
    return OK;
  }

  /** RFC 3927 section 2.7: link-local packets are not forwarded. */
  function isLinkLocalTransit(slot: number, source: number, destination: number): boolean {
    if (!(isIpv4LinkLocal(source) || isIpv4LinkLocal(destination))) return false;
    return l3.adjacencies.kind[l3.lookup(vrf[slot]!, destination)]! <= AdjacencyKind.lastTransit;
  }

  /** RFC 1122 section 3.3.6: what came as a link broadcast has to be a broadcast or multicast on this layer too. */
  function isGroup(slot: number, destination: number): boolean {
    if (destination === IPV4_LIMITED_BROADCAST || isIpv4Multicast(destination)) return true;
    return l3.adjacencies.kind[l3.lookup(vrf[slot]!, destination)] === AdjacencyKind.broadcast;
  }

  function checkOptions(slot: number, at: number): number {
    if (checkIpv4Options(view, at) !== Ipv4OptionsCheck.ok) {
      // RFC 1122 section 3.2.2.5: the pointer leads to the options.
      l3.icmpErrors.set(slot, Icmpv4Type.parameterProblem, Icmpv4ParameterProblem.pointer, IPV4_MIN_HEADER_BYTES);
      return Counter.badOptions;
    }
    const hasRoute =
      findIpv4Option(view, at, Ipv4Option.looseSourceRoute) !== 0 ||
      findIpv4Option(view, at, Ipv4Option.strictSourceRoute) !== 0;
    // RFC 7126 sections 4.3.5 and 4.4.5: dropped unless asked for.
    return hasRoute ? Counter.sourceRoute : OK;
  }

  return (slot, at) => {
    const source = ipv4Source(view, at);
    const destination = ipv4Destination(view, at);
    const reason = checkAddresses(slot, source, destination);
    if (reason !== OK) return reason;
    if (isLinkLocalTransit(slot, source, destination)) return Counter.martianDestination;
    if ((flags[slot]! & LINK_GROUP) !== 0 && !isGroup(slot, destination)) return Counter.linkBroadcast;
    return ipv4HeaderBytes(view, at) === IPV4_MIN_HEADER_BYTES ? OK : checkOptions(slot, at);
  };
}
