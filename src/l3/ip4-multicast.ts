/**
 * Broadcast and multicast, in and out. Read RFC 1122 sections 3.3.6 and 3.3.7 first, RFC 1112 for groups, RFC 2644 for
 * directed broadcast. Nothing of it is forwarded.
 */

import { copyPacket } from '../drivers/copy-packet.js';
import { NO_INTERFACE } from '../drivers/interface-table.js';
import type { NodeSpec } from '../graph/node.js';
import { NO_SLOT } from '../mem/slot.js';
import { Icmpv4Type, Icmpv4Unreachable } from '../wire/icmpv4.js';
import { ipv4Destination, ipv4Source } from '../wire/ipv4.js';
import { AdjacencyKind } from './adjacency.js';
import type { L3Context } from './l3-context.js';
import { NO_NEIGHBOR } from './neighbor-table.js';

const Next = { local: 0, rewrite: 1, icmpError: 2, drop: 3 } as const;
const Counter = { notMember: 0, otherLink: 1, noInterface: 2, neighborTableFull: 3 } as const;

/** Delivers what this stack listens to; sends what it made itself on one link. */
export const ip4Multicast: NodeSpec<L3Context> = {
  name: 'ip4-multicast',
  nexts: ['ip4-local', 'ip4-rewrite', 'ip4-icmp-error', 'drop'],
  counters: ['not a member', 'broadcast of another link', 'no interface', 'neighbor table full'],
  make: (context) => {
    const { pool, counters, l3 } = context;
    const { view, head, adjacency, rxInterface } = pool;
    const { kind, interface: interfaceOf } = l3.adjacencies;
    const send = makeSend(context);

    function receive(slot: number): number {
      const row = adjacency[slot]!;
      const index = rxInterface[slot]!;
      if (kind[row] === AdjacencyKind.multicast) {
        if (l3.groups.has(index, ipv4Destination(view, head[slot]!))) return Next.local;
        counters[Counter.notMember]!++;
        return Next.drop;
      }
      // RFC 2644: directed broadcasts are not forwarded to their network.
      if (interfaceOf[row] === NO_INTERFACE || interfaceOf[row] === index) return Next.local;
      counters[Counter.otherLink]!++;
      return Next.drop;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        next[i] = rxInterface[slot] === 0 ? send(slot) : receive(slot);
      }
    };
  },
};

/** Sends a locally made packet; returns the index of the next node. */
function makeSend({ pool, counters, emit, kernels, interfaces, l3 }: L3Context): (slot: number) => number {
  const { view, head, adjacency, stack } = pool;
  const { kind, interface: interfaceOf } = l3.adjacencies;

  /** Listeners of this stack on the same link hear the packet too. RFC 1112 section 6.1. */
  function deliverCopy(slot: number): void {
    const copy = copyPacket(pool, kernels, slot);
    if (copy !== NO_SLOT) emit(copy, Next.local);
  }

  return (slot) => {
    const at = head[slot]!;
    const isGroup = kind[adjacency[slot]!] === AdjacencyKind.multicast;
    const destination = ipv4Destination(view, at);
    const egress = interfaceOf[adjacency[slot]!]! || l3.routesOut.forGroup(stack[slot]!, ipv4Source(view, at));
    if (egress === NO_INTERFACE || !interfaces.isUp(egress)) {
      counters[Counter.noInterface]!++;
      l3.icmpErrors.set(slot, Icmpv4Type.destinationUnreachable, Icmpv4Unreachable.network);
      return Next.icmpError;
    }
    if (!isGroup || l3.groups.has(egress, destination)) deliverCopy(slot);
    const row = isGroup ? l3.groupNeighbor(egress, destination) : l3.links.broadcast(egress);
    if (row === NO_NEIGHBOR) {
      counters[Counter.neighborTableFull]!++;
      return Next.drop;
    }
    adjacency[slot] = row;
    return Next.rewrite;
  };
}
