/**
 * Lets one connection send: RST, SYN, owed ACKs, retransmissions, new data with FIN, pure ACK, in this order. What is
 * sent next is decided in next-segment.ts; here is the book-keeping of each segment. RFC 9293 section 3.8, RFC 6298 section 5.
 */
import { seqAdd, seqGeq, seqGt, seqLt } from '../../base/seqnum.js';
import { FRAME_PACKETS, type Frame } from '../../graph/frame.js';
import { NO_SLOT } from '../../mem/slot.js';
import { TcpFlag } from '../../wire/tcp.js';
import { buildReset, buildSegment, buildSyn } from './build-segment.js';
import { restartAfterIdle } from './congestion.js';
import { hasUnsent, nextSegment } from './next-segment.js';
import { maxPayload, refreshPath } from './path.js';
import { armPersist, armRetransmission } from './retransmission-timer.js';
import { cancelTiming, startTiming } from './rtt.js';
import type { TcpCore } from './tcp-core.js';
import { TcpOutputCounter } from './tcp-counters.js';
import { ConnectionFlag, TcpState, TcpTimer } from './tcp-state.js';

export const TransmitResult = {
  /** Nothing more to send now. */
  done: 0,
  /** There is more, but others come first. */
  again: 1,
  /** There is more, but no room at the device or no packet memory. */
  blocked: 2,
} as const;

/** Bytes and packets a connection may send in a pass before others have their turn. */
const BURST_BYTES = 128 * 1024;
const BURST_PACKETS = 64;
const RETRANSMITTING = ConnectionFlag.recovery | ConnectionFlag.loss | ConnectionFlag.retransmitFirst;

/** Returns a {@link TransmitResult}. */
export function transmit(tcp: TcpCore, connection: number, frame: Frame): number {
  const table = tcp.table;
  const egress = refreshPath(tcp, connection);
  const flags = table.flags[connection]!;
  if (flags & (ConnectionFlag.resetNow | ConnectionFlag.synNow)) return sendSynOrReset(tcp, connection, frame, egress);
  if (table.state[connection]! < TcpState.established) return TransmitResult.done;
  if (flags & ConnectionFlag.probeNow && !sendProbe(tcp, connection, frame, egress)) return TransmitResult.blocked;
  if (flags & ConnectionFlag.ackNow && !sendOwedAcks(tcp, connection, frame, egress)) return TransmitResult.blocked;
  const result = isSendingOver(table.state[connection]!)
    ? TransmitResult.done
    : sendSegments(tcp, connection, frame, egress);
  if ((table.flags[connection]! & ConnectionFlag.ackNow) === 0) return result;
  return sendAck(tcp, connection, frame, egress) ? result : TransmitResult.blocked;
}

/** True once our FIN is acknowledged. */
function isSendingOver(state: number): boolean {
  return state === TcpState.finWait2 || state === TcpState.timeWait;
}

function sendSynOrReset(tcp: TcpCore, connection: number, frame: Frame, egress: number): number {
  if (!tcp.claimSpace(egress)) return TransmitResult.blocked;
  const flags = tcp.table.flags[connection]!;
  const isReset = (flags & ConnectionFlag.resetNow) !== 0;
  const slot = isReset ? buildReset(tcp, connection) : buildSyn(tcp, connection);
  if (slot === NO_SLOT) return TransmitResult.blocked;
  frame.slots[frame.count++] = slot;
  tcp.table.flags[connection] = flags & ~(ConnectionFlag.resetNow | ConnectionFlag.synNow | ConnectionFlag.ackNow);
  return TransmitResult.done;
}

/** ACKs that data must not replace: with SACK blocks, or counted as duplicates by a peer without SACK. RFC 5681 section 4.2. */
function sendOwedAcks(tcp: TcpCore, connection: number, frame: Frame, egress: number): boolean {
  const { table, reassembly } = tcp;
  if (reassembly.count[connection] === 0) return true;
  do {
    if (frame.count === FRAME_PACKETS || !sendAck(tcp, connection, frame, egress)) return false;
  } while (--table.dupAcksOwed[connection]! > 0);
  table.dupAcksOwed[connection] = 0;
  return true;
}

/** An ACK without data. RFC 9293 section 3.8.6.3. */
function sendAck(tcp: TcpCore, connection: number, frame: Frame, egress: number): boolean {
  if (frame.count === FRAME_PACKETS || !tcp.claimSpace(egress)) return false;
  const slot = buildSegment(tcp, connection, tcp.table.sndNxt[connection]!, 0, 0);
  if (slot === NO_SLOT) return false;
  frame.slots[frame.count++] = slot;
  return true;
}

