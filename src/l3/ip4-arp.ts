/** Packets whose next hop has no confirmed link address. Read RFC 826 and RFC 1122 section 2.3.2 first. */
import { CONSUMED, type NodeSpec } from '../graph/node.js';
import { ipv4Destination, ipv4Ttl } from '../wire/ipv4.js';
import { AdjacencyKind } from './adjacency.js';
import type { L3Context } from './l3-context.js';
import { L3_TARGETS, L3Target } from './l3-target.js';
import { NO_NEIGHBOR } from './neighbor-table.js';

const DROP = L3_TARGETS.length;
/** `evicted`: the neighbor had to make room for another one after this packet's lookup. */
const Counter = { tableFull: 0, evicted: 1 } as const;

/** Finds or makes the neighbor; sends the packet on, or lets it wait and asks for the address. */
export const ip4Arp: NodeSpec<L3Context> = {
  name: 'ip4-arp',
  nexts: [...L3_TARGETS, 'drop'],
  counters: ['neighbor table full', 'neighbor evicted'],
  make: ({ pool, counters, emit, l3 }) => {
    const { view, head, adjacency, vrf, rxInterface } = pool;
    const { kind, interface: interfaceOf } = l3.adjacencies;

    /** The row of the destination itself, for a packet that came to its network's row. */
    function glean(slot: number, link: number): number {
      const interfaceIndex = interfaceOf[link]!;
      const destination = ipv4Destination(view, head[slot]!);
      const row = l3.neighbors.obtain(interfaceIndex, destination);
      if (row !== NO_NEIGHBOR) l3.stacks.rib(vrf[slot]!).addHost(destination, interfaceIndex, row, link);
      return row;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        if (rxInterface[slot] !== 0 && ipv4Ttl(view, head[slot]!) <= 1) {
          // Nobody has to be found for a packet that ends here: ip4-rewrite looks at the TTL first.
          next[i] = L3Target.rewrite;
          continue;
        }
        const found = adjacency[slot]!;
        const row = kind[found] === AdjacencyKind.glean ? glean(slot, found) : found;
        if (row === NO_NEIGHBOR || kind[row] === AdjacencyKind.reserved) {
          counters[row === NO_NEIGHBOR ? Counter.tableFull : Counter.evicted]!++;
          next[i] = DROP;
          continue;
        }
        adjacency[slot] = row;
        next[i] = l3.neighbors.admit(row, slot, emit) ? L3Target.rewrite : CONSUMED;
      }
    };
  },
};
