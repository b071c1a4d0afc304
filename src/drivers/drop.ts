import type { NodeSpec } from '../graph/node.js';
import { CONSUMED } from '../graph/node.js';

/** Gives packets back to the pool. Why they came here is counted by the node that sent them. */
export const drop: NodeSpec = {
  name: 'drop',
  nexts: [],
  counters: ['packets'],
  make:
    ({ pool, counters }) =>
    (frame, next) => {
      pool.giveMany(frame.slots, frame.count);
      counters[0]! += frame.count;
      next.fill(CONSUMED, 0, frame.count);
    },
};
