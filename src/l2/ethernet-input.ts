import { InterfaceFlag } from '../drivers/interface-table.js';
import type { LinkContext } from '../drivers/link-context.js';
import type { NodeSpec } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import {
  ETHERNET_HEADER_BYTES,
  EtherType,
  ethernetDestinationHi,
  ethernetDestinationLo,
  ethernetType,
  isMacBroadcast,
  isMacMulticast,
} from '../wire/ethernet.js';

const Next = { ip4Input: 0, arpInput: 1, drop: 2 } as const;
const Counter = { short: 0, otherAddress: 1, unknownType: 2 } as const;

/**
 * Takes the Ethernet header off frames for this host and sends them on by their type. RFC 894; IEEE 802.3 clause 3.
 * Group addresses are all taken: which groups a stack is in, its IP layer knows. RFC 1112 section 6.4.
 */
export const ethernetInput: NodeSpec<LinkContext> = {
  name: 'ethernet-input',
  nexts: ['ip4-input', 'arp-input', 'drop'],
  counters: ['short', 'other address', 'unknown type'],
  make: ({ pool, counters, interfaces }) => {
    const { view, head, length, totalLength, network, rxInterface, flags } = pool;
    const { macHi, macLo, rxDrops } = interfaces;

    /** PacketFlag bits for a frame's destination, or −1 when it is not for this host. */
    function classifyDestination(at: number, index: number): number {
      const hi = ethernetDestinationHi(view, at);
      const lo = ethernetDestinationLo(view, at);
      if (hi === macHi[index]! && (lo | 0) === macLo[index]!) return 0;
      if (isMacMulticast(hi)) return isMacBroadcast(hi, lo) ? PacketFlag.linkBroadcast : PacketFlag.linkMulticast;
      return (interfaces.flags[index]! & InterfaceFlag.promiscuous) !== 0 ? 0 : -1;
    }

    function discard(slot: number, reason: number): number {
      counters[reason]!++;
      rxDrops[rxInterface[slot]!]!++;
      return Next.drop;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        if (length[slot]! < ETHERNET_HEADER_BYTES) {
          next[i] = discard(slot, Counter.short);
          continue;
        }
        const at = head[slot]!;
        const marks = classifyDestination(at, rxInterface[slot]!);
        if (marks < 0) {
          next[i] = discard(slot, Counter.otherAddress);
          continue;
        }
        const type = ethernetType(view, at);
        flags[slot] = flags[slot]! | marks;
        head[slot] = at + ETHERNET_HEADER_BYTES;
        network[slot] = at + ETHERNET_HEADER_BYTES;
        length[slot] = length[slot]! - ETHERNET_HEADER_BYTES;
        totalLength[slot] = totalLength[slot]! - ETHERNET_HEADER_BYTES;
        if (type === EtherType.ipv4) next[i] = Next.ip4Input;
        else if (type === EtherType.arp) next[i] = Next.arpInput;
        else next[i] = discard(slot, Counter.unknownType);
      }
    };
  },
};
