/**
 * Decides what is sent next. Read RFC 9293 sections 3.7.4 (Nagle) and 3.8.6.2.1 (silly window avoidance of the sender),
 * RFC 5681 section 3.1 and RFC 6675 section 4, NextSeg() first.
 *
 * ```
 *   sndUna            sndNxt ≤ sndMax           dataEnd      sndUna + sndWnd
 *     │  in the network  │        not sent         │  FIN           │
 * ```
 */
import { seqAdd, seqDiff, seqGt, seqLt, seqMax } from '../../base/seqnum.js';
import { highestSacked, holeEnd, lostEdge, pipeBytes, skipSacked } from './scoreboard.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag } from './tcp-state.js';

/** The next segment: `length` bytes from `seq` on; a length of 0 is a lone FIN. */
export interface SendPlan {
  seq: number;
  length: number;
  /** A rescue retransmission: HighRxt stays where it is. RFC 6675 section 4, NextSeg (4). */
  isRescue: boolean;
}

/** Writes the next segment into `plan`; false when nothing may be sent. `most`: payload bytes of the largest packet. */
export function nextSegment(tcp: TcpCore, connection: number, most: number, plan: SendPlan): boolean {
  const table = tcp.table;
  const flags = table.flags[connection]!;
  plan.isRescue = false;
  if (flags & ConnectionFlag.retransmitFirst) return planFirst(tcp, connection, plan);
  const available = table.cwnd[connection]! + limitedTransmit(tcp, connection) - pipeBytes(tcp, connection);
  if (flags & ConnectionFlag.recovery && flags & ConnectionFlag.sack) {
    return planRecovery(tcp, connection, most, available, plan);
  }
  return planNext(tcp, connection, most, available, plan);
}

/** True if data or FIN has never been sent. */
export function hasUnsent(tcp: TcpCore, connection: number): boolean {
  const table = tcp.table;
  const unsent = seqDiff(dataEndOf(tcp, connection), table.sndMax[connection]!);
  return unsent > 0 || (unsent === 0 && (table.flags[connection]! & ConnectionFlag.finQueued) !== 0);
}

/** Sequence number behind the last byte of the send FIFO: that of FIN. */
export function dataEndOf(tcp: TcpCore, connection: number): number {
  return seqAdd(tcp.table.sndUna[connection]!, tcp.fifos.readable(connection * 2 + 1));
}

/** The first two duplicate ACKs let a new segment out each. RFC 3042; with SACK the pipe counts it. */
function limitedTransmit(tcp: TcpCore, connection: number): number {
  const { dupAcks, flags, mss } = tcp.table;
  if (flags[connection]! & (ConnectionFlag.sack | ConnectionFlag.recovery | ConnectionFlag.loss)) return 0;
  return Math.min(dupAcks[connection]!, 2) * mss[connection]!;
}

/**
 * The first segment that is not acknowledged, once more, with what the window lets follow it. Into a window that has closed
 * meanwhile goes only what was sent before: RFC 9293 section 3.8.6, SHLD-16.
 */
function planFirst(tcp: TcpCore, connection: number, plan: SendPlan): boolean {
  const table = tcp.table;
  const una = table.sndUna[connection]!;
  if (una === table.sndMax[connection]) {
    table.flags[connection]! &= ~ConnectionFlag.retransmitFirst;
    return false;
  }
  const hole = seqDiff(holeEnd(tcp, connection, una, dataEndOf(tcp, connection)), una);
  const window = table.sndWnd[connection]!;
  plan.seq = una;
  plan.length = Math.min(hole, table.mss[connection]!, window > 0 ? window : seqDiff(table.sndMax[connection]!, una));
  return true;
}

/** NextSeg() of RFC 6675 section 4 with `available` = cwnd − pipe. */
function planRecovery(tcp: TcpCore, connection: number, most: number, available: number, plan: SendPlan): boolean {
  const table = tcp.table;
  const mss = table.mss[connection]!;
  if (available < mss) return false;
  const from = skipSacked(tcp, connection, seqMax(table.sndUna[connection]!, table.highRxt[connection]!));
  const lost = lostEdge(tcp, connection);
  // Rule 1: the first hole that is lost and was not retransmitted.
  if (seqLt(from, lost)) return planHole(tcp, connection, from, most, available, plan);
  // Rule 2: new data.
  if (planNext(tcp, connection, most, available, plan)) return true;
  // Rule 3: a hole that may be lost.
  if (seqLt(from, highestSacked(tcp, connection))) return planHole(tcp, connection, from, most, available, plan);
  return planRescue(tcp, connection, plan);
}

