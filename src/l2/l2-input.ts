import { NS_PER_S } from '../base/time.js';
import type { NodeSpec } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import {
  ETHERNET_HEADER_BYTES,
  ethernetDestinationHi,
  ethernetDestinationLo,
  ethernetSourceHi,
  ethernetSourceLo,
  isMacMulticast,
} from '../wire/ethernet.js';
import type { L2Context } from './l2-context.js';
import { MacColumn, NO_ROW } from './mac-table.js';

const Next = { interfaceOutput: 0, l2Flood: 1, drop: 2 } as const;
const Counter = {
  forwarded: 0,
  flooded: 1,
  learned: 2,
  moved: 3,
  staticElsewhere: 4,
  limit: 5,
  short: 6,
  groupSource: 7,
  reserved: 8,
  samePort: 9,
  tooBig: 10,
} as const;
/** By what BridgeTable.learn returned. */
const LEARNED_COUNTERS = [Counter.learned, Counter.moved, Counter.staticElsewhere, Counter.limit];

/** 01:80:c2:00:00:00 … 0f: never forwarded by a bridge. IEEE 802.1D-2004 section 7.12.6. */
const RESERVED_HI = 0x0180;
const RESERVED_LO = 0xc200_0000 | 0;
const RESERVED_MASK = ~15;

/**
 * Learns from a frame's source address and forwards it by its destination address: to one port, or to all when the
 * destination is a group or not known. IEEE 802.1D-2004 sections 7.7 and 7.8.
 */
export const l2Input: NodeSpec<L2Context> = {
  name: 'l2-input',
  nexts: ['interface-output', 'l2-flood', 'drop'],
  counters: [
    'forwarded',
    'flooded',
    'learned',
    'moved',
    'static elsewhere',
    'address limit',
    'short',
    'group source',
    'reserved destination',
    'same port',
    'too big',
  ],
  make: ({ pool, clock, counters, interfaces, bridges }) => {
    const { view, head, length, totalLength, flags, rxInterface, txInterface } = pool;
    const { bridge: bridgeOf, mtu, rxDrops } = interfaces;
    const { macs } = bridges;

    function learn(key: number, macLo: number, port: number, nowSeconds: number): void {
      const row = macs.find(key, macLo);
      const { rows } = macs;
      if (row !== NO_ROW && rows[row + MacColumn.port] === port) {
        if (rows[row + MacColumn.seen]! < nowSeconds) rows[row + MacColumn.seen] = nowSeconds;
        return;
      }
      counters[LEARNED_COUNTERS[bridges.learn(key, macLo, port, nowSeconds, row)]!]!++;
    }

    /** Port of the station of `key`, or 0 when it is not known. */
    function find(key: number, macLo: number, nowSeconds: number): number {
      const row = macs.find(key, macLo);
      if (row === NO_ROW) return 0;
      const { rows } = macs;
      if (nowSeconds - rows[row + MacColumn.seen]! >= bridges.ageingSeconds[key >> 16]!) return 0;
      return rows[row + MacColumn.port]!;
    }

    function discard(slot: number, reason: number): number {
      counters[reason]!++;
      rxDrops[rxInterface[slot]!]!++;
      return Next.drop;
    }

    return (frame, next) => {
      const { slots, count } = frame;
      const nowSeconds = Math.floor(clock.nowNs / NS_PER_S);
      let forwarded = 0;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        if (length[slot]! < ETHERNET_HEADER_BYTES) {
          next[i] = discard(slot, Counter.short);
          continue;
        }
        const at = head[slot]!;
        const sourceHi = ethernetSourceHi(view, at);
        if (isMacMulticast(sourceHi)) {
          next[i] = discard(slot, Counter.groupSource);
          continue;
        }
        const port = rxInterface[slot]!;
        const bridge = bridgeOf[port]! << 16;
        const hi = ethernetDestinationHi(view, at);
        const lo = ethernetDestinationLo(view, at) | 0;
        if (hi === RESERVED_HI && (lo & RESERVED_MASK) === RESERVED_LO) {
          next[i] = discard(slot, Counter.reserved);
          continue;
        }
        learn(bridge | sourceHi, ethernetSourceLo(view, at) | 0, port, nowSeconds);
        const target = isMacMulticast(hi) ? 0 : find(bridge | hi, lo, nowSeconds);
        if (target === 0) {
          counters[Counter.flooded]!++;
          next[i] = Next.l2Flood;
        } else if (target === port) {
          next[i] = discard(slot, Counter.samePort);
        } else if (totalLength[slot]! - ETHERNET_HEADER_BYTES > mtu[target]! && (flags[slot]! & PacketFlag.gso) === 0) {
          next[i] = discard(slot, Counter.tooBig);
        } else {
          txInterface[slot] = target;
          forwarded++;
          next[i] = Next.interfaceOutput;
        }
      }
      counters[Counter.forwarded]! += forwarded;
    };
  },
};
