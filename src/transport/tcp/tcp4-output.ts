/**
 * Lets the connections send that have something to send, each once a pass and a burst at a time. Packets go to ip4-output.
 * Connections that found no room at their interface, or no packet memory, try again in the next pass.
 */
import { FRAME_PACKETS } from '../../graph/frame.js';
import type { NodeSpec } from '../../graph/node.js';
import { freeConnection } from './lifecycle.js';
import type { TcpContext } from './tcp-context.js';
import { TCP_OUTPUT_COUNTERS, TcpOutputCounter } from './tcp-counters.js';
import { ConnectionFlag } from './tcp-state.js';
import { TransmitResult, transmit } from './transmit.js';

export const tcp4Output: NodeSpec<TcpContext> = {
  name: 'tcp4-output',
  kind: 'input',
  nexts: ['ip4-output'],
  counters: TCP_OUTPUT_COUNTERS,
  make: ({ tcp: { core }, counters }) => {
    const { output, table } = core;
    core.outputCounters = counters;
    return (frame, next) => {
      core.beginPass();
      for (let turns = output.count; turns > 0 && frame.count < FRAME_PACKETS; turns--) {
        const connection = output.shift();
        const flags = table.flags[connection]!;
        if (flags & ConnectionFlag.dead && (flags & ConnectionFlag.resetNow) === 0) {
          freeConnection(core, connection);
          continue;
        }
        const result = transmit(core, connection, frame);
        if (result === TransmitResult.again) {
          output.push(connection);
        } else if (result === TransmitResult.blocked) {
          counters[TcpOutputCounter.blocked]!++;
          output.park(connection);
        } else if (table.flags[connection]! & ConnectionFlag.dead) {
          freeConnection(core, connection);
        }
      }
      next.fill(0, 0, frame.count);
      counters[TcpOutputCounter.packets]! += frame.count;
    };
  },
};
