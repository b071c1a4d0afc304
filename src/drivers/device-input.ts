import { FRAME_PACKETS } from '../graph/frame.js';
import type { NodeSpec } from '../graph/node.js';
import { InterfaceFlag } from './interface-table.js';
import type { LinkContext } from './link-context.js';

const Next = { ethernetInput: 0, l2Input: 1, ip4Input: 2, drop: 3 } as const;
const Counter = { received: 0, interfaceDown: 1, unknownVersion: 2 } as const;
/** Fewest packets asked of a device at once, however many devices wait. */
const MIN_BATCH_PACKETS = 16;

/**
 * Takes packets from the devices that have some, in turn, and notes where and when they came in. Frames of bridge ports
 * go to l2-input, other Ethernet frames to ethernet-input, bare IP packets to their version's input.
 */
export const deviceInput: NodeSpec<LinkContext> = {
  name: 'device-input',
  kind: 'input',
  nexts: ['ethernet-input', 'l2-input', 'ip4-input', 'drop'],
  counters: ['received', 'interface down', 'unknown version'],
  make: ({ pool, clock, counters, interfaces }) => {
    const { view, head, network, totalLength, rxInterface, stack, vrf, timestamp } = pool;

    /** Fills in the columns of slots[from … to − 1], which came from one interface. */
    function stamp(slots: Int32Array, from: number, to: number, index: number): void {
      const nowNs = clock.nowNs;
      const stackOfInterface = interfaces.stack[index]!;
      const vrfOfInterface = interfaces.vrf[index]!;
      let bytes = 0;
      for (let i = from; i < to; i++) {
        const slot = slots[i]!;
        rxInterface[slot] = index;
        stack[slot] = stackOfInterface;
        vrf[slot] = vrfOfInterface;
        timestamp[slot] = nowNs;
        bytes += totalLength[slot]!;
      }
      interfaces.rxPackets[index]! += to - from;
      interfaces.rxBytes[index]! += bytes;
    }

    /** Bare IP packets: the version tells the node. */
    function classifyIp(slots: Int32Array, from: number, to: number, next: Uint8Array, index: number): void {
      for (let i = from; i < to; i++) {
        const slot = slots[i]!;
        const at = head[slot]!;
        network[slot] = at;
        if (totalLength[slot]! > 0 && view.getUint8(at) >>> 4 === 4) {
          next[i] = Next.ip4Input;
        } else {
          counters[Counter.unknownVersion]!++;
          interfaces.rxDrops[index]!++;
          next[i] = Next.drop;
        }
      }
    }

    function classify(slots: Int32Array, from: number, to: number, next: Uint8Array, index: number): void {
      const flags = interfaces.flags[index]!;
      if ((flags & InterfaceFlag.up) === 0) {
        counters[Counter.interfaceDown]! += to - from;
        interfaces.rxDrops[index]! += to - from;
        next.fill(Next.drop, from, to);
      } else if ((flags & InterfaceFlag.bridged) !== 0) {
        next.fill(Next.l2Input, from, to);
      } else if ((flags & InterfaceFlag.ethernet) !== 0) {
        next.fill(Next.ethernetInput, from, to);
      } else {
        classifyIp(slots, from, to, next, index);
      }
    }

    return (frame, next) => {
      const { slots } = frame;
      let polls = interfaces.pendingCount;
      if (polls === 0) return;
      const batch = Math.max(MIN_BATCH_PACKETS, Math.floor(FRAME_PACKETS / polls));
      let count = 0;
      for (; polls > 0 && count < FRAME_PACKETS; polls--) {
        const index = interfaces.takePending();
        const device = interfaces.devices[index];
        if (device === undefined) continue;
        const asked = Math.min(batch, FRAME_PACKETS - count);
        const received = device.receive(slots, count, asked);
        if (received === asked) interfaces.keepPending(index);
        stamp(slots, count, count + received, index);
        classify(slots, count, count + received, next, index);
        count += received;
      }
      frame.count = count;
      counters[Counter.received]! += count;
    };
  },
};
