import { NS_PER_S } from '../base/time.js';
import { FRAME_PACKETS } from '../graph/frame.js';
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
const FRAME_OK = -1;
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
    const { rows, find } = bridges.macs;

    /** Rows of each packet's source and destination. */
    const sourceRows = new Int32Array(FRAME_PACKETS);
    const targetRows = new Int32Array(FRAME_PACKETS);

    /** Look-ups by themselves, before anything is decided: the misses of several packets overlap in time. */
    function findRows(slots: Int32Array, count: number): void {
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const at = head[slot]!;
        const bridge = bridgeOf[rxInterface[slot]!]! << 16;
        sourceRows[i] = find(bridge | ethernetSourceHi(view, at), ethernetSourceLo(view, at) | 0);
        targetRows[i] = find(bridge | ethernetDestinationHi(view, at), ethernetDestinationLo(view, at) | 0);
      }
    }

    /** True when the table says already that a station sends from `port`; notes that it was heard. */
    function refresh(row: number, port: number, nowSeconds: number): boolean {
      if (row === NO_ROW || rows[row + MacColumn.port] !== port) return false;
      if (rows[row + MacColumn.seen]! < nowSeconds) rows[row + MacColumn.seen] = nowSeconds;
      return true;
    }

    function learn(found: number, at: number, port: number, nowSeconds: number): void {
      if (refresh(found, port, nowSeconds)) return;
      const key = (bridgeOf[port]! << 16) | ethernetSourceHi(view, at);
      const macLo = ethernetSourceLo(view, at) | 0;
      // An earlier packet of the frame may have been the station's first.
      const row = found === NO_ROW ? find(key, macLo) : found;
      if (refresh(row, port, nowSeconds)) return;
      counters[LEARNED_COUNTERS[bridges.learn(key, macLo, port, nowSeconds, row)]!]!++;
    }

    /** Port of the station in `row`, or 0 when it is not known. */
    function portOf(row: number, port: number, nowSeconds: number): number {
      if (row === NO_ROW) return 0;
      if (nowSeconds - rows[row + MacColumn.seen]! >= bridges.ageingSeconds[bridgeOf[port]!]!) return 0;
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
      findRows(slots, count);
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const at = head[slot]!;
        const reason = checkFrame(view, at, length[slot]!);
        if (reason !== FRAME_OK) {
          next[i] = discard(slot, reason);
          continue;
        }
        const port = rxInterface[slot]!;
        learn(sourceRows[i]!, at, port, nowSeconds);
        const target = isMacMulticast(ethernetDestinationHi(view, at)) ? 0 : portOf(targetRows[i]!, port, nowSeconds);
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

/** Why a bridge must not forward a frame: the counter of the reason, or FRAME_OK. */
function checkFrame(view: DataView, at: number, length: number): number {
  if (length < ETHERNET_HEADER_BYTES) return Counter.short;
  if (isMacMulticast(ethernetSourceHi(view, at))) return Counter.groupSource;
  if (ethernetDestinationHi(view, at) !== RESERVED_HI) return FRAME_OK;
  return (ethernetDestinationLo(view, at) & RESERVED_MASK) === RESERVED_LO ? Counter.reserved : FRAME_OK;
}
