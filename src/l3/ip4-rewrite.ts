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

    /** True if the packet, or a piece of the super-segment, does not fit. */
    function isTooBig(slot: number, at: number, row: number): boolean {
      if ((flags[slot]! & PacketFlag.gsoTcp4) === 0) return true;
      const ipBytes = ipv4HeaderBytes(view, at);
      return ipBytes + tcpHeaderBytes(view, at + ipBytes) + gsoSize[slot]! > mtu[row]!;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const row = adjacency[slot]!;
        const at = head[slot]!;
        const isTransit = rxInterface[slot] !== 0;
        const word = view.getUint32(at + TTL_WORD);
        if (isTransit && word >>> 24 <= 1) {
          // RFC 1812 section 5.3.1.
          counters[Counter.ttlExpired]!++;
          l3.icmpErrors.set(slot, Icmpv4Type.timeExceeded, Icmpv4TimeExceeded.ttl);
          next[i] = Next.icmpError;
          continue;
        }
        if (totalLength[slot]! > mtu[row]! && isTooBig(slot, at, row)) {
          counters[Counter.tooBig]!++;
          next[i] = Next.fragment;
          continue;
        }
        if (isTransit) {
          // The TTL is the high byte of its 16-bit word: minus 0x0100 there is plus 0x0100 in the checksum. RFC 1624.
          const checksum = (word & 0xffff) + 0x0100;
          const folded = checksum >= 0xffff ? (checksum + 1) & 0xffff : checksum;
          view.setUint32(at + TTL_WORD, ((word - TTL_ONE) & 0xffff0000) | folded);
        }
        txInterface[slot] = interfaceOf[row]!;
        next[i] = Next.interfaceOutput;
        if (headerBytes[row] === 0) continue;
        view.setInt32(at - 14, rewrite0[row]!);
        view.setInt32(at - 10, rewrite1[row]!);
        view.setInt32(at - 6, rewrite2[row]!);
        view.setUint16(at - 2, EtherType.ipv4);
        head[slot] = at - ETHERNET_HEADER_BYTES;
        length[slot] = length[slot]! + ETHERNET_HEADER_BYTES;
        totalLength[slot] = totalLength[slot]! + ETHERNET_HEADER_BYTES;
      }
    };
  },
};
