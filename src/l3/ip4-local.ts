/**
 * Packets for this stack. Read RFC 1122 sections 3.2.1 and 3.3.4 first.
 *
 * A stack takes packets for any of its addresses on any of its interfaces (the weak model of RFC 1122 section 3.3.4.2,
 * and what RFC 1812 section 5.2.3 asks of routers). Fragments make a detour over ip4-reassembly.
 */
import { InterfaceFlag } from '../drivers/interface-table.js';
import type { NodeSpec } from '../graph/node.js';
import { toeplitz2, toeplitz4 } from '../kernels/toeplitz.js';
import { Icmpv4Type, Icmpv4Unreachable } from '../wire/icmpv4.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import {
  ipv4Destination,
  ipv4HeaderBytes,
  ipv4Protocol,
  ipv4Source,
  ipv4TotalLength,
  isIpv4Fragment,
} from '../wire/ipv4.js';
import { AdjacencyKind } from './adjacency.js';
import type { L3Context } from './l3-context.js';

const Next = { tcp: 0, udp: 1, icmp: 2, reassembly: 3, icmpError: 4, drop: 5 } as const;
const Counter = { spoofedSource: 0, broadcastSource: 1, tcpToGroup: 2, unknownProtocol: 3 } as const;
/** Bytes of the ports in front of TCP and UDP headers. */
const PORT_BYTES = 4;

/** Hands packets for this stack to the transports: sets `transport` and `flowHash`. */
export const ip4Local: NodeSpec<L3Context> = {
  name: 'ip4-local',
  nexts: ['tcp4-input', 'udp4-input', 'icmp4-input', 'ip4-reassembly', 'ip4-icmp-error', 'drop'],
  counters: ['spoofed source', 'broadcast source', 'tcp to a group', 'unknown protocol'],
  make: ({ pool, counters, interfaces, l3 }) => {
    const { view, head, network, transport, vrf, rxInterface, adjacency, flowHash } = pool;
    const { kind } = l3.adjacencies;
    const { flags: interfaceFlags } = interfaces;
    const table = l3.flowHashTable;

    /** RFC 1812 section 5.3.7: nobody else sends from our addresses, or from a broadcast address. */
    function isForged(slot: number, source: number): boolean {
      const rx = rxInterface[slot]!;
      if (rx === 0 || (interfaceFlags[rx]! & InterfaceFlag.loopback) !== 0) return false;
      const sourceKind = kind[l3.lookup(vrf[slot]!, source)]!;
      if (sourceKind !== AdjacencyKind.local && sourceKind !== AdjacencyKind.broadcast) return false;
      counters[sourceKind === AdjacencyKind.local ? Counter.spoofedSource : Counter.broadcastSource]!++;
      return true;
    }

    function hash(at: number, transportAt: number, protocol: number): number {
      // Signed words: unsigned ones would be boxed on their way into the hash.
      const source = ipv4Source(view, at) | 0;
      const destination = ipv4Destination(view, at) | 0;
      const hasPorts = protocol === IpProtocol.tcp || protocol === IpProtocol.udp;
      if (!hasPorts || transportAt + PORT_BYTES > at + ipv4TotalLength(view, at)) {
        return toeplitz2(table, source, destination);
      }
      return toeplitz4(table, source, destination, view.getInt32(transportAt));
    }

    function demux(slot: number, protocol: number): number {
      if (protocol === IpProtocol.tcp) {
        if (kind[adjacency[slot]!]! < AdjacencyKind.broadcast) return Next.tcp;
        // RFC 1122 section 4.2.3.10.
        counters[Counter.tcpToGroup]!++;
        return Next.drop;
      }
      if (protocol === IpProtocol.udp) return Next.udp;
      if (protocol === IpProtocol.icmp) return Next.icmp;
      counters[Counter.unknownProtocol]!++;
      l3.icmpErrors.set(slot, Icmpv4Type.destinationUnreachable, Icmpv4Unreachable.protocol);
      return Next.icmpError;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const at = head[slot]!;
        if (isForged(slot, ipv4Source(view, at))) {
          next[i] = Next.drop;
          continue;
        }
        if (isIpv4Fragment(view, at)) {
          next[i] = Next.reassembly;
          continue;
        }
        const protocol = ipv4Protocol(view, at);
        const transportAt = at + ipv4HeaderBytes(view, at);
        network[slot] = at;
        transport[slot] = transportAt;
        if (flowHash[slot] === 0) flowHash[slot] = hash(at, transportAt, protocol);
        next[i] = demux(slot, protocol);
      }
    };
  },
};
