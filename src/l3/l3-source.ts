import { FRAME_PACKETS } from '../graph/frame.js';
import type { NodeSpec } from '../graph/node.js';
import type { L3Context } from './l3-context.js';
import { L3_TARGETS } from './l3-target.js';

/** Brings packets into the graph that timers and control operations have made: ARP requests, echo requests, errors. */
export const l3Source: NodeSpec<L3Context> = {
  name: 'l3-source',
  kind: 'input',
  nexts: L3_TARGETS,
  counters: [],
  make: ({ l3 }) => {
    const { outbox, adjacencies } = l3;
    return (frame, next) => {
      // Between two passes no packet carries the number of an adjacency.
      adjacencies.reclaim();
      frame.count = outbox.take(frame.slots, next, FRAME_PACKETS);
    };
  },
};