function planHole(
  tcp: TcpCore,
  connection: number,
  from: number,
  most: number,
  available: number,
  plan: SendPlan,
): boolean {
  const mss = tcp.table.mss[connection]!;
  const hole = seqDiff(holeEnd(tcp, connection, from, dataEndOf(tcp, connection)), from);
  plan.seq = from;
  plan.length = Math.min(hole, most, available - (available % mss));
  return plan.length > 0;
}

/** Rule 4: the last segment in the network, once per recovery, in case the tail is lost. */
function planRescue(tcp: TcpCore, connection: number, plan: SendPlan): boolean {
  const table = tcp.table;
  const una = table.sndUna[connection]!;
  const high = table.sndMax[connection]!;
  const floor = seqMax(highestSacked(tcp, connection), seqMax(una, table.highRxt[connection]!));
  if (table.flags[connection]! & ConnectionFlag.rescued || !seqLt(floor, high)) return false;
  table.flags[connection]! |= ConnectionFlag.rescued;
  const dataEnd = dataEndOf(tcp, connection);
  const end = seqLt(dataEnd, high) ? dataEnd : high;
  const length = Math.min(Math.max(seqDiff(end, floor), 0), table.mss[connection]!);
  plan.seq = seqAdd(end, -length);
  plan.length = length;
  plan.isRescue = true;
  return true;
}

/** Data from SND.NXT on: new, or once more after a timeout. */
function planNext(tcp: TcpCore, connection: number, most: number, available: number, plan: SendPlan): boolean {
  const table = tcp.table;
  const flags = table.flags[connection]!;
  let seq = table.sndNxt[connection]!;
  if (flags & ConnectionFlag.loss) {
    seq = skipSacked(tcp, connection, seq);
    table.sndNxt[connection] = seq;
  }
  const dataEnd = dataEndOf(tcp, connection);
  const unsent = seqDiff(dataEnd, seq);
  const usable = seqDiff(seqAdd(table.sndUna[connection]!, table.sndWnd[connection]!), seq);
  plan.seq = seq;
  plan.length = 0;
  if (unsent <= 0) return unsent === 0 && (flags & ConnectionFlag.finQueued) !== 0 && maySendFin(flags, usable);
  let limit = unsent;
  if (seqLt(seq, table.sndMax[connection]!) && flags & ConnectionFlag.loss) {
    limit = seqDiff(holeEnd(tcp, connection, seq, dataEnd), seq);
  }
  plan.length = chooseLength(tcp, connection, seq, limit, most, usable, available);
  return plan.length > 0;
}

/** FIN needs a byte of the window as data does; without one it serves as a probe. */
function maySendFin(flags: number, usable: number): boolean {
  return usable > 0 || (flags & ConnectionFlag.forceSend) !== 0;
}

/**
 * How many of `limit` bytes go into the next segment; 0: none now. Whole segments go as windows allow; a part of one only
 * by the rules of RFC 9293 section 3.8.6.2.1.
 */
function chooseLength(
  tcp: TcpCore,
  connection: number,
  seq: number,
  limit: number,
  most: number,
  usable: number,
  available: number,
): number {
  const table = tcp.table;
  const mss = table.mss[connection]!;
  let length = limit < most ? limit : most;
  if (available < length) {
    // At least one segment when nothing is in the network (RFC 5681 section 3.1).
    if (available < mss && table.sndUna[connection] !== seq) return 0;
    length = Math.min(length, Math.max(mss, available - (available % mss)));
  }
  if (usable < length) return chooseInWindow(tcp, connection, seq, usable);
  const tail = length % mss;
  if (tail === 0 || maySendTail(tcp, connection, seq)) return length;
  return length - tail;
}

/** The peer's window ends before the data does. Rule (3): half the largest window ever seen; rule (4): the override timer. */
function chooseInWindow(tcp: TcpCore, connection: number, seq: number, usable: number): number {
  const { mss, maxSndWnd, flags, sndUna } = tcp.table;
  const isForced = (flags[connection]! & ConnectionFlag.forceSend) !== 0;
  // A probe: one byte, although there is no window (RFC 9293 section 3.8.6.1).
  if (usable <= 0) return isForced && seq === sndUna[connection] ? 1 : 0;
  const tail = usable % mss[connection]!;
  if (tail === 0 || usable * 2 >= maxSndWnd[connection]! || isForced) return usable;
  return usable - tail;
}

/**
 * True if a segment that is not full may go: rule (2). Nagle's algorithm in Minshall's form: it waits only while another
 * small segment is on its way.
 */
function maySendTail(tcp: TcpCore, connection: number, seq: number): boolean {
  const table = tcp.table;
  const flags = table.flags[connection]!;
  if (flags & (ConnectionFlag.noDelay | ConnectionFlag.finQueued | ConnectionFlag.forceSend)) return true;
  if (seqLt(seq, table.sndMax[connection]!)) return true;
  return !seqGt(table.sndSmall[connection]!, table.sndUna[connection]!);
}
