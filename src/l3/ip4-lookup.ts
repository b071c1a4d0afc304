/** Route lookup. Read RFC 1812 section 5.2.4.3 first; the table is described in ip4-fib.ts, its results in adjacency.ts. */
import { FRAME_PACKETS } from '../graph/frame.js';
import type { NodeSpec } from '../graph/node.js';
import { ipv4Destination } from '../wire/ipv4.js';
import { AdjacencyKind, FIRST_GROUP_ADDRESS, groupAdjacency } from './adjacency.js';
import { descendIp4Fib, IP4_FIB_ROW_MASK } from './ip4-fib.js';
import type { L3Context } from './l3-context.js';

const Next = { rewrite: AdjacencyKind.rewrite, local: AdjacencyKind.local, drop: 11 } as const;
const Counter = { notForwarding: 0 } as const;
/** Where the destination stands in the IP header. */
const DESTINATION_AT = 16;

/** Finds the adjacency of each packet; its kind is the next node. */
export const ip4Lookup: NodeSpec<L3Context> = {
  name: 'ip4-lookup',
  // In the order of AdjacencyKind.
  nexts: [
    'ip4-rewrite',
    'ip4-arp',
    'ip4-arp',
    'ip4-null',
    'ip4-null',
    'ip4-null',
    'ip4-null',
    'ip4-null',
    'ip4-local',
    'ip4-multicast',
    'ip4-multicast',
    'drop',
  ],
  counters: ['not forwarding'],
  make: ({ pool, counters, l3 }) => {
    const { view, head, vrf, stack, adjacency, rxInterface } = pool;
    const { words, roots, defaults } = l3.fib;
    const { kind } = l3.adjacencies;
    const { forwarding, loopbackAdjacency } = l3.stacks;
    const destinations = new Int32Array(FRAME_PACKETS);
    const entries = new Int32Array(FRAME_PACKETS);

    /** What the trie does not hold: groups, reserved addresses, and the default route. */
    function lookupRest(slot: number): number {
      const destination = ipv4Destination(view, head[slot]!);
      return destination >= FIRST_GROUP_ADDRESS ? groupAdjacency(destination) : defaults[vrf[slot]!]!;
    }

    /** A packet of this stack to itself leaves by the loopback interface, where it can be seen. RFC 1122 section 3.2.1.3 (g). */
    function loop(slot: number): number {
      const row = loopbackAdjacency[stack[slot]!]!;
      if (row === 0) return Next.local;
      adjacency[slot] = row;
      return Next.rewrite;
    }

    // Three short loops instead of a long one: each has many cache misses on their way at a time.
    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        // Signed: unsigned numbers make the loop twice as slow.
        const destination = view.getInt32(head[slot]! + DESTINATION_AT);
        destinations[i] = destination;
        entries[i] = words[roots[vrf[slot]!]! + (destination >>> 16)]!;
      }
      for (let i = 0; i < count; i++) {
        const entry = entries[i]!;
        if (entry < 0) entries[i] = descendIp4Fib(words, entry, destinations[i]!);
      }
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const leafRow = entries[i]! & IP4_FIB_ROW_MASK;
        const row = leafRow === 0 ? lookupRest(slot) : leafRow;
        adjacency[slot] = row;
        const rowKind = kind[row]!;
        next[i] = rowKind;
        if (rxInterface[slot] === 0) {
          if (rowKind === AdjacencyKind.local) next[i] = loop(slot);
        } else if (rowKind <= AdjacencyKind.lastTransit && forwarding[vrf[slot]!] === 0) {
          // RFC 1122 section 3.2.1.3: a host silently drops what is not for it.
          counters[Counter.notForwarding]!++;
          next[i] = Next.drop;
        }
      }
    };
  },
};
