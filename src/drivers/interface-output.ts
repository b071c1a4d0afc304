import type { NodeSpec } from '../graph/node.js';
import { CONSUMED } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { GsoSegmenter, MAX_GSO_PIECES } from './gso-segment.js';
import { InterfaceFlag } from './interface-table.js';
import type { LinkContext } from './link-context.js';
import { fillTransportChecksum } from './transport-checksum.js';

const Next = { drop: 0 } as const;
const Counter = { sent: 0, interfaceDown: 1, queueFull: 2, segmented: 3, notSegmented: 4 } as const;

/**
 * Hands packets to the device of their `txInterface`, one call for each run of packets with the same one. What the
 * device can't do is done here: segmentation and the transport checksum. Segmenting in place, not in a node of its own,
 * keeps a flow's packets in order and holds the pieces of only one super-segment at a time.
 */
export const interfaceOutput: NodeSpec<LinkContext> = {
  name: 'interface-output',
  nexts: ['drop'],
  counters: ['sent', 'interface down', 'queue full', 'segmented', 'super-segment not segmented'],
  make: (context) => {
    const { pool, counters, emit, interfaces, kernels } = context;
    const { flags, totalLength, txInterface } = pool;
    const segmenter = new GsoSegmenter(pool, kernels);
    const pieces = new Int32Array(MAX_GSO_PIECES);
    const transmit = makeTransmit(context);

    function discard(slot: number, index: number, reason: number): void {
      counters[reason]!++;
      interfaces.txDrops[index]!++;
      emit(slot, Next.drop);
    }

    /** Does for packet slots[i] what its device leaves to software, and transmits it. */
    function finishInSoftware(index: number, slots: Int32Array, i: number): void {
      const slot = slots[i]!;
      const interfaceFlags = interfaces.flags[index]!;
      const withChecksum = (interfaceFlags & InterfaceFlag.checksum) === 0;
      if ((flags[slot]! & PacketFlag.gso) === 0 || (interfaceFlags & InterfaceFlag.gso) !== 0) {
        fillTransportChecksum(pool, kernels, slot);
        transmit(index, slots, i, i + 1, totalLength[slot]!);
        return;
      }
      const count = segmenter.segment(slot, withChecksum, pieces);
      if (count === 0) {
        discard(slot, index, Counter.notSegmented);
        return;
      }
      counters[Counter.segmented]!++;
      let bytes = 0;
      for (let k = 0; k < count; k++) bytes += totalLength[pieces[k]!]!;
      transmit(index, pieces, 0, count, bytes);
    }

    return (frame, next) => {
      const { slots, count } = frame;
      let index = -1;
      let isUp = false;
      /** Packet flags that the device can't take. */
      let inSoftware = 0;
      let runStart = 0;
      let runBytes = 0;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        if (txInterface[slot]! !== index) {
          transmit(index, slots, runStart, i, runBytes);
          runStart = i;
          runBytes = 0;
          index = txInterface[slot]!;
          const interfaceFlags = interfaces.flags[index]!;
          isUp = (interfaceFlags & InterfaceFlag.up) !== 0;
          inSoftware =
            ((interfaceFlags & InterfaceFlag.gso) !== 0 ? 0 : PacketFlag.gso) |
            ((interfaceFlags & InterfaceFlag.checksum) !== 0 ? 0 : PacketFlag.checksumPartial);
        }
        if (isUp && (flags[slot]! & inSoftware) === 0) {
          runBytes += totalLength[slot]!;
          continue;
        }
        transmit(index, slots, runStart, i, runBytes);
        runStart = i + 1;
        runBytes = 0;
        if (isUp) finishInSoftware(index, slots, i);
        else discard(slot, index, Counter.interfaceDown);
      }
      transmit(index, slots, runStart, count, runBytes);
      next.fill(CONSUMED, 0, count);
    };
  },
};

/** Transmits slots[from … to − 1], which hold `bytes` bytes. Drops what the device does not take. */
function makeTransmit({ pool, counters, emit, interfaces }: LinkContext) {
  const { totalLength } = pool;
  return function transmit(index: number, slots: Int32Array, from: number, to: number, bytes: number): void {
    if (from === to) return;
    const sent = interfaces.devices[index]!.transmit(slots, from, to - from);
    let sentBytes = bytes;
    for (let i = from + sent; i < to; i++) {
      const slot = slots[i]!;
      sentBytes -= totalLength[slot]!;
      emit(slot, Next.drop);
    }
    const unsent = to - from - sent;
    counters[Counter.sent]! += sent;
    counters[Counter.queueFull]! += unsent;
    interfaces.txPackets[index]! += sent;
    interfaces.txBytes[index]! += sentBytes;
    interfaces.txDrops[index]! += unsent;
  };
}