/** Keepalive: a number that the peer has acknowledged already makes it answer. RFC 9293 section 3.8.4. */
function sendProbe(tcp: TcpCore, connection: number, frame: Frame, egress: number): boolean {
  if (frame.count === FRAME_PACKETS || !tcp.claimSpace(egress)) return false;
  const slot = buildSegment(tcp, connection, seqAdd(tcp.table.sndUna[connection]!, -1), 0, 0);
  if (slot === NO_SLOT) return false;
  frame.slots[frame.count++] = slot;
  tcp.table.flags[connection]! &= ~ConnectionFlag.probeNow;
  return true;
}

function sendSegments(tcp: TcpCore, connection: number, frame: Frame, egress: number): number {
  const { table, pool, plan } = tcp;
  const most = maxPayload(tcp, connection);
  restartAfterIdle(tcp, connection);
  let bytes = BURST_BYTES;
  let packets = BURST_PACKETS;
  while (nextSegment(tcp, connection, most, plan)) {
    if (frame.count === FRAME_PACKETS || bytes <= 0 || packets === 0) return TransmitResult.again;
    // Under memory pressure only what is lost is sent: its acknowledgment frees memory.
    if (pool.isLow && (table.flags[connection]! & RETRANSMITTING) === 0) return TransmitResult.blocked;
    if (!tcp.claimSpace(egress)) return TransmitResult.blocked;
    if (!sendOne(tcp, connection, frame, plan.seq, plan.length)) return TransmitResult.blocked;
    bytes -= plan.length;
    packets--;
  }
  if (table.sndUna[connection] === table.sndMax[connection] && hasUnsent(tcp, connection)) armPersist(tcp, connection);
  return TransmitResult.done;
}

function sendOne(tcp: TcpCore, connection: number, frame: Frame, seq: number, length: number): boolean {
  const { table, fifos } = tcp;
  const dataEnd = seqAdd(table.sndUna[connection]!, fifos.readable(connection * 2 + 1));
  const end = seqAdd(seq, length);
  let flags = 0;
  if (end === dataEnd) {
    if (length > 0) flags = TcpFlag.psh;
    if (canCarryFin(tcp, connection, end)) flags |= TcpFlag.fin;
  }
  const slot = buildSegment(tcp, connection, seq, length, flags);
  if (slot === NO_SLOT) return false;
  frame.slots[frame.count++] = slot;
  account(tcp, connection, seq, flags & TcpFlag.fin ? seqAdd(end, 1) : end, length);
  return true;
}

/** FIN needs a byte of the window as data does. RFC 9293 section 3.4. */
function canCarryFin(tcp: TcpCore, connection: number, end: number): boolean {
  const table = tcp.table;
  if ((table.flags[connection]! & ConnectionFlag.finQueued) === 0) return false;
  const windowEnd = seqAdd(table.sndUna[connection]!, table.sndWnd[connection]!);
  const isForced = (table.flags[connection]! & ConnectionFlag.forceSend) !== 0;
  return isForced || seqLt(end, windowEnd) || seqLt(end, table.sndMax[connection]!);
}

/** Moves the send variables over a segment that occupies [seq, end). */
function account(tcp: TcpCore, connection: number, seq: number, end: number, length: number): void {
  const table = tcp.table;
  const flags = table.flags[connection]!;
  if (seqGeq(seq, table.sndMax[connection]!)) {
    startTiming(tcp, connection, seq);
  } else {
    table.retransmits[connection]!++;
    tcp.outputCounters[TcpOutputCounter.retransmitted]!++;
    cancelTiming(tcp, connection);
    const isRepair = (flags & ConnectionFlag.recovery) !== 0 && !tcp.plan.isRescue;
    if (isRepair && seqGt(end, table.highRxt[connection]!)) table.highRxt[connection] = end;
  }
  if (flags & ConnectionFlag.recovery) table.prrOut[connection]! += length;
  if (seq === table.sndNxt[connection]) table.sndNxt[connection] = end;
  if (seqGt(end, table.sndMax[connection]!)) table.sndMax[connection] = end;
  if (length > 0 && length % table.mss[connection]! !== 0) table.sndSmall[connection] = end;
  table.flags[connection]! &= ~(ConnectionFlag.retransmitFirst | ConnectionFlag.forceSend);
  table.lastSentMs[connection] = tcp.clockMs();
  if (flags & ConnectionFlag.persist || !tcp.isTimerRunning(connection, TcpTimer.retransmit)) {
    armRetransmission(tcp, connection);
  }
}
