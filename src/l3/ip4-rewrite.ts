/** The last step before an interface: TTL and link header. Read RFC 1812 sections 5.3.1 and 5.3.2 first. */
import type { NodeSpec } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { EtherType } from '../wire/ethernet.js';
import { Icmpv4TimeExceeded, Icmpv4Type } from '../wire/icmpv4.js';
import { ipv4HeaderBytes } from '../wire/ipv4.js';
import { tcpHeaderBytes } from '../wire/tcp.js';
import type { L3Context } from './l3-context.js';

const Next = { interfaceOutput: 0, fragment: 1, icmpError: 2 } as const;
const Counter = { ttlExpired: 0, tooBig: 1 } as const;
const ETHERNET_HEADER_BYTES = 14;
/** The word at offset 8 of the IP header: TTL, protocol, checksum. */
const TTL_WORD = 8;
const TTL_ONE = 0x01000000;

/** Takes one off the TTL of transit packets and puts the adjacency's link header in front. */
export const ip4Rewrite: NodeSpec<L3Context> = {
  name: 'ip4-rewrite',
  nexts: ['interface-output', 'ip4-fragment', 'ip4-icmp-error'],
  counters: ['ttl expired', 'too big'],
  make: ({ pool, counters, l3 }) => {
    const { view, head, length, totalLength, adjacency, rxInterface, txInterface, flags, gsoSize } = pool;
    const { rewrite0, rewrite1, rewrite2, headerBytes, mtu, interface: interfaceOf } = l3.adjacencies;

    /** Of a packet longer than the MTU: false for a super-segment whose pieces fit. */
    function isTooBig(slot: number, at: number, row: number): boolean {
      const ipBytes = ipv4HeaderBytes(view, at);
      const isSuperSegment = (flags[slot]! & PacketFlag.gsoTcp4) !== 0;
      const fits = isSuperSegment && ipBytes + tcpHeaderBytes(view, at + ipBytes) + gsoSize[slot]! <= mtu[row]!;
      if (!fits) counters[Counter.tooBig]!++;
      return !fits;
    }

    /** RFC 1812 section 5.3.1. */
    function expire(slot: number): number {
      counters[Counter.ttlExpired]!++;
      l3.icmpErrors.set(slot, Icmpv4Type.timeExceeded, Icmpv4TimeExceeded.ttl);
      return Next.icmpError;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const row = adjacency[slot]!;
        const at = head[slot]!;
        const bytes = totalLength[slot]!;
        if (rxInterface[slot] !== 0) {
          const word = view.getInt32(at + TTL_WORD);
          if (word >>> 24 <= 1) {
            next[i] = expire(slot);
            continue;
          }
          if (bytes > mtu[row]! && isTooBig(slot, at, row)) {
            next[i] = Next.fragment;
            continue;
          }
          // The TTL is the high byte of its 16-bit word: minus 0x0100 there is plus 0x0100 in the checksum. RFC 1624.
          const checksum = (word & 0xffff) + 0x0100;
          const folded = checksum < 0xffff ? checksum : (checksum + 1) & 0xffff;
          view.setInt32(at + TTL_WORD, ((word - TTL_ONE) & 0xffff0000) | folded);
        } else if (bytes > mtu[row]! && isTooBig(slot, at, row)) {
          next[i] = Next.fragment;
          continue;
        }
        txInterface[slot] = interfaceOf[row]!;
        next[i] = Next.interfaceOutput;
        if (headerBytes[row] === 0) continue;
        view.setInt32(at - 14, rewrite0[row]!);
        view.setInt32(at - 10, rewrite1[row]!);
        view.setInt32(at - 6, rewrite2[row]!);
        view.setInt16(at - 2, EtherType.ipv4);
        head[slot] = at - ETHERNET_HEADER_BYTES;
        length[slot] = length[slot]! + ETHERNET_HEADER_BYTES;
        totalLength[slot] = bytes + ETHERNET_HEADER_BYTES;
      }
    };
  },
};
