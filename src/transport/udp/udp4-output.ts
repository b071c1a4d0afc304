import { FRAME_PACKETS } from '../../graph/frame.js';
import type { NodeSpec } from '../../graph/node.js';
import type { UdpContext } from './udp-context.js';

/** Brings the datagrams into the graph that applications have sent: a frame of them per pass. */
export const udp4Output: NodeSpec<UdpContext> = {
  name: 'udp4-output',
  kind: 'input',
  nexts: ['ip4-output'],
  counters: ['datagrams'],
  make: ({ udp: { core }, counters }) => {
    const { output } = core;
    return (frame, next) => {
      const count = output.take(frame.slots, FRAME_PACKETS);
      if (output.count === 0) core.outputPackets = 0;
      frame.count = count;
      next.fill(0, 0, count);
      counters[0]! += count;
    };
  },
};
