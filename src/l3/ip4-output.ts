/**
 * Entry of packets that transports make. They begin with a finished IPv4 header (checksum included), at `head` and
 * `network`; `stack` is set, `rxInterface` is 0. A checksum of the transport may be left partial.
 */
import type { NodeSpec } from '../graph/node.js';
import type { L3Context } from './l3-context.js';

/** Sets the VRF of locally made packets. */
export const ip4Output: NodeSpec<L3Context> = {
  name: 'ip4-output',
  nexts: ['ip4-lookup'],
  counters: [],
  make: ({ pool, l3 }) => {
    const { stack, vrf } = pool;
    const { vrf: vrfOfStack } = l3.stacks;
    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        vrf[slot] = vrfOfStack[stack[slot]!]!;
        next[i] = 0;
      }
    };
  },
};
