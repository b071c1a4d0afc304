import { CONSUMED, type NodeSpec } from '../graph/node.js';
import type { L3Context } from './l3-context.js';

const Next = { local: 0 } as const;

/** Keeps fragments for this stack until their datagram is whole, then sends that back to ip4-local. RFC 791 section 3.2. */
export const ip4Reassembly: NodeSpec<L3Context> = {
  name: 'ip4-reassembly',
  nexts: ['ip4-local'],
  // In the order of ReassemblyResult, negated.
  counters: ['reassembled', 'waiting', 'duplicate', 'malformed', 'overlap', 'too many pieces', 'no room', 'bad ecn'],
  make: ({ counters, l3 }) => {
    const { reassembly } = l3;
    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const whole = reassembly.receive(slots[i]!);
        if (whole >= 0) {
          counters[0]!++;
          slots[i] = whole;
          next[i] = Next.local;
        } else {
          counters[-whole]!++;
          next[i] = CONSUMED;
        }
      }
    };
  },
};
