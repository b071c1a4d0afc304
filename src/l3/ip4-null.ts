/** Packets that no route takes further. Read RFC 1812 sections 4.3.3.1 and 5.2.7.1 first. */
import type { NodeSpec } from '../graph/node.js';
import { Icmpv4Type, Icmpv4Unreachable } from '../wire/icmpv4.js';
import { AdjacencyKind } from './adjacency.js';
import type { L3Context } from './l3-context.js';

const Next = { drop: 0, icmpError: 1 } as const;
const Counter = { noRoute: 0, unreachable: 1, prohibited: 2, blackhole: 3, reserved: 4 } as const;

/** Counts them by reason; all but those for a black hole or a reserved address are answered. */
export const ip4Null: NodeSpec<L3Context> = {
  name: 'ip4-null',
  nexts: ['drop', 'ip4-icmp-error'],
  counters: ['no route', 'unreachable', 'prohibited', 'blackhole', 'reserved address'],
  make: ({ pool, counters, l3 }) => {
    const { adjacency } = pool;
    const { kind } = l3.adjacencies;

    function answer(slot: number, reason: number, code: number): number {
      counters[reason]!++;
      l3.icmpErrors.set(slot, Icmpv4Type.destinationUnreachable, code);
      return Next.icmpError;
    }

    function discard(reason: number): number {
      counters[reason]!++;
      return Next.drop;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        switch (kind[adjacency[slot]!]) {
          case AdjacencyKind.none:
            next[i] = answer(slot, Counter.noRoute, Icmpv4Unreachable.network);
            break;
          case AdjacencyKind.unreachable:
            next[i] = answer(slot, Counter.unreachable, Icmpv4Unreachable.host);
            break;
          case AdjacencyKind.prohibit:
            // RFC 1812 section 5.3.9: filtered by an administrator.
            next[i] = answer(slot, Counter.prohibited, Icmpv4Unreachable.administrativelyProhibited);
            break;
          case AdjacencyKind.blackhole:
            next[i] = discard(Counter.blackhole);
            break;
          default:
            next[i] = discard(Counter.reserved);
        }
      }
    };
  },
};
