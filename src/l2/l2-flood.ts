import { copyPacket } from '../drivers/copy-packet.js';
import { InterfaceFlag } from '../drivers/interface-table.js';
import type { NodeSpec } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js';
import type { L2Context } from './l2-context.js';

const Next = { interfaceOutput: 0, drop: 1 } as const;
const Counter = { copies: 0, noPort: 1, noMemory: 2 } as const;

/** Sends a frame out of all ports of its domain but the one it came from. IEEE 802.1D-2004 section 7.7.1. */
export const l2Flood: NodeSpec<L2Context> = {
  name: 'l2-flood',
  nexts: ['interface-output', 'drop'],
  counters: ['copies', 'no other port', 'no memory'],
  make: ({ pool, counters, emit, interfaces, kernels, bridges }) => {
    /** True for the ports that a packet of `bytes` bytes behind its Ethernet header leaves by. */
    function isTarget(port: number, source: number, bytes: number): boolean {
      if (port === source || (interfaces.flags[port]! & InterfaceFlag.up) === 0) return false;
      return bytes <= interfaces.mtu[port]!;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const source = pool.rxInterface[slot]!;
        const isSuper = (pool.flags[slot]! & PacketFlag.gso) !== 0;
        const bytes = isSuper ? 0 : pool.totalLength[slot]! - ETHERNET_HEADER_BYTES;
        const ports = bridges.ports[interfaces.bridge[source]!]!;
        // The packet itself leaves by the last port, copies by those before.
        let last = 0;
        for (let k = 0; k < ports.length; k++) {
          const port = ports[k]!;
          if (!isTarget(port, source, bytes)) continue;
          if (last !== 0) {
            const copy = copyPacket(pool, kernels, slot);
            if (copy === NO_SLOT) {
              counters[Counter.noMemory]!++;
            } else {
              counters[Counter.copies]!++;
              pool.txInterface[copy] = last;
              emit(copy, Next.interfaceOutput);
            }
          }
          last = port;
        }
        if (last === 0) {
          counters[Counter.noPort]!++;
          next[i] = Next.drop;
        } else {
          pool.txInterface[slot] = last;
          next[i] = Next.interfaceOutput;
        }
      }
    };
  },
};
